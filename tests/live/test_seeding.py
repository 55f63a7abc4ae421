"""Seeding a live Lago: with the key that somebody gives, by file or login; and without one it is said how to
give it.
"""

from __future__ import annotations

import pytest

from tests.support import suite_run

pytestmark = [pytest.mark.stack, pytest.mark.docker]

SEED = ("-k", "test_seeding_worked", "--seed")


def test_a_file_gives_the_key(live_lago, tmp_path):
    plan = live_lago.lago.get("plans/growth", "plan")
    live_lago.lago.update("plans/growth", "plan", {**plan, "name": "Growth of another time", "charges": []})
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(live_lago.stack.api_key.reveal() + "\n")
    given = (*live_lago.options, "--api-key-file", str(key))
    told = suite_run.run(tmp_path / "told", "-m", "phase6", "-k", "plan or seeding_worked", "--seed", *given)
    assert told.red() == {"plan-drift"}, told.output
    assert {"name is 'Growth of another time'", "charges is []"} <= {
        part
        for check in told.summary["checks"]
        for each in check["findings"]
        for part in ("name is 'Growth of another time'", "charges is []")
        if part in each["problem"]
    }
    repaired = suite_run.run(
        tmp_path / "repaired", "-m", "phase6", "-k", "plan or seeding_worked", "--reseed", *given
    )
    assert repaired.code == 0, repaired.output
    assert live_lago.stack.api_key.reveal() not in told.output + repaired.output


def test_the_administrators_login_gives_the_key(live_lago, tmp_path):
    email, password = live_lago.stack.admin
    result = suite_run.run(
        tmp_path, *SEED, *live_lago.options, LAGO_ADMIN_EMAIL=email, LAGO_ADMIN_PASSWORD=password.reveal()
    )
    assert result.checks("passed") == ["test_seeding_worked"], result.output
    assert password.reveal() not in result.output


def test_without_a_key_it_is_red_and_said_how_to_give_one(live_lago, tmp_path):
    result = suite_run.run(tmp_path, "-m", "phase6", "--seed", *live_lago.options)
    assert result.code == 1 and result.red() == {"seeding-not-done"}, result.output
    found = result.finding("seeding-not-done")
    for word in ("LAGO_ADMIN_EMAIL", "--api-key-file", "LAGO_API_KEY"):
        assert word in found["problem"]
    assert "test_every_plan_of_the_catalogue_is_in_lago" in result.checks("blocked")


def test_a_wrong_key_is_red_with_lagos_answer(live_lago, tmp_path):
    result = suite_run.run(
        tmp_path, *SEED, *live_lago.options, LAGO_API_KEY="11111111-2222-4333-8444-555555555555"
    )
    assert result.code == 1, result.output
    assert "401" in result.finding("api-refused")["problem"]


def test_a_wrong_password_is_said_and_a_given_key_takes_its_place(live_lago, tmp_path):
    login = {"LAGO_ADMIN_EMAIL": "nobody@example.test", "LAGO_ADMIN_PASSWORD": "a-wrong-password"}
    result = suite_run.run(tmp_path / "1", *SEED, *live_lago.options, **login)
    assert "nobody@example.test" in result.finding("seeding-not-done")["problem"], result.output
    given = suite_run.run(
        tmp_path / "2", *SEED, *live_lago.options, **login, LAGO_API_KEY=live_lago.stack.api_key.reveal()
    )
    assert given.code == 0, given.output
