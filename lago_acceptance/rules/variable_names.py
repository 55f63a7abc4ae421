"""Rules about the variables without which Lago doesn't start: their names, and who lacks them."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.roles import API, CLOCK, MIGRATE, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.key_loading import KEY, key_reading
from lago_acceptance.lago.key_parsing import State
from lago_acceptance.lago.variables import API_SIDE, known
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import at_deploy, lago, reference, unset_note, variable
from lago_acceptance.rules.helpers.misnamed import SIMILAR, misnamed_as


def _misnamed(model: Model, right: str, impact: str) -> Iterator[Violation]:
    for service in lago(model):
        if misnamed := misnamed_as(service, right, model):
            yield Violation(
                service=service,
                at=variable(service, misnamed),
                problem=f"{misnamed} is set, but Lago reads {right}, which is not",
                impact=impact,
                fix=f"rename it to {right}",
            )


@rule(phase=2)
def secret_key_base_misnamed(model: Model, settings: Settings) -> Iterator[Violation]:
    """The secret for Lago's sessions is in SECRET_KEY_BASE, without a prefix."""
    return _misnamed(
        model,
        "SECRET_KEY_BASE",
        "ArgumentError: Missing `secret_key_base` for 'production' environment: no container boots",
    )


@rule(phase=2)
def db_redis_url_misnamed(model: Model, settings: Settings) -> Iterator[Violation]:
    """The database's address is in DATABASE_URL: one URL, without a prefix in the name."""
    return _misnamed(
        model,
        "DATABASE_URL",
        "Lago connects to PostgreSQL on a local socket: migrations fail and /health answers 500",
    )


@rule(phase=2)
def redis_url_misnamed(model: Model, settings: Settings) -> Iterator[Violation]:
    """Redis' address is in REDIS_URL: one URL, without a prefix in the name."""
    return _misnamed(
        model,
        "REDIS_URL",
        "Lago connects to Redis on localhost:6379: the worker exits, and every call that enqueues a job "
        "answers 500",
    )


@rule(
    phase=2,
    follows_variable=(
        "worker-env-incomplete",
        "clock-env-incomplete",
        "migrate-env-incomplete",
        "env-name-misspelled",
    ),
)
def rails_env_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """RAILS_ENV is production in all of Lago's services.

    Without it Rails runs in development, which needs gems and a key file that aren't in the image.
    """
    for service in lago(model):
        value = service.value("RAILS_ENV")
        if value not in ("production", "staging") and not unknown(value):
            rails_default = value in ("", "development", "test")
            yield Violation(
                service=service,
                at=variable(service, "RAILS_ENV"),
                problem=f"RAILS_ENV is {value or 'not set'}"
                f"{unset_note(model, service, 'RAILS_ENV')}, so Rails runs as {value or 'development'}",
                impact="the container exits at boot: the image lacks the gems and the key file for "
                "development"
                if rails_default
                else "the container exits at boot: Lago has no such environment",
                fix="set RAILS_ENV: production",
            )


def _incomplete(model: Model, settings: Settings, role: str) -> Iterator[Violation]:
    for service in model.of_role(role):
        first = reference(model, service)
        missing = _missing(model, settings, service)
        also = {
            each.name: common
            for each in model.of_role(CLOCK, MIGRATE)
            if role == WORKER
            and (common := [name for name in _missing(model, settings, each) if name in missing])
        }
        reference_note = f", which {first.name} has" if role != API and first and first is not service else ""
        unset = unset_note(model, service, missing[0]) if missing else ""
        also_note = "".join(f"; {name} lacks {', '.join(names)} as well" for name, names in also.items())
        if missing:
            yield Violation(
                service=service,
                at=variable(service, missing[0]),
                severity=at_deploy(model, service, *missing),
                problem=f"it lacks {', '.join(missing)}{unset}{reference_note}" + also_note,
                impact=_IMPACT[role],
                fix="use one environment for all of Lago's services (a YAML anchor)",
            )


def _missing(model: Model, settings: Settings, service: Service) -> list[str]:
    """What a service lacks: of a worker, a clock or a migration what the API has, of an API what Lago can't do without."""
    first, source, role = reference(model, service), model.source, service.role or ""
    missing = [
        name
        for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY_BASE")
        if not service.value(name)
        and not (name == "REDIS_URL" and _has_sentinels(service, settings))
        and not any(each != name and SIMILAR[name].fullmatch(each) for each in service.environment)
        and (
            name not in service.environment
            or not unset_note(model, service, name)
            or role == API
            or source is None
            or source.environment_known
        )
    ]
    if role == API or first is None or first is service:
        return missing
    # What the API lacks as well is reported for the API.
    missing = [name for name in missing if first.value(name)]
    missing += [name for name in ("RAILS_ENV",) if not service.value(name) and first.value(name)]
    # Alone they break neither: an empty cache or a PDF that is missing has rules of its own.
    others = _BESIDE[role] if missing or role == WORKER else ()
    missing += [name for name in others if _value(first, name) and not _value(service, name)]
    if missing == ["LAGO_PDF_URL"]:
        missing = []
    if missing and role == WORKER and first.value("LAGO_API_URL") and not service.value("LAGO_API_URL"):
        missing.append("LAGO_API_URL")
    if (
        key_reading(service, model, settings).state is State.ABSENT
        and key_reading(first, model, settings).state is not State.ABSENT
    ):
        missing.append(KEY)
    return missing


def _has_sentinels(service: Service, settings: Settings) -> bool:
    """Whether Lago asks sentinels where its Redis is; it needs no REDIS_URL then."""
    name = "LAGO_REDIS_SIDEKIQ_SENTINELS"
    return bool(service.value(name)) and known(API_SIDE)[name].read_in(version_of(service, settings))


def _value(service: Service, name: str) -> str:
    """A variable's text; of an encryption key also under its older name, without LAGO_."""
    return service.value(name) or (service.value(name.removeprefix("LAGO_")) if "ENCRYPTION" in name else "")


# What a service without its own environment lacks as well.
_BESIDE = {
    WORKER: ("LAGO_REDIS_CACHE_URL", "LAGO_ENCRYPTION_PRIMARY_KEY", "LAGO_PDF_URL"),
    CLOCK: ("LAGO_REDIS_CACHE_URL", "LAGO_ENCRYPTION_PRIMARY_KEY"),
    MIGRATE: (),
}
# What says that a variable is empty where it is used.
_SAID_ELSEWHERE = ("env-file-not-used-for-interpolation", "secret-env-unguarded")
_IMPACT = {
    API: "the API doesn't boot, or answers every call with 500",
    WORKER: "jobs fail, or run with other settings than the API's",
    CLOCK: "the clock doesn't boot or enqueues nothing: no recurring invoices",
    MIGRATE: "migrations stop halfway: all of them need the database, the RSA key and SECRET_KEY_BASE, "
    "and four need Redis",
}


@rule(phase=2, follows_variable=("env-name-misspelled",), follows_at=_SAID_ELSEWHERE)
def api_env_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API has DATABASE_URL, REDIS_URL and SECRET_KEY_BASE."""
    return _incomplete(model, settings, API)


@rule(phase=2, follows_variable=("env-name-misspelled",), follows_at=_SAID_ELSEWHERE)
def worker_env_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """The worker has the API's variables for database, Redis, cache and secrets."""
    return _incomplete(model, settings, WORKER)


# One omission is reported once: of the worker, where it is the worker's, too.
@rule(
    phase=2,
    follows_variable=("env-name-misspelled",),
    follows_at=_SAID_ELSEWHERE,
    follows_elsewhere=("worker-env-incomplete",),
)
def clock_env_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """The clock has the API's variables for database, Redis, cache and secrets.

    It loads all of Lago, as the API does.
    """
    return _incomplete(model, settings, CLOCK)


# One omission is reported once: of the worker, where it is the worker's, too.
@rule(
    phase=2,
    follows_variable=("env-name-misspelled",),
    follows_at=_SAID_ELSEWHERE,
    follows_elsewhere=("worker-env-incomplete",),
)
def migrate_env_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration has DATABASE_URL, REDIS_URL, the RSA key and SECRET_KEY_BASE.

    Every task loads all of Lago, and four migrations enqueue jobs.
    """
    return _incomplete(model, settings, MIGRATE)


@rule(phase=2)
def app_env_overrides_rails_env(model: Model, settings: Settings) -> Iterator[Violation]:
    """APP_ENV is not set on the worker, unless it is production.

    Sidekiq prefers APP_ENV to RAILS_ENV. The front's APP_ENV, shared through an environment file, changes the
    worker's environment.
    """
    for service in model.of_role(WORKER):
        if service.value("APP_ENV") not in ("", "production"):
            yield Violation(
                service=service,
                at=variable(service, "APP_ENV"),
                problem="APP_ENV is set on the worker and overrides RAILS_ENV there",
                impact="the worker runs in another environment than the API: it exits, or uses other "
                "settings",
                fix="set APP_ENV on the front only",
            )
