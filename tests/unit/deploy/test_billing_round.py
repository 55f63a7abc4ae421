"""What a billing round in a rehearsal says of its steps."""

from __future__ import annotations

from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.deploy.billing_round import billed, told
from lago_acceptance.hosts.local import LocalHost


def finding(problem):
    return Finding(id="invoice-missing", role=WORKER, problem=problem, impact="no bill", fix="read the log")


def test_steps_that_succeeded_are_named_and_nothing_is_wrong():
    found = told({"a subscription": Attempt(1), "the first invoice": Attempt(2)})
    assert found.done == ("a subscription", "the first invoice")
    assert found.problems == ()


def test_the_cause_is_told_and_what_follows_from_it_is_not():
    red = Red(finding("no finalized invoice within 20 s"))
    blocked = Blocked("invoice-missing", "the last invoice")
    found = told(
        {
            "a subscription": Attempt(1),
            "the first invoice": Attempt(failure=red),
            "the last invoice": Attempt(failure=blocked),
        }
    )
    assert found.done == ("a subscription",)
    [problem] = found.problems
    assert problem.startswith("billing after the upgrade: ")
    assert "no finalized invoice within 20 s" in problem


def test_a_round_of_which_nothing_was_tried_is_no_success():
    found = told({"a subscription": Attempt(failure=Blocked("worker-down", "a subscription"))})
    assert found.done == ()
    assert len(found.problems) == 1


def test_without_an_api_there_is_no_round():
    [problem] = billed(LocalHost(), None, None, Permit("test"), "20261128-000000-abcdef").problems
    assert "could not begin" in problem
    assert "no API container runs" in problem
