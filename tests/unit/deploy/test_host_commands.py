"""lago-acceptance api-key and admin-password: bad input is one sentence with its exit code, and what is done is said."""

from __future__ import annotations

import io

import pytest

from lago_acceptance.cli import admin_password, api_key, suite
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED, USAGE
from lago_acceptance.core.settings import load
from tests.support.paths import DATA
from tests.support.pretended_lago import VARIABLE, PretendedLago, id_of


@pytest.fixture
def lago(tmp_path, monkeypatch) -> PretendedLago:
    made = PretendedLago(tmp_path, monkeypatch)
    for command in (api_key, admin_password):
        monkeypatch.setattr(command, "place", lambda host, file, project: (made.place, load(file)))
    monkeypatch.setattr("lago_acceptance.hosts.local.LocalHost", lambda: made)
    return made


# The digest of the old key begins with e8a3.


@pytest.fixture
def settings(tmp_path, lago):
    def write(more: str = 'container = "gateway"\n'):
        file = tmp_path / "settings.toml"
        section = f'[gateway]\nenv_file = "{lago.env_file}"\nvariable = "{VARIABLE}"\n{more}'
        file.write_text(f"{(DATA / 'settings.toml').read_text()}\n{section}")
        return str(file)

    return write


def said(capsys, code: int, *words: str) -> tuple[int, str, str]:
    assert suite.main(words) == code, capsys.readouterr()
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_the_list_names_keys_by_their_digests(lago, settings, capsys):
    out, _ = said(capsys, ACCEPTED, "api-key", "local", "--settings", settings())
    assert out.splitlines() == [
        "Acme: e8a3",
        f"the gateway's file {lago.env_file}: e8a3, a key that Lago knows",
        "the gateway's container: e8a3, a key that Lago knows",
    ]


def test_the_list_shows_a_gateway_whose_key_lago_does_not_have(lago, settings, capsys):
    lago.env_file.write_text(f"{VARIABLE}=typed-wrongly\n")
    out, _ = said(capsys, ACCEPTED, "api-key", "local", "--settings", settings())
    assert "unknown to Lago: every billing request fails" in out.splitlines()[1]


def test_without_a_section_the_list_says_where_a_gateway_may_have_its_key(lago, monkeypatch, capsys):
    place = lago.place
    monkeypatch.setattr(
        api_key,
        "place",
        lambda host, file, project: (type(place)(place.deployment, place.api, None), load(file)),
    )
    out, _ = said(capsys, ACCEPTED, "api-key", "local")
    assert "Acme: e8a3" in out
    assert "key and address hard-coded in its source" in out


def test_a_whole_rotation_says_what_it_does(lago, settings, capsys):
    words = ("--create", "--give", "--restart", "--revoke-old")
    out, _ = said(capsys, ACCEPTED, "api-key", "local", "--settings", settings(), *words)
    assert "is a new key of Acme" in out
    assert "the gateway runs with the key of its file, and Lago accepts it" in out
    assert "e8a3 is revoked: Lago refuses it, and accepts the gateway's key" in out
    assert lago.valid_keys == [lago.given] == ["new-key-1"]


def test_where_lago_seeds_the_old_key_the_new_one_has_to_be_copied(lago, settings, capsys):
    (lago.directory / ".env.lago").write_text(f"LAGO_API_KEY={lago.old_key}\n")
    words = ("--create", "--give", "--restart", "--revoke-old")
    out, _ = said(capsys, ACCEPTED, "api-key", "local", "--settings", settings(), *words)
    assert (
        ".env.lago has the new key too, because Lago seeds it at every start: copy it into the folder" in out
    )


@pytest.mark.parametrize(
    ("words", "next_step"),
    [
        (("--create",), "the gateway does not have it yet: lago-acceptance api-key local --give --key"),
        (("--create", "--give"), "until its container is recreated: lago-acceptance api-key local --restart"),
        (("--create", "--give", "--restart"), "still valid: lago-acceptance api-key local --revoke-old"),
        (("--revoke-old",), "no key to revoke: what the gateway had before is not a valid Lago key"),
    ],
)
def test_what_remains_to_do_is_said(words, next_step, lago, settings, capsys):
    out, _ = said(capsys, ACCEPTED, "api-key", "local", "--settings", settings(), *words)
    assert next_step in out


def test_a_key_of_another_organization_is_not_revoked(lago, settings, capsys):
    lago.alter(organizations=[*lago.state["organizations"], {"id": id_of(2), "name": "Other"}])
    words = ("--organization", "Other", "--create", "--give", "--restart", "--revoke-old")
    _, err = said(capsys, NOT_ACCEPTED, "api-key", "local", "--settings", settings(), *words)
    assert "the old key belongs to Acme, the new one to Other" in err
    assert lago.valid_keys == [lago.old_key] == [lago.given]


def test_a_login_that_lago_refuses_leads_to_the_container(lago, settings, monkeypatch, capsys):
    from lago_acceptance.clients.graphql import LoginRefused
    from lago_acceptance.deploy import api_keys

    def refused(*given):
        raise LoginRefused("Lago rejects admin@example.test with this password")

    monkeypatch.setattr(api_keys, "current", refused)
    monkeypatch.setenv("LAGO_ADMIN_EMAIL", "admin@example.test")
    monkeypatch.setenv("LAGO_ADMIN_PASSWORD", "a-wrong-password")
    out, _ = said(capsys, ACCEPTED, "api-key", "local", "--settings", settings(), "--give")
    assert "so the key is read in Lago's container" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--give",), "settings.toml has no [gateway] section"),
        (("--restart",), "settings.toml has no [gateway] section"),
        (("--revoke-old",), "settings.toml has no [gateway] section"),
        (("--create", "--key", "ab"), "give one of the two"),
        (("--key", "ab"), "add --give"),
    ],
)
def test_options_that_can_not_be_used(words, says, lago, capsys):
    _, err = said(capsys, USAGE, "api-key", "local", *words)
    assert says in err and err.count("\n") == 1


def test_a_gateway_without_a_container_is_not_restarted(lago, settings, capsys):
    _, err = said(capsys, USAGE, "api-key", "local", "--settings", settings(""), "--restart")
    assert "does not name the gateway's container" in err


def test_what_was_undone_is_an_error(lago, settings, capsys):
    lago.alter(broken="compose")
    words = ("--create", "--give", "--restart")
    _, err = said(capsys, NOT_ACCEPTED, "api-key", "local", "--settings", settings(), *words)
    assert "Everything is as it was" in err


# --- admin-password ---


def test_a_password_comes_by_standard_input(lago, settings, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("a-new-password\n"))
    out, _ = said(capsys, ACCEPTED, "admin-password", "local", "--email", "admin@example.test")
    assert out.splitlines()[-1] == "admin@example.test can log in with the new password"
    assert lago.state["users"][0]["password"] == "a-new-password"


def test_a_password_comes_from_a_file(lago, tmp_path, capsys):
    (tmp_path / "password").write_text("a-new-password\n")
    words = ("--email", "admin@example.test", "--password-file", str(tmp_path / "password"))
    said(capsys, ACCEPTED, "admin-password", "local", *words)
    assert lago.state["users"][0]["password"] == "a-new-password"


def test_a_password_that_was_typed_differently_changes_nothing(lago, monkeypatch, capsys):
    answers = iter(["a-new-password", "another-password"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    _, err = said(capsys, USAGE, "admin-password", "local", "--email", "admin@example.test")
    assert "the two passwords differ; nothing was changed" in err
    assert lago.state["users"][0]["password"] == "old-password"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), USAGE, "--email"),
        (("--email", "admin"), USAGE, "--email 'admin' is not an email address"),
        (
            ("--email", "a@b.test", "--password-file", "/nowhere"),
            USAGE,
            "/nowhere can't be read: No such file",
        ),
    ],
)
def test_an_address_or_a_file_that_can_not_be_used(words, code, says, lago, capsys):
    _, err = said(capsys, code, "admin-password", "local", *words)
    assert says in err and err.count("\n") == 1


def test_an_address_that_nobody_has_is_an_error(lago, tmp_path, capsys):
    (tmp_path / "password").write_text("a-new-password\n")
    words = ("--email", "nobody@example.test", "--password-file", str(tmp_path / "password"))
    _, err = said(capsys, NOT_ACCEPTED, "admin-password", "local", *words)
    assert "nobody has this address" in err
