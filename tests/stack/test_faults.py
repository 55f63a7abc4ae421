"""Broken deployments, each brought up on real parts: red in the check that names the fault, and only there."""

from __future__ import annotations

import pytest

from tests.support.containers import left_of

pytestmark = pytest.mark.stack


# For exhaustive runs: what needs all phases, and neighbours of those that are brought up each time. Unit tests read a file
# of each kind of PEM.
RARE = {
    "api_with_another_password",
    "api_off_the_proxys_network",
    "key_by_file_variable",
    "key_by_path_variable",
    "worker_with_another_key",
    "router_without_service",
    "pem_is_a_folder",
    "pem_empty",
    "pem_public",
    "pem_truncated",
    "pem_encrypted",
    "pem_of_an_elliptic_curve",
    "pem_short",
    "pem_open_to_all",
}


def names(*arguments: str):
    return pytest.mark.deployment(*arguments)


def of(name: str, value: object):
    """A parameter for the deployment of that name."""
    rare = (pytest.mark.exhaustive,) if name in RARE else ()
    return pytest.param(value, id=name, marks=(names(name), *rare))


@names("as_shipped")
def test_the_shipped_deployment_is_accepted(broken):
    assert broken.code == 0, broken.output[-3000:]
    assert broken.red() == set() and not broken.checks("blocked")
    assert broken.summary["verdict"].startswith("accepted")
    assert len(broken.checks("passed", 1)) >= 12
    assert len(broken.checks("passed", 2)) >= 20
    assert len(broken.checks("passed", 3)) >= 10


@names("as_shipped")
def test_a_verdict_on_stand_ins_says_so(broken):
    origins = set(broken.summary["images"].values())
    if "stand-in" in origins:
        assert ", on stand-ins for: " in broken.summary["verdict"]
        assert broken.summary["verdict"] in broken.output
    else:
        assert broken.summary["verdict"] == "accepted"


@names("as_shipped")
def test_what_takes_long_is_told_while_it_happens(broken):
    told = [line.strip() for line in broken.output.splitlines() if line.startswith("  ")]
    begun = next(number for number, line in enumerate(told) if line.startswith("bringing up "))
    assert "docker-compose.lago.yml" in told[begun] and "taking the stack down" in told[begun:]


@names("as_shipped")
def test_every_report_is_there(broken):
    assert {"summary.json", "junit.xml", "overlay.yml"} <= {path.name for path in broken.reports.iterdir()}
    assert any((broken.reports / "allure").glob("*-result.json"))


@names("as_shipped")
def test_success_leaves_nothing(broken):
    assert left_of(broken.summary["run"]) == []


@names("pem_absent")
def test_failure_leaves_nothing(broken):
    assert broken.code == 1
    assert left_of(broken.summary["run"]) == []


PLAN_OPTIONS = {
    "key_by_file_variable": ("rsa-file-variable-never-read", "rsa-key-absent"),
    "key_decoded_then_exported": ("rsa-double-decoded", "rsa-key-unloadable"),
    "key_by_path_variable": ("rsa-volume-never-read", "rsa-key-absent"),
}


@pytest.mark.parametrize("ids", [of(name, ids) for name, ids in PLAN_OPTIONS.items()])
def test_each_of_the_plans_options_is_red_in_phase_1_and_blocks_the_rest(broken, ids):
    explanation, cause = ids
    assert broken.code == 1, broken.output[-3000:]
    assert {explanation, cause} <= broken.red(1)
    assert broken.red(2) | broken.red(3) == set(), "what the key keeps down is blocked, not red"
    assert len(broken.checks("blocked", 2)) >= 8 and len(broken.checks("blocked", 3)) >= 5
    assert all(
        cause in check["reason"]
        for check in broken.summary["checks"]
        if check["outcome"] == "blocked" and check["phase"] == 2
    )


@pytest.mark.parametrize("ids", [of(name, ids) for name, ids in PLAN_OPTIONS.items()])
def test_a_key_that_lago_cant_load_is_not_waited_for(broken, ids):
    assert broken.summary["timings"]["up"] < 60, "the run waited for a time-out"


PEMS = {
    "pem_absent": "rsa-pem-absent",
    "pem_is_a_folder": "rsa-pem-is-a-folder",
    "pem_empty": "rsa-pem-empty",
    "pem_public": "rsa-pem-public",
    "pem_truncated": "rsa-pem-damaged",
    "pem_encrypted": "rsa-pem-encrypted",
    "pem_of_an_elliptic_curve": "rsa-pem-not-rsa",
    "pem_short": "rsa-pem-short",
    "pem_open_to_all": "rsa-pem-readable-by-others",
}


@pytest.mark.parametrize("id", [of(name, id) for name, id in PEMS.items()])
def test_each_unusable_pem_is_called_what_it_is(broken, id):
    assert broken.code == 1, broken.output[-3000:]
    assert id in broken.red(1), broken.red(1)
    assert "PRIVATE KEY" not in broken.output
    assert broken.summary["timings"]["up"] < 60, "the run waited for a time-out"


REDS = {
    "as_shipped": set(),
    **{name: set(ids) for name, ids in PLAN_OPTIONS.items()},
    # A key in variables is not in a file that is mounted, and everybody who may inspect a container reads it.
    "key_decoded_then_exported": {
        *PLAN_OPTIONS["key_decoded_then_exported"],
        "rsa-key-in-environment",
        "rsa-key-in-file",
        "rsa-key-not-mounted",
    },
    "restarts_for_ever": {"service-down"},
    "migration_fails_silently": {"schema-not-the-images"},
    "worker_on_another_database": {"redis-disagrees"},
    "worker_with_another_key": {"rsa-key-differs"},
    "wrong_resolver": {"wrong-certresolver"},
    "router_without_service": {"router-service-not-linked"},
    # With all phases, for what follows in gateway and plans; no other test looks at these.
    "api_with_another_password": {"db-password-drift"},
    "api_off_the_proxys_network": {"wrong-network"},
}


@pytest.mark.parametrize("name", [of(name, name) for name in REDS])
def test_the_cause_is_red_and_nothing_else(broken, name):
    assert broken.red() == REDS[name], broken.output[-3000:]


@pytest.mark.parametrize("name", [of(name, name) for name in REDS])
def test_what_blocks_is_red(broken, name):
    reasons = [check["reason"] for check in broken.summary["checks"] if check["outcome"] == "blocked"]
    blockers = {reason.rpartition("(because of ")[2].rstrip(")") for reason in reasons}
    assert blockers <= broken.red(), f"{name}: blocked by checks that are not red: {blockers - broken.red()}"


def blocked(broken, test: str) -> str:
    """Why a check was not judged."""
    (check,) = [each for each in broken.summary["checks"] if each["name"].endswith(f"::{test}")]
    assert check["outcome"] == "blocked", check
    return check["reason"]


@names("restarts_for_ever")
def test_a_service_that_restarts_for_ever_is_red(broken):
    assert broken.code == 1
    finding = broken.finding("service-down")
    assert (
        finding["role"] == "clock"
        and "restarts again and again" in finding["problem"]
        and "boom" in finding["problem"]
    )
    assert "test_each_service_runs_exactly_once" in broken.checks("passed")


@names("migration_fails_silently")
def test_a_migration_that_fails_while_migrate_exits_0_is_red(broken):
    assert broken.code == 1
    assert "test_migrate_has_finished" in broken.checks("passed"), "the exit code was 0"
    assert "of 408" not in broken.finding("schema-not-the-images")["problem"]
    assert "408" in broken.finding("schema-not-the-images")["problem"]
    assert broken.red(1) == set()


@names("worker_on_another_database")
def test_a_worker_on_another_redis_database_is_red(broken):
    assert broken.code == 1
    assert "test_every_service_is_up_and_healthy" in broken.checks("passed"), "all healthchecks are green"
    assert "lago-redis/2" in broken.finding("redis-disagrees")["problem"]
    assert "one listens to database 2" in blocked(broken, "test_a_worker_is_alive_where_the_api_enqueues")
    assert "REDIS_URL differs" in blocked(broken, "test_lagos_processes_agree")


@pytest.mark.exhaustive
@names("worker_with_another_key")
def test_a_worker_with_another_key_is_red(broken):
    assert broken.code == 1
    assert "test_every_service_is_up_and_healthy" in broken.checks("passed"), "all healthchecks are green"
    assert "lago-worker" in broken.finding("rsa-key-differs")["problem"]
    assert broken.red(2) | broken.red(3) == set()


@names("wrong_resolver")
def test_traefiks_default_certificate_is_explained_by_the_resolver(broken):
    assert broken.code == 1
    assert "test_rule[wrong-certresolver]" in broken.checks("failed")
    assert "TRAEFIK DEFAULT CERT" in blocked(broken, "test_certificate_is_trusted_and_names_the_host")


@pytest.mark.exhaustive
@names("router_without_service")
def test_a_router_without_a_service_is_red(broken):
    assert broken.code == 1
    assert "test_rule[router-service-not-linked]" in broken.checks("failed")
    assert "no enabled router takes" in blocked(broken, "test_one_router_per_host_and_entrypoint")
