"""What counts as back after a deploy that failed, on deployments that no host has."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.deploy import return_checks
from lago_acceptance.deploy.mistakes import MISTAKES, Mistake
from lago_acceptance.deploy.practice import Contents
from lago_acceptance.deploy.state import PastDeploy

BEFORE = Contents(
    rows={"system_identifier": "1", "customers": "2", "queued": "0", "schedule": "1", "processed": "7"},
    invoices=(("a", "finalized", 4900),),
    jobs=frozenset({"job\tone"}),
    services={"lago-api": "sha256:1 running 0"},
    volumes=("data", "jobs"),
    files={"docker-compose.lago.yml": "1"},
)
MISTAKE = Mistake("a mistake", lambda document, folder: None, "the cause")
SAID = "the cause of it.\nThe old version runs on."


class Made:
    """A deployment that holds ``BEFORE``, and after a mistake something else."""

    def __init__(self, after: Contents | None, report: str = SAID):
        self._after, self._report = after, report

    def ensure(self) -> Contents:
        return BEFORE

    def refusal(self, edit) -> str:
        return self._report

    def contents(self) -> Contents:
        if self._after is None:
            raise Unreachable("nobody answers")
        return self._after


class Down:
    """A deployment that was taken down, and what volumes and dump are there afterwards."""

    host = permit = settings = None
    run = SimpleNamespace(project="lago")

    def __init__(self, volumes: tuple[str, ...], dump: int | None = 7):
        self.volumes = volumes
        self._deploys = iter([(), (PastDeploy("one", dump=dump, identity=BEFORE.rows),)])

    @property
    def deploys(self) -> tuple[PastDeploy, ...]:
        return next(self._deploys)

    def ensure(self) -> Contents:
        return BEFORE


def ids(after: Contents | None, report: str = SAID) -> list[str]:
    return [finding.id for finding in return_checks.comes_back(Made(after, report), MISTAKE)]


def changed(**fields) -> Contents:
    return msgspec.structs.replace(BEFORE, **fields)


def test_what_is_as_before_is_back():
    assert ids(BEFORE) == []


@pytest.mark.parametrize(
    ("after", "id"),
    [
        (None, "rollback-not-back"),
        (changed(files={"docker-compose.lago.yml": "2"}), "rollback-not-back"),
        (changed(services={}), "rollback-not-back"),
        (changed(services={"lago-api": "sha256:2 running 0"}), "rollback-not-back"),
        (changed(services={"lago-api": "sha256:1 exited 1"}), "rollback-not-back"),
        (changed(rows=BEFORE.rows | {"customers": "1"}), "rollback-loses-data"),
        (changed(rows=BEFORE.rows | {"system_identifier": "2"}), "rollback-loses-data"),
        (changed(invoices=()), "rollback-loses-data"),
        (changed(invoices=(("a", "finalized", 1),)), "rollback-loses-data"),
        (changed(rows=BEFORE.rows | {"schedule": "0"}), "rollback-loses-jobs"),
        (changed(rows=BEFORE.rows | {"processed": "1"}), "rollback-loses-jobs"),
        (changed(jobs=frozenset()), "rollback-loses-jobs"),
    ],
)
def test_what_is_missing_is_found(after, id):
    assert ids(after) == [id]


def test_a_report_begins_with_the_cause():
    assert ids(BEFORE, "something else.\nthe cause") == ["mistake-not-named"]


def test_a_version_with_a_mistake_must_not_stay():
    assert ids(BEFORE, "") == ["mistake-deployed"]


def test_a_job_that_has_run_meanwhile_is_not_lost():
    assert ids(changed(rows=BEFORE.rows | {"schedule": "0", "processed": "8"})) == []


def test_mistakes_have_names_of_their_own():
    assert len({each.name for each in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize(
    ("left", "found"), [((), []), (("data", "another"), ["full-rollback-leaves-volumes"]), (("another",), [])]
)
def test_volumes_that_were_in_use_must_be_gone(monkeypatch, left, found):
    monkeypatch.setattr(return_checks, "take_down", lambda *_, **__: "")
    assert [each.id for each in return_checks.goes_down_and_leaves_a_dump(Down(left))] == found


def test_taking_everything_down_must_leave_a_dump(monkeypatch):
    monkeypatch.setattr(return_checks, "take_down", lambda *_, **__: "")
    assert [each.id for each in return_checks.goes_down_and_leaves_a_dump(Down((), dump=None))] == [
        "full-rollback-without-dump"
    ]
