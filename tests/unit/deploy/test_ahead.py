"""The work of a stop whose image can't be had, done by a later release's image within its deploy."""

from __future__ import annotations

from typing import Any

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy import rollout
from lago_acceptance.deploy.rollout import NotDeployed, Rollout
from lago_acceptance.deploy.session import Outcome
from lago_acceptance.deploy.steps import STORES, UP
from lago_acceptance.deploy.wishes import Wishes
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.lago.upgrade_path import named, stop_at
from lago_acceptance.lago.upgrades import stops
from tests.support.deploy.planned import PLAN
from tests.support.facts import facts


class Recorded:
    """A session that writes down what it is asked; ``fails`` maps a step to what it says."""

    def __init__(self, *_: Any) -> None:
        self.done: list[str] = []
        self.given: list[str] = []
        self.fails: dict[str, str] = {}

    def put(self, path: str, content: bytes) -> None:
        pass

    def give(self, name: str, content: bytes) -> None:
        self.given.append(content.decode())

    def ask(self, question: str, seconds: float = 120) -> Outcome:
        return Outcome(0, ())

    def step(self, step: Any) -> Outcome:
        self.done.append(step.name)
        return Outcome(1, (self.fails[step.name],)) if step.name in self.fails else Outcome(0, ())

    def undo(self) -> Outcome:
        self.done.append("undo")
        return Outcome(0, ())

    def close(self) -> None:
        pass


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(rollout, "Session", Recorded)
    monkeypatch.setattr(rollout.startup, "progress", lambda *_: [])
    deployment = load(SETTINGS).deployment
    ahead = (stop_at("v1.25.0"),)
    return Rollout(
        LocalHost(), Permit("test"), deployment, PLAN, facts(), Wishes(), (STORES, UP), ahead=ahead
    )


def test_it_comes_before_the_new_versions_own_migrations(made):
    made.run()
    session: Any = made._session
    assert session.done == ["stores", "ahead_migrate", "ahead_work", "fill", "ahead_rest", "up"]
    stop, nothing = session.given
    assert "migrate_to=20250402135038" in stop
    assert "PopulateFeesWithBillingEntityIdJob" in stop
    # What the new version has to fill in itself is not that of the stop.
    assert nothing == ""


@pytest.mark.parametrize("step", ["ahead_migrate", "ahead_work", "fill", "ahead_rest"])
def test_what_fails_is_undone_and_named(made, step):
    made._session.fails = {step: "PG::CheckViolation"}
    with pytest.raises(NotDeployed, match="PG::CheckViolation"):
        made.run()
    assert made._session.done[-2:] == [step, "undo"]


def test_a_stop_says_which_images_can_do_its_work():
    by = {
        stop.tag: [tag for tag in ("v1.25.0", "v1.26.0", "v1.30.0", "v1.31.0") if stop.done_by(named(tag))]
        for stop in stops()
    }
    assert by["v1.25.0"] == ["v1.26.0", "v1.30.0"]
    assert not any(tags for tag, tags in by.items() if tag != "v1.25.0")


@pytest.mark.parametrize("tag", ["v1.29.0", "v1.26.0", "x"])
def test_another_release_is_refused(tag):
    with pytest.raises(UsageError, match=rf"{tag} is not a stop whose work .* there is: v1\.25\.0"):
        stop_at(tag)
