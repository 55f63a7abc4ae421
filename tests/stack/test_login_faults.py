"""Broken deployments in which nobody can log in: red in the check that names the cause, blocked where it is felt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.broken_deployments import RUBY_SERVICES, write
from tests.support.suite_run import Result, run

pytestmark = [pytest.mark.stack, pytest.mark.docker]

PHASES = "(phase2 or phase5) and (smoke or browser)"


def _front_url_missing_and_capitals(document: dict, folder: Path) -> None:
    for name in RUBY_SERVICES:
        document["services"][name]["environment"].pop("LAGO_FRONT_URL", None)
    document["services"]["lago-migrate"]["environment"]["LAGO_ORG_USER_EMAIL"] = "Admin@bizoholic.net"


def _api_url_empty(document: dict, folder: Path) -> None:
    front = document["services"]["lago-front"]
    front["environment"]["API_URL"] = ""
    # The shipped healthcheck would notice; a weaker one lets the page be looked at.
    front["healthcheck"]["test"] = ["CMD", "curl", "-fsS", "http://127.0.0.1/"]


def _no_key_is_seeded(document: dict, folder: Path) -> None:
    for name in RUBY_SERVICES:
        for variable in ("LAGO_ORG_API_KEY", "LAGO_API_KEY"):
            document["services"][name]["environment"].pop(variable, None)


def _broken(folder: Path, edit) -> Result:
    return run(folder / "reports", "-m", PHASES, *write(folder / "deployment", edit))


def _blocked_by(result: Result, name: str) -> str:
    check = next(check for check in result.summary["checks"] if check["name"].endswith(name))
    assert check["outcome"] == "blocked", check
    return check["reason"]


def test_a_missing_front_url_and_capitals_in_the_address_are_named(tmp_path):
    result = _broken(tmp_path, _front_url_missing_and_capitals)
    assert result.code == 1, result.output[-2000:]
    assert result.red(2) == {"cors-front-url-missing"}
    assert result.red(5) == {"admin-email-capitals"}
    assert "cors-front-url-missing" in _blocked_by(result, "test_a_wrong_password_is_refused")
    assert "test_the_login_page_is_there_and_offers_no_sign_up" in result.checks("passed", 5)


@pytest.mark.exhaustive
def test_an_empty_api_url_is_named(tmp_path):
    result = _broken(tmp_path, _api_url_empty)
    assert result.code == 1, result.output[-2000:]
    assert result.red(5) == set()
    assert any("front-api-url" in id for id in result.red(2))
    assert "front-api-url-missing" in _blocked_by(result, "test_the_administrator_logs_in_and_sees_the_plans")


@pytest.mark.exhaustive
def test_where_no_key_is_seeded_the_administrators_login_gives_it_and_the_gateway_is_unknown(tmp_path):
    marks = "phase4 or phase6 and not browser"
    result = run(tmp_path / "reports", "-m", marks, *write(tmp_path / "deployment", _no_key_is_seeded))
    assert result.code == 0, result.output[-3000:]
    assert {"test_seeding_worked", "test_seeding_twice_changes_nothing"} <= set(result.checks("passed", 6))
    assert result.checks("passed", 4) == [] and result.checks("blocked") == []
    reasons = {check["reason"] for check in result.summary["checks"] if check["phase"] == 4}
    assert all("LAGO_ORG_API_KEY" in reason and "--api-key-file" in reason for reason in reasons), reasons
