"""Which containers aren't well."""

from __future__ import annotations

import pytest

from lago_acceptance.core.roles import API, MIGRATE, WORKER
from lago_acceptance.facts.unwell import unwell
from tests.support.facts import container, facts, lago

FINISHED = {"status": "exited", "running": False}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (
            container(WORKER, running=False, status="exited", exit_code=3),
            "it does not run: exited, exit code 3",
        ),
        (container(WORKER, running=False, status="created"), "it does not run: created, exit code 0"),
        (container(WORKER, exit_code=0, **FINISHED), "it does not run: exited, exit code 0"),
        (container(API, restarting=True, restarts=7), "it restarts, 7 times until now"),
        (container(API, health="unhealthy"), "it is unhealthy"),
        (container(API, running=False, status="exited", out_of_memory=True), "it ran out of memory"),
        (container(MIGRATE, exit_code=1, **FINISHED), "it does not run: exited, exit code 1"),
    ],
)
def test_what_is_not_well_is_said(found, why):
    ((container_, state),) = unwell(facts(*lago(WORKER, API, MIGRATE), found))
    assert container_ is found and state.why == why
    assert (state.container, state.role) == (found.name, found.role)


def test_what_is_well_is_left_out():
    starting = container(API, health="starting")
    none = container(WORKER, health=None)
    assert list(unwell(facts(*lago(MIGRATE), container(MIGRATE, **FINISHED), starting, none))) == []
