"""A new password for an administrator: Lago takes it, or the old one is valid as before."""

from __future__ import annotations

import json

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy.admin_password import PasswordReset, usable
from lago_acceptance.deploy.small_change import NotChanged
from tests.support.pretended_lago import PretendedLago

EMAIL = "admin@example.test"
NEW = 'new "password" \\ of $HOME, ü'


@pytest.fixture
def lago(tmp_path, monkeypatch) -> PretendedLago:
    return PretendedLago(tmp_path, monkeypatch)


def reset(lago: PretendedLago, email: str = EMAIL) -> None:
    with PasswordReset(lago, Permit("test"), lago.place, lambda line: None) as change:
        change.reset(email, usable(f"{NEW}\n"))
        change.accept()


def test_the_password_is_set_and_nothing_of_it_stays(lago):
    reset(lago)
    assert lago.state["users"][0]["password"] == NEW
    left = [
        path for path in lago.directory.rglob("*") if path.is_file() and path.name not in ("lock", "holder")
    ]
    assert left == []
    arguments = (lago.directory.parent / "tools" / "arguments").read_text()
    assert "exec" in arguments and NEW not in arguments and json.dumps(NEW) not in arguments


def test_a_password_that_lago_refuses_is_taken_back(lago):
    lago.alter(broken="login")
    with pytest.raises(
        NotChanged, match="Lago refuses the new password. Everything is as it was: the old password is"
    ):
        reset(lago)
    assert lago.state["users"][0]["password"] == "old-password"


def test_an_address_that_nobody_has(lago):
    with pytest.raises(
        NotChanged, match="the password was not changed: nobody has this address. Everything is as"
    ):
        reset(lago, "somebody@example.test")
    assert lago.state["users"][0]["password"] == "old-password"


@pytest.mark.parametrize("text", ["", "\n", "short\n", "two lines\nof it", "a\tcontrol character"])
def test_a_text_that_is_no_password(text):
    with pytest.raises(UsageError, match="one line of at least 8 characters"):
        usable(text)
