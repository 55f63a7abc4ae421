"""Waivers at the vantage points: what is waived is shown and not red; an expired or unused waiver is red
itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.core.waivers import Waiver, WaiverFile, load
from tests.support import broken_deployments, suite_run


def entry(id: str, days: int = 7, role: str = "", reason: str = "known, fixed next week") -> str:
    """One waiver as it is written."""
    return (
        f'[[waiver]]\nid = "{id}"\nreason = "{reason}"\nexpires = {datetime.now(UTC).date() + timedelta(days)}\n'
        + (f'role = "{role}"\n' if role else "")
    )


def without_router_and_user(document: dict, folder: Path) -> None:
    """Two faults that have nothing to do with each other: a router without a service, a database that others reach."""
    broken_deployments.router_without_service(document, folder)
    document["services"]["lago-db"]["ports"] = ["5432:5432"]


@pytest.fixture
def gate(tmp_path):
    """Call it with waivers and a deployment's edit: the gate's verdict."""

    def judged(text: str, edit=without_router_and_user):
        file = tmp_path / "waivers.toml"
        file.write_text(text)
        given = broken_deployments.write(tmp_path / "deployment", edit)
        return suite_run.run(tmp_path / "reports", "-m", "gate", "--waivers", str(file), *given)

    return judged


BOTH = entry("router-service-not-linked") + entry("host-port-published")


def test_without_waivers_it_is_red(gate):
    result = gate("")
    assert result.code == 1 and "router-service-not-linked" in result.output


def test_what_is_waived_is_shown_and_not_red(gate):
    result = gate(BOTH)
    assert result.code == 0, result.output
    assert "2 waived" in result.output


def test_a_red_beside_a_waived_one_stays_red(gate):
    result = gate(entry("host-port-published"))
    assert result.code == 1
    assert "1 waived" in result.output and "1 failed" in result.output


def test_a_waiver_of_another_role_waives_nothing(gate):
    result = gate(entry("router-service-not-linked", role="front") + entry("host-port-published"))
    assert result.code == 1
    assert "router-service-not-linked" in result.output and "waiver-unused" in result.output


def test_an_expired_waiver_is_red_and_waives_nothing(gate):
    result = gate(entry("router-service-not-linked", days=-1) + entry("host-port-published"))
    assert result.code == 1
    assert "waiver-expired" in result.output and "router-service-not-linked" in result.output


def test_an_unused_waiver_is_red(gate):
    result = gate(entry("host-port-published"), edit=None)
    assert result.code == 1
    assert "waiver-unused" in result.output and "1 failed" in result.output


def test_a_waiver_holds_on_its_last_day(gate):
    assert gate(entry("router-service-not-linked", days=0) + entry("host-port-published", days=0)).code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[waiver]]\nid = 3\n", "needs id, reason and expires"),
        ('[[waiver]]\nid = "x"\nexpires = 2027-01-01\n', "reason"),
        ('[[waiver]]\nid = "db-routed"\nreason = " "\nexpires = 2027-01-01\n', "no reason"),
        ('[[waiver]]\nid = "x"\nreason = "y"\nexpires = "soon"\n', "needs id, reason and expires"),
        ("[[waiver", "not TOML"),
    ],
)
def test_a_waivers_file_that_can_not_be_used(text, words, tmp_path):
    file = tmp_path / "waivers.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=words):
        load(file, datetime.now(UTC).date())
    result = suite_run.run(tmp_path / "reports", "-m", "gate", "--waivers", str(file))
    assert result.code == 4 and words in result.output and "Traceback" not in result.output


def finding(id: str, role: str | None = None) -> Finding:
    """A finding of an id."""
    return Finding(id=id, role=role, problem="x", impact="x", fix="x")


def test_unused_is_judged_only_when_the_check_ran():
    book = WaiverFile((Waiver("disk-full", "known", date(2999, 1, 1)),), datetime.now(UTC).date())
    assert list(book.unused([], {}, whole=())) == []
    assert list(book.unused(["a::test_other"], {"disk-full": "a::test_disk"}, whole=())) == []
    assert [each.id for each in book.unused(["a::test_disk"], {"disk-full": "a::test_disk"}, whole=())] == [
        "waiver-unused"
    ]
    assert [each.id for each in book.unused([], {}, whole=registry.PHASES)] == ["waiver-unused"]
    assert book.waives(finding("disk-full", "db"), "a::test_disk") is not None
    assert list(book.unused(["a::test_disk"], {"disk-full": "a::test_disk"}, whole=registry.PHASES)) == []
