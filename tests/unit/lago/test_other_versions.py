"""What other versions of Lago do otherwise than 1.16.0 is no red, and what is broken there still is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from lago_acceptance.checks import (
    api_inside,
    diagnosis,
    drift,
    environment,
    queues,
    rsa_key,
    rsa_pem,
    schema,
    services,
)
from lago_acceptance.checks import clock as clock_checks
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.settings import load as load_settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts import sidekiq
from lago_acceptance.facts.answers import DatabaseAnswers, EndpointAnswer, LagoProcess, LoadedKey, decode
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago import log_causes, schedules
from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.rules import rules
from tests.support.facts import NOW, container, facts
from tests.support.paths import DATA

MINUTE = 60
UNREADABLE = "Error response from daemon: configured logging driver does not support reading"


SETTINGS = load_settings(ROOT / "settings.toml")


def ids(findings) -> list[str]:
    """The ids of what a check has found."""
    return [finding.id for finding in findings]


def of_roles(**environments: dict[str, str]) -> Facts:
    return facts(*(container(role, environment) for role, environment in environments.items()))


# --- jobs ---


def redis(*processes: dict) -> RedisAnswers:
    databases = [
        {
            "number": 0,
            "processes": [{"identity": "a", "info": each, "beat": NOW} for each in processes],
            "queues": [{"name": "billing", "length": 3, "oldest": 1000 * (NOW - 300)}],
            "dead": {},
            "processed": 9,
            "failed": 0,
        }
    ]
    return decode(RedisAnswers, {"version": "7", "policy": "noeviction", "databases": databases})


CAPSULES = {"default": {"mode": "strict", "weights": {"default": 0}}, "own": {"weights": {"billing": 1}}}


@pytest.mark.parametrize(
    "process", [{"queues": ["default", "billing"]}, {"capsules": CAPSULES}], ids=["Sidekiq 7", "Sidekiq 8"]
)
def test_the_queues_of_a_worker_are_known_of_each_sidekiq(process):
    found = sidekiq.as_enqueued_to(facts(redis=redis(process)))
    assert found.readers == (("default", "billing"),)
    assert NOW - found.queues[0].oldest == pytest.approx(300)


@pytest.mark.parametrize(
    ("value", "found_ids"), [("true", ["queue-without-reader"]), ("false", []), ("", [])]
)
def test_a_switch_that_says_false_switches_nothing_on(value, found_ids):
    found = redis({"queues": ["default", "billing"]})
    quiet = msgspec.structs.replace(found.databases[0], queues=())
    seen = facts(
        container("api", {"SIDEKIQ_EVENTS": value}), redis=msgspec.structs.replace(found, databases=(quiet,))
    )
    assert [finding.id for finding in queues.are_read_in_time(seen, SETTINGS)] == found_ids


# --- what a log tells of ---

BOOT = DATA / "recordings" / "boot"
STOPPED = {
    "api_license_set": "license-unreachable",
    "api_front_url_malformed": "front-url-malformed",
    "rake_generate_api_key": "library-missing",
}
FAILED_JOBS = (
    "E, [2026-11-22T17:33:52.1 #7] ERROR -- : [ActiveJob] [MigrationTaskJob] [1] Error performing MigrationTaskJob: "
    "TaskNotFoundError (Don't know how to build task 'customers:populate_currency'):",
    '{"ts":"2026-11-22T17:33:52.1Z","lvl":"WARN","msg":"TaskNotFoundError: Don\'t know how to build task"}',
    "E, [2026-11-22T17:33:52.1 #7] ERROR -- : [ActiveJob] [SendWebhookJob] [1] LagoHttpClient::HttpError (502)",
    '{"lvl":"WARN","msg":"URI::InvalidURIError: bad URI(is not URI?): http://a receiver"}',
)


@pytest.mark.parametrize("name", STOPPED)
def test_what_kept_a_process_from_starting_is_known(name):
    cause, _ = log_causes.cause_of((BOOT / f"{name}.log").read_text().splitlines())
    assert cause.id == STOPPED[name]


def test_a_newer_lagos_word_on_a_missing_key_is_known():
    line = "Error: Private key is blank, you must provide a private key to start the application. Exiting..."
    cause, _ = log_causes.cause_of([line])
    assert cause.id == "rsa-key-absent"


@pytest.mark.parametrize("line", FAILED_JOBS)
def test_a_job_that_failed_is_no_reason_why_nothing_starts(line):
    assert log_causes.cause_of([line]) is None


# --- what is there, and what is elsewhere ---


@pytest.mark.parametrize(
    ("role", "code", "problem"), [(None, 0, False), (None, 1, True), ("migrate", 0, False), ("api", 0, True)]
)
def test_a_one_shot_that_has_done_its_work_is_well(role, code, problem):
    """Newer files have one that makes the key."""
    ended = container(role, running=False, status="exited", exit_code=code, health=None)
    assert bool(diagnosis.symptom(ended)) is problem


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("http://pdf:3000", True),
        ("http://lago-pdf:3000", True),
        ("http://gotenberg.example.net", False),
        ("", True),
    ],
)
def test_a_pdf_service_of_others_is_none_that_is_missing(url, missing):
    roles = ("db", "redis", "migrate", "api", "worker", "clock", "front")
    seen = of_roles(**{role: {"LAGO_PDF_URL": url} for role in roles})
    assert list(services.each_service_runs_once(seen)) == [], "a rule reports it"
    found = rules()["no-pdf-service"].findings(seen.model(), SETTINGS, lambda violation: None)
    assert [(each.id, each.severity) for each in found] == ([("no-pdf-service", "error")] if missing else [])


@pytest.mark.parametrize(
    ("host", "missing"), [("db", True), ("db.example.net", False), ("db-of-others", False)]
)
def test_a_database_of_others_is_none_that_is_missing(host, missing):
    roles = ("redis", "migrate", "api", "worker", "clock", "front", "pdf")
    seen = of_roles(**{role: {"DATABASE_URL": f"postgres://lago:p@{host}/lago"} for role in roles})
    seen = msgspec.structs.replace(seen, containers=(*seen.containers, container(None, name="db")))
    assert [each.role for each in services.each_service_runs_once(seen)] == (["db"] if missing else [])


# --- processes that agree ---


AGREEING = [
    {
        "api": {"LAGO_API_URL": "https://x"},
        "worker": {"LAGO_API_URL": "https://x"},
        "migrate": {},
        "clock": {},
    },
    {"api": {"SECRET_KEY_BASE": "s"}, "worker": {"SECRET_KEY_BASE": "s"}, "clock": {"SECRET_KEY_BASE": "t"}},
    {"api": {"REDIS_URL": "redis://redis:6379"}, "worker": {"REDIS_URL": "redis://redis/0"}},
    {
        "api": {"DATABASE_URL": "postgresql://lago:p@db:5432/lago?pool=20"},
        "worker": {"DATABASE_URL": "postgres://lago:p@db/lago"},
    },
]
DISAGREEING = [
    {"api": {"LAGO_API_URL": "https://x"}, "worker": {"LAGO_API_URL": "http://x"}},
    {"api": {"SECRET_KEY_BASE": "s"}, "worker": {}},
    {"api": {"REDIS_URL": "redis://redis:6379"}, "worker": {"REDIS_URL": "redis://redis:6379/2"}},
    {
        "api": {"DATABASE_URL": "postgresql://lago:p@db/lago?search_path=a"},
        "migrate": {"DATABASE_URL": "postgresql://lago:p@db/lago"},
    },
    {"api": {"LAGO_REDIS_CACHE_URL": "redis://redis:6379/1"}, "worker": {}},
]


@pytest.mark.parametrize("environments", [*AGREEING, *DISAGREEING])
def test_processes_disagree_in_what_they_read_and_in_what_it_means(environments):
    found = ids(environment.lagos_processes_agree(of_roles(**environments)))
    assert found == (["services-disagree"] if environments in DISAGREEING else [])


# --- the RSA key in a volume, as in upstream's own files from 1.23.0 on ---

VOLUME = (Mount("volume", "lago_rsa_data", "/app/config/keys", False),)


def keyed(image: str, **publics: str) -> Facts:
    """Processes that have loaded keys, by the digest of the public half, with a volume where newer ones look."""
    containers = [
        container(role, service=Service(name=role, image=image, role=role, mounts=VOLUME)) for role in publics
    ]
    loaded = {role: LagoProcess(key=LoadedKey(public=public)) for role, public in publics.items()}
    return facts(*containers, lago=loaded)


def test_a_newer_lagos_key_in_a_volume_is_mounted_and_compared_by_what_was_loaded():
    seen = keyed("getlago/api:v1.27.0", api="a", worker="b", clock="a", migrate="a")
    assert list(rsa_pem.is_mounted_everywhere(seen, SETTINGS)) == []
    for check in (rsa_pem.is_a_file, rsa_pem.is_private, rsa_pem.is_mounted_read_only_and_the_same):
        with pytest.raises(Unknown, match="volume"):
            list(check(seen, SETTINGS))
    found = rsa_key.is_the_mounted_one(seen, SETTINGS)
    assert [(each.id, each.role) for each in found] == [("rsa-key-not-the-mounted-one", "worker")]


def test_an_older_lago_reads_no_key_in_a_volume():
    seen = keyed("getlago/api:v1.16.0", api="a")
    assert ids(rsa_pem.is_mounted_everywhere(seen, SETTINGS)) == ["rsa-key-not-mounted"]


# --- what images bring along ---


def test_variables_of_an_image_are_no_drift():
    of_image = {"REDIS_VERSION": "7.2.5", "REDIS_DOWNLOAD_URL": "https://example.test"}
    running = container("redis", of_image), container("api", {"REDIS_URL": "redis://redis", **of_image})
    services = tuple(Service(name=f"lago-{each}", image="", role=each) for each in ("redis", "api"))
    declared = Model(observed=False, project="", services=services)
    (found,) = drift.containers_match_their_files(facts(*running, declaration=declared))
    assert found.role == "api" and "REDIS_URL is set in the container" in found.problem


# --- whose schema it is ---


def test_another_applications_migrations_in_lagos_schema_are_told():
    own = facts(container("db"), database=DatabaseAnswers(tables=("invoices", "schema_migrations")))
    assert list(schema.is_lagos_alone(own)) == []
    shared = facts(container("db"), database=DatabaseAnswers(tables=("invoices", "alembic_version")))
    assert [(each.id, each.severity) for each in schema.is_lagos_alone(shared)] == [
        ("shared-database", "warning")
    ]
    with pytest.raises(Unknown):
        list(schema.is_lagos_alone(facts(container("db"), database=DatabaseAnswers())))


# --- keys of the API ---


def answered(status: int) -> Facts:
    """The API's answer to its own key."""
    said = {"/api/v1/organizations": EndpointAnswer(status)}
    return facts(container("api"), lago={"api": LagoProcess(with_key=True, answers=said)})


def test_a_key_that_may_not_read_the_organization_is_unknown():
    with pytest.raises(Unknown, match="permissions"):
        list(api_inside.accepts_its_own_key(answered(403), SETTINGS))
    with pytest.raises(Unknown, match="permissions"):
        api_inside.process_with_accepted_key(answered(403), SETTINGS)
    limited = {
        "/api/v1/organizations": EndpointAnswer(200),
        "/api/v1/webhooks/public_key": EndpointAnswer(403),
    }
    seen = keyed("getlago/api:v1.27.0", api="a")
    process = LagoProcess(with_key=True, answers=limited, key=LoadedKey(public="a"))
    for check in (rsa_key.public_half_is_served, rsa_key.signed_token_verifies):
        with pytest.raises(Unknown, match="permissions"):
            list(check(msgspec.structs.replace(seen, lago={"api": process}), SETTINGS))
    assert ids(api_inside.accepts_its_own_key(answered(401), SETTINGS)) == ["api-refuses-its-key"]


# --- the clock ---


def stamp(minutes_ago: float) -> str:
    """Docker's stamp of a line that was printed so long ago."""
    at = datetime.fromtimestamp(NOW - minutes_ago * MINUTE, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")


def plain(text: str) -> str:
    """A line as 1.16.0's clock writes it."""
    return f"I, [2026-11-22T17:32:32.458816 #7]  INFO -- : {text}"


def as_json(text: str) -> str:
    """A line as later versions write it."""
    return json.dumps({"level": "INFO", "message": text, "ddsource": "ruby"})


def clock_log(*lines: tuple[float, str], started: float = 600, **environment: str) -> Facts:
    """Facts of a clock that has printed these lines, each with the minutes since."""
    clock = container("clock", environment, started_at=stamp(started))
    text = "".join(f"{stamp(ago)} {line}\n" for ago, line in lines)
    return facts(clock, logs={"clock": text})


def late(found: Facts, which: dict[str, int]) -> list[str]:
    return [each.problem for each in clock_checks.enqueues_in_time(found, which)]


def finished(name: str, error: str = "nil") -> str:
    return f"Finished 'schedule:{name}' duration_ms=32 error={error}"


@pytest.mark.parametrize("form", [plain, as_json])
def test_a_schedule_that_was_enqueued_is_well_in_each_form_of_log(form):
    found = clock_log((30, form(finished("bill_customers"))))
    assert late(found, schedules.BILLING) == []
    error = form(finished("bill_customers", "#<Redlock::LockAcquisitionError>"))
    failed = clock_log((90, error), (30, error))
    (problem,) = late(failed, schedules.BILLING)
    assert "Redlock" in problem


def test_a_schedule_that_this_clock_does_not_have_is_not_missed_once_its_start_is_out_of_sight():
    """Without a cache's URL no wallet is refreshed; after ten hours the log's end no longer tells so."""
    lines = [(600, plain(finished("activate_subscriptions"))), (2, plain(finished("activate_subscriptions")))]
    assert late(clock_log(*lines, started=900), schedules.EVERY_FIVE_MINUTES) == []
    (problem,) = late(clock_log(lines[0], started=900), schedules.EVERY_FIVE_MINUTES)
    assert "activate_subscriptions" in problem
    # What every Lago schedules is missed all the same.
    (problem,) = late(clock_log(*lines, started=900), schedules.BILLING)
    assert "bill_customers" in problem


def test_a_log_that_names_no_schedule_is_unknown():
    with pytest.raises(Unknown, match="does not mention bill_customers"):
        late(clock_log((500, as_json("something else"))), schedules.BILLING)


def test_an_interval_that_was_set_is_kept():
    start = plain("Starting clock for 1 events: [ schedule:refresh_lifetime_usages ]")
    lines = [(500, start), (50, plain(finished("refresh_lifetime_usages")))]
    assert len(late(clock_log(*lines), schedules.EVERY_FIVE_MINUTES)) == 1
    set_to_an_hour = clock_log(*lines, LAGO_LIFETIME_USAGE_REFRESH_INTERVAL_SECONDS="3600")
    assert late(set_to_an_hour, schedules.EVERY_FIVE_MINUTES) == []


@pytest.mark.parametrize("form", [plain, as_json])
def test_a_clock_that_enqueues_again_ticks_in_each_form_of_log(form):
    failed = (9, form("[ActiveJob] Failed enqueuing Clock::ActivateSubscriptionsJob to Sidekiq(clock)"))
    again = (4, form("Enqueued Clock::ActivateSubscriptionsJob (Job ID: 1) to Sidekiq(clock)"))
    triggered = (4, form("Triggering 'schedule:activate_subscriptions'"))
    assert list(clock_checks.ticks(clock_log(failed, triggered, again))) == []
    (found,) = clock_checks.ticks(clock_log(failed, triggered))
    assert "can't enqueue" in found.problem


def test_a_log_that_docker_can_not_read_back_is_unknown():
    found = facts(container("clock"), logs={"clock": UNREADABLE})
    for look in (
        lambda: late(found, schedules.BILLING),
        lambda: list(clock_checks.ticks(found)),
        lambda: list(services.log_nothing_fatal(found, SETTINGS)),
    ):
        with pytest.raises(Unknown, match="does not support reading"):
            look()
