"""The same broken deployments as on the stack give the same findings live."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.support import suite_run
from tests.support.broken_runs import BrokenRuns

pytestmark = [pytest.mark.stack, pytest.mark.docker]

PARTS = ("id", "role", "service", "severity")
# Checks that tell of the vantage point and not of the deployment.
OF_BRINGING_UP = frozenset({"test_the_stack_came_up"})
# A first look at a host compares with none; a stack was made for its run, and is looked at from its
# beginning.
OF_THE_FIRST_LOOK = frozenset({"test_no_job_has_died_since_the_last_look"})
# What a clock that is minutes old has not had to do yet.
OF_TIME = frozenset(
    {
        "test_customers_are_billed_every_hour",
        "test_five_minute_schedules_are_enqueued_in_time",
        "test_hourly_schedules_are_enqueued_in_time",
    }
)
ELSEWHERE = OF_BRINGING_UP | OF_THE_FIRST_LOOK | OF_TIME

NAMES = (
    "key_by_path_variable",
    "pem_open_to_all",
    "pem_short",
    "pem_public",
    "worker_on_another_database",
    "worker_with_another_key",
    "migration_fails_silently",
    "restarts_for_ever",
    "router_without_service",
    "wrong_resolver",
)
# The others are for exhaustive runs: each is brought up for this alone.
ALWAYS = ("pem_open_to_all",)
Looks = Callable[[str], tuple[suite_run.Result, suite_run.Result]]


@pytest.fixture(scope="module")
def looks(broken_runs: BrokenRuns) -> Looks:
    """Call it with the name of a broken deployment: how a stack run and a live run have judged it, each made
    once."""

    @cache
    def both(name: str) -> tuple[suite_run.Result, suite_run.Result]:
        with broken_runs.kept(name) as (stack, up):
            return stack, suite_run.run(up.folder / "live", "-m", broken_runs.marks(name), *up.options)

    return both


def verdicts(result: suite_run.Result) -> set[tuple[str, str, tuple]]:
    """What was said of each check that both can make: how it ended, and what its findings are about."""
    return {
        (
            check["name"].rpartition("::")[2],
            check["outcome"],
            tuple(
                sorted(
                    tuple(finding.get(part) or "" for part in PARTS) for finding in check.get("findings", ())
                )
            ),
        )
        for check in result.summary["checks"]
        if check["name"].rpartition("::")[2].partition("[")[0] not in ELSEWHERE
    }


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=() if each in ALWAYS else pytest.mark.exhaustive) for each in NAMES],
)
def test_findings_are_those_of_the_stack(name: str, looks: Looks):
    stack, live = looks(name)
    assert live.code == stack.code == 1, live.output
    assert stack.red() and live.red() == stack.red()
    by_stack, by_live = verdicts(stack), verdicts(live)
    assert by_live == by_stack, f"only on the stack: {by_stack - by_live}; only live: {by_live - by_stack}"


def test_a_finding_that_live_drops_is_noticed(looks: Looks):
    stack, live = looks("pem_open_to_all")
    told = next(check for check in live.summary["checks"] if check.get("findings"))
    told["outcome"], told["findings"] = "passed", []
    assert verdicts(live) != verdicts(stack)
    assert live.red() != stack.red()
