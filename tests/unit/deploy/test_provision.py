"""provision.sh: an old key is kept in every form that it has, nothing new is made beside what is in use."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import cycle

import pytest

from lago_acceptance.core.value_shapes import SHAPES
from lago_acceptance.lago.key_parsing import judge
from lago_acceptance.rules.helpers.misnamed import SIMILAR
from lago_acceptance.shell.values import AbstractValue
from tests.support.provisioning import (
    COMPOSE,
    IN_COMPOSE_FILES,
    IN_ENV_FILES,
    NOTHING,
    SCRIPT,
    SECRETS,
    SHELLS,
    UNUSABLE,
    Folder,
    digest,
    encoded,
    key,
    pem,
)

KEY = "LAGO_RSA_PRIVATE_KEY"


@pytest.fixture
def folder(tmp_path, request) -> Folder:
    return Folder(tmp_path, getattr(request, "param", "dash"))


def in_turn(cases):
    """Cases with the shells in turn: each shell sees a third of them."""
    return [
        pytest.param(shell, case, id=f"{case}-{shell}")
        for shell, case in zip(cycle(SHELLS), cases, strict=False)
    ]


every_shell = pytest.mark.parametrize("folder", SHELLS, indirect=True)


@pytest.mark.parametrize("name", [".env.lago", pytest.param(".env", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(("folder", "form"), in_turn(IN_ENV_FILES), indirect=["folder"])
def test_the_key_of_an_env_file_is_taken_in_every_form(folder, form, name):
    text = "".join(f"{each}={value}\n" for each, value in SECRETS.items())
    folder.has(name, f"LAGO_API_HOST=api.acme.test\n{KEY}={IN_ENV_FILES[form]()}\n{text}")
    said = folder.provision()
    assert folder.kept_key() == digest(key()) and digest(key()) in said
    assert folder.variables().items() >= {**SECRETS, "LAGO_API_HOST": "api.acme.test"}.items()
    assert KEY not in folder.env_file.read_text() and "BEGIN" not in folder.env_file.read_text()
    assert folder.key_file.stat().st_mode & 0o777 == folder.env_file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("folder", "form"), in_turn(IN_COMPOSE_FILES), indirect=["folder"])
def test_the_key_of_a_compose_file_is_taken_in_every_form(folder, form):
    folder.has_env()
    folder.has_compose(IN_COMPOSE_FILES[form]())
    said = folder.provision()
    assert folder.kept_key() == digest(key())
    assert "the RSA key is still in docker-compose.yml" in said


@pytest.mark.parametrize("written", ["export {}={}", "{} = {}", "  {}={}"])
def test_an_env_file_may_be_written_like_a_script(folder, written):
    folder.has_env()
    folder.has(
        ".env.lago",
        folder.env_file.read_text() + written.format("RSA_PRIVATE_KEY", encoded(pem(key()))) + "\n",
    )
    folder.provision()
    assert folder.kept_key() == digest(key())


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_with_carriage_returns_is_read(folder, line_end):
    folder.has_env(**{KEY: encoded(pem(key()))})
    folder.has(".env.lago", folder.env_file.read_text().replace("\n", line_end))
    folder.provision()
    assert folder.kept_key() == digest(key())


@every_shell
def test_the_key_of_the_containers_is_taken(folder):
    folder.has_container(**{KEY: encoded(pem(key()))}, **SECRETS)
    folder.has_env()
    assert "in container lago-api" in folder.provision()
    assert folder.kept_key() == digest(key())


def test_the_key_that_is_mounted_into_a_container_is_taken(folder, tmp_path):
    (tmp_path / "old.pem").write_text(pem(key()))
    folder.has_container(mounts=(("/run/lago/rsa_private.pem", str(tmp_path / "old.pem")),), **SECRETS)
    folder.has_env()
    folder.provision()
    assert folder.kept_key() == digest(key())


def test_containers_are_found_by_the_project_of_the_compose_file(folder):
    folder.has("docker-compose.lago.yml", "name: billing\nservices: {}\n")
    folder.has_container("label=com.docker.compose.project=billing", **{KEY: encoded(pem(key()))}, **SECRETS)
    folder.provision()
    assert folder.kept_key() == digest(key()) and folder.variables().items() >= SECRETS.items()


def test_another_key_than_the_containers_is_refused(folder):
    folder.has_container(**{KEY: encoded(pem(key()))}, **SECRETS)
    folder.has_env(**{KEY: encoded(pem(key(2)))})
    said = folder.refused()
    assert f"sha256 {digest(key())}: {KEY} in container lago-api" in said
    assert f"sha256 {digest(key(2))}: {KEY} in .env.lago" in said
    assert "keep the one of the containers" in said and "nothing was written" in said


def test_a_new_key_that_stands_beside_an_old_env_file_is_refused(folder):
    folder.has_env(**{KEY: encoded(pem(key()))})
    folder.has("lago_rsa_private.pem", pem(key(2)))
    said = folder.refused()
    assert digest(key()) in said and digest(key(2)) in said and "--key-from FILE" in said


def test_a_container_with_an_unusable_value_is_not_passed_over(folder):
    folder.has_container(**{KEY: encoded(pem(key()))[:900]}, **SECRETS)
    folder.has_env(**{KEY: encoded(pem(key()))})
    assert f"{KEY} in container lago-api is truncated" in folder.refused()


def test_the_same_key_in_several_places_is_one(folder):
    folder.has_env(**{KEY: encoded(pem(key()))})
    folder.has_compose(f"{KEY}: {encoded(pem(key(), old=True))}")
    folder.has("lago_rsa_private.pem", pem(key(), old=True))
    folder.provision()
    assert folder.key_file.read_text() == pem(key(), old=True)


@pytest.mark.parametrize(("folder", "case"), in_turn(UNUSABLE), indirect=["folder"])
def test_a_key_that_cannot_be_used_is_never_replaced_silently(folder, case):
    value, why = UNUSABLE[case]
    folder.has_env(**{KEY: value()})
    said = folder.refused()
    assert f"{KEY} in .env.lago is {why}" in said and "--new-key" in said and "--key-from FILE" in said


@pytest.mark.parametrize(("folder", "value"), in_turn(NOTHING), indirect=["folder"])
def test_a_key_is_made_where_there_was_none(folder, value):
    folder.has_env(**{KEY: value})
    assert "a new RSA key" in folder.provision()
    assert folder.kept_key()


@pytest.mark.parametrize("value", NOTHING)
def test_no_key_is_made_where_a_database_is(folder, value):
    folder.has_volume("lago_lago-db-data")
    folder.has_env(**{KEY: value})
    said = folder.refused()
    assert "Lago runs or ran here (volume lago_lago-db-data)" in said and "--new-key" in said


def test_the_volume_of_another_project_is_none_of_ours(folder):
    folder.has_volume("other_lago-db-data")
    folder.has_env()
    assert "a new RSA key" in folder.provision()


def test_no_key_is_made_where_containers_are(folder):
    folder.has_container(**SECRETS)
    folder.has_env()
    assert "its RSA key was not found" in folder.refused()


def test_nothing_is_made_while_docker_is_silent(folder):
    folder.has_docker()
    (folder.tools / "silent").touch()
    folder.has_env()
    assert "Docker does not answer" in folder.refused(code=6)


@pytest.mark.parametrize("name", ["lago_rsa.pem", "rsa_private.pem"])
def test_other_pem_files_are_named_and_not_taken(folder, name):
    folder.has_env()
    folder.has(name, pem(key()))
    assert f"may hold the old one: {name}" in folder.refused()
    folder.provision("--key-from", str(folder.at / name))
    assert folder.kept_key() == digest(key())


def test_a_key_in_a_comment_is_named_and_not_taken(folder):
    folder.has_env()
    folder.has(".env.lago", f"# {KEY}={encoded(pem(key()))}\n" + folder.env_file.read_text())
    assert "may hold the old one: line 1 of .env.lago" in folder.refused()


def test_a_pem_under_no_name_is_named_and_not_taken(folder):
    folder.has_env()
    indented = pem(key()).strip().replace("\n", "\n        ")
    folder.has("compose.yml", f"configs:\n  key:\n    content: |\n        {indented}\n")
    assert "may hold the old one: line 4 of compose.yml" in folder.refused()


@pytest.mark.parametrize("source", ["old.env", "old.yml", "old.txt", "old.pem"])
def test_the_operator_chooses_the_key(folder, source):
    folder.has_env(**{KEY: encoded(pem(key(2)))})
    folder.has("lago_rsa_private.pem", pem(key(3)))
    text = {
        "old.env": f"{KEY}={encoded(pem(key()))}\n",
        "old.yml": f"services:\n  api:\n    environment:\n      {KEY}: {encoded(pem(key()))}\n",
        "old.txt": encoded(pem(key())),
        "old.pem": pem(key()),
    }[source]
    folder.provision("--key-from", str(folder.has(source, text)))
    assert folder.kept_key() == digest(key())
    [old] = folder.at.glob("lago_rsa_private.pem.before-*")
    assert old.read_text() == pem(key(3)) and old.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "hello", f"{KEY}=changeme", "-----BEGIN RSA PRIVATE KEY-----\nMII"])
def test_a_chosen_file_without_a_key_is_refused(folder, text):
    folder.has_env()
    assert "holds no RSA key that Lago can use" in folder.refused("--key-from", str(folder.has("old", text)))


def test_the_operator_may_ask_for_a_new_key(folder):
    folder.has_env(**{KEY: encoded(pem(key()))[:900]})
    said = folder.provision("--new-key")
    assert folder.kept_key() in said and "until it has the new public half" in said


def test_the_gates_own_reader_takes_the_key_that_was_written(folder):
    folder.has_env(**{KEY: '"' + pem(key()).replace("\n", "\\n") + '"'})
    folder.provision()
    state, identity = judge(AbstractValue.of(encoded(folder.key_file.read_text())))
    assert (state, identity) == ("good", digest(key()))


WRONG_NAMES = {
    "SECRET_KEY": "SECRET_KEY_BASE",
    "LAGO_SECRET_KEY_BASE": "SECRET_KEY_BASE",
    "DB_PASSWORD": "POSTGRES_PASSWORD",
    "DATABASE_PASSWORD": "POSTGRES_PASSWORD",
    "PG_PASSWORD": "POSTGRES_PASSWORD",
    "PGPASSWORD": "POSTGRES_PASSWORD",
    "ENCRYPTION_PRIMARY_KEY": "LAGO_ENCRYPTION_PRIMARY_KEY",
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY": "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
    "ENCRYPTION_KEY_DERIVATION_SALT": "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    "LAGO_ORG_API_KEY": "LAGO_API_KEY",
    "API_KEY": "LAGO_API_KEY",
    "ORGANIZATION_NAME": "LAGO_ORG_NAME",
    "ADMIN_EMAIL": "LAGO_ORG_USER_EMAIL",
    "LAGO_ADMIN_PASSWORD": "LAGO_ORG_USER_PASSWORD",
}


@pytest.mark.parametrize("quote", ["", pytest.param("'", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(("folder", "wrong"), in_turn(WRONG_NAMES), indirect=["folder"])
def test_variables_under_wrong_names_are_carried_over(folder, wrong, quote):
    right = WRONG_NAMES[wrong]
    old = folder.has_env(
        **{KEY: encoded(pem(key())), right: None, wrong: f"{quote}{SECRETS[right]}{quote}"}
    ).read_bytes()
    said = folder.provision()
    assert folder.variables() == SECRETS
    assert f"{wrong} is now {right}" in said and SECRETS[right] not in said
    [kept] = folder.at.glob(".env.lago.before-*")
    assert kept.read_bytes() == old and kept.stat().st_mode & 0o777 == 0o600


def test_the_password_in_an_old_database_url_is_carried_over(folder):
    folder.has_env(
        **{KEY: encoded(pem(key()))},
        POSTGRES_PASSWORD=None,
        DATABASE_URL="postgres://lago:p%40ss@db:5432/lago",
    )
    said = folder.provision()
    assert folder.variables()["POSTGRES_PASSWORD"] == "p%40ss" and "p%40ss" not in said
    assert "POSTGRES_PASSWORD comes from DATABASE_URL in .env.lago" in said


def test_two_database_passwords_are_refused(folder):
    folder.has_env(DATABASE_URL="postgres://lago:other@db/lago")
    assert "POSTGRES_PASSWORD and the password in DATABASE_URL differ" in folder.refused()


def test_wrong_names_with_different_values_are_refused(folder):
    folder.has_env(SECRET_KEY_BASE=None, SECRET_KEY="one", RAILS_SECRET_KEY_BASE="two")
    said = folder.refused()
    assert (
        "SECRET_KEY_BASE has different values: SECRET_KEY in .env.lago and RAILS_SECRET_KEY_BASE in .env.lago"
        in said
    )


@pytest.mark.parametrize("name", sorted(set(SECRETS)))
def test_a_secret_that_was_in_use_is_never_made_anew(folder, name):
    folder.has_volume("lago_postgres")
    folder.has("lago_rsa_private.pem", pem(key()))
    folder.has_env(**{name: None})
    said = folder.refused()
    assert f"{name} was not found" in said and f"as {name}=..." in said


@pytest.mark.parametrize("name", sorted(set(SECRETS)))
def test_a_missing_secret_is_looked_up_in_the_containers(folder, name):
    folder.has_container(**{KEY: encoded(pem(key()))}, **SECRETS)
    folder.has_env(**{name: None})
    assert f"{name} comes from {name} in container lago-api" in folder.provision()
    assert folder.variables() == SECRETS


@pytest.mark.parametrize("order", [1, -1])
def test_what_lago_runs_with_counts_more_than_what_nothing_reads(folder, order):
    environment = {
        **SECRETS,
        KEY: encoded(pem(key())),
        "POSTGRES_PASSWORD": "stale",
        "DATABASE_URL": "postgresql://lago:right@db:5432/lago",
        "ENCRYPTION_PRIMARY_KEY": "it wins",
    }
    folder.has_container(**dict(list(environment.items())[::order]))
    folder.has_env(POSTGRES_PASSWORD=None, LAGO_ENCRYPTION_PRIMARY_KEY=None, DB_PASSWORD="never-read")
    folder.provision()
    assert folder.variables()["POSTGRES_PASSWORD"] == "right"
    assert folder.variables()["LAGO_ENCRYPTION_PRIMARY_KEY"] == "it wins"


def test_no_secret_is_made_beside_an_old_key(folder):
    folder.has_docker()
    folder.has_env(**{KEY: encoded(pem(key()))}, POSTGRES_PASSWORD=None)
    assert "POSTGRES_PASSWORD was not found" in folder.refused()


def test_a_secret_is_made_where_docker_shows_that_nothing_ran(folder):
    folder.has_docker()
    folder.has_env(POSTGRES_PASSWORD=None)
    assert "POSTGRES_PASSWORD was made" in folder.provision()


def test_no_secret_is_made_beside_others_where_docker_cannot_be_asked(folder):
    folder.has_env(POSTGRES_PASSWORD=None)
    assert "has been in use (.env.lago)" in folder.refused()


def test_encryption_keys_are_made_where_lago_ran_without(folder):
    without = {name: value for name, value in SECRETS.items() if "ENCRYPTION" not in name}
    folder.has_container(**{KEY: encoded(pem(key()))}, **without)
    folder.has_env(**{name: None for name in SECRETS if "ENCRYPTION" in name})
    folder.provision()
    assert all(len(folder.variables()[name]) == 32 for name in SECRETS if "ENCRYPTION" in name)


def test_a_value_that_differs_from_the_containers_is_named(folder):
    folder.has_container(**{KEY: encoded(pem(key()))}, **{**SECRETS, "SECRET_KEY_BASE": "another"})
    folder.has_env()
    assert (
        "SECRET_KEY_BASE in .env.lago differs from SECRET_KEY_BASE in container lago-api"
        in folder.provision()
    )


def test_secrets_are_found_in_an_old_compose_file(folder):
    folder.has_env(SECRET_KEY_BASE=None)
    folder.has_compose(f"SECRET_KEY_BASE: {SECRETS['SECRET_KEY_BASE']}\n      {KEY}: {encoded(pem(key()))}")
    folder.provision()
    assert folder.variables() == SECRETS


def test_public_names_come_from_the_old_addresses(folder):
    folder.has(
        ".env",
        f"{KEY}={encoded(pem(key()))}\nLAGO_API_URL=https://api.acme.test\nLAGO_FRONT_URL=https://acme.test/\n"
        + "".join(f"{name}={value}\n" for name, value in SECRETS.items()),
    )
    folder.provision()
    assert folder.variables()["LAGO_API_HOST"] == "api.acme.test"
    assert folder.variables()["LAGO_FRONT_HOST"] == "acme.test"


def test_variables_that_nothing_reads_are_named(folder):
    folder.has("docker-compose.lago.yml", "services: {api: {image: 'getlago/api:${LAGO_TAG}'}}\n")
    folder.has_env(LAGO_REDIS_URL="redis://x", LAGO_TAG="v1", COMPOSE_PROFILES="all")
    [named] = [line for line in folder.provision().splitlines() if "nothing reads" in line]
    assert named.endswith(": LAGO_REDIS_URL")


@every_shell
def test_a_fresh_folder_gets_both_files(folder):
    said = folder.provision()
    assert set(folder.files()) == {".env.lago", "lago_rsa_private.pem"}
    assert folder.kept_key() in said
    given = folder.variables()
    assert all(
        given[name] and given[name] not in said
        for name in SECRETS
        if name not in ("LAGO_ORG_NAME", "LAGO_ORG_USER_EMAIL")
    )
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", given["LAGO_API_KEY"])
    assert all(mode == "0o100600" for mode, _ in folder.files().values())


@every_shell
def test_the_second_call_changes_nothing_and_says_so(folder):
    folder.has_env(**{KEY: encoded(pem(key())), "SECRET_KEY_BASE": None, "SECRET_KEY": "5d" * 32})
    folder.provision()
    before = folder.files()
    assert "nothing had to change" in folder.provision()
    assert folder.files() == before


@every_shell
def test_the_script_runs_from_standard_input(folder):
    said = folder.provision(given=SCRIPT.read_bytes())
    assert folder.kept_key() in said


def test_the_script_alone_is_enough_beside_an_old_env_file(folder, tmp_path):
    alone = tmp_path / "provision.sh"
    alone.write_bytes(SCRIPT.read_bytes())
    folder.has_env(**{KEY: encoded(pem(key()))})
    subprocess.run(["sh", alone, folder.at], check=True, env={"PATH": folder.path}, capture_output=True)
    assert folder.kept_key() == digest(key())


def test_the_example_is_named_where_it_is_missing(folder, tmp_path):
    alone = tmp_path / "provision.sh"
    alone.write_bytes(SCRIPT.read_bytes())
    ended = subprocess.run(
        ["sh", alone, folder.at], env={"PATH": folder.path}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 4 and ".env.lago.example is missing" in ended.stderr
    assert folder.files() == {}


def test_the_files_that_the_deployment_lacks_are_named(folder):
    said = folder.provision()
    assert "docker-compose.lago.yml is missing" in said and "rsa_key.rb is missing" in said
    folder.has("docker-compose.lago.yml", "name: lago\n")
    folder.has("rsa_key.rb", "")
    assert "missing" not in folder.provision()


def test_open_files_are_closed(folder):
    folder.has_env().chmod(0o644)
    folder.has("lago_rsa_private.pem", pem(key())).chmod(0o640)
    assert folder.provision().count("mode 600") == 2
    assert {mode for mode, _ in folder.files().values()} == {"0o100600"}


@pytest.mark.parametrize("name", [".env.lago", "lago_rsa_private.pem"])
def test_symbolic_links_are_not_written_through(folder, tmp_path, name):
    target = tmp_path / "target"
    (folder.at / name).symlink_to(target)
    assert "symbolic link" in folder.refused(code=4)
    target.write_text(f"{KEY}={encoded(pem(key()))}\n" if name == ".env.lago" else pem(key(2)))
    before = target.read_bytes()
    if name == ".env.lago":
        target.write_text(
            target.read_text() + "".join(f"{each}={value}\n" for each, value in SECRETS.items())
        )
        before = target.read_bytes()
        folder.has("lago_rsa_private.pem", pem(key()))
        assert "symbolic link" in folder.refused(code=4)
    else:
        folder.has_env()
        folder.provision()
    assert target.read_bytes() == before and (folder.at / name).is_symlink()


def test_a_damaged_key_file_is_refused(folder):
    folder.has_env()
    folder.has("lago_rsa_private.pem", pem(key())[:900])
    assert "lago_rsa_private.pem is truncated" in folder.refused()


def test_an_empty_key_file_is_refused(folder):
    folder.has_env()
    folder.has("lago_rsa_private.pem", "")
    assert "lago_rsa_private.pem is empty" in folder.refused()


def test_a_damaged_key_file_gives_way_to_the_old_key(folder):
    folder.has_env(**{KEY: encoded(pem(key()))})
    folder.has("lago_rsa_private.pem", pem(key())[:900])
    said = folder.provision()
    assert folder.kept_key() == digest(key()) and "not used: lago_rsa_private.pem is truncated" in said
    [old] = folder.at.glob("lago_rsa_private.pem.before-*")
    assert old.read_text() == pem(key())[:900]


def test_the_key_file_that_the_env_file_names_counts(folder):
    (folder.at / "keys").mkdir()
    folder.has("keys/lago.pem", pem(key()))
    folder.has_env(LAGO_RSA_KEY_FILE="./keys/lago.pem")
    said = folder.provision()
    assert digest(key()) in said and not folder.key_file.exists()


def test_the_owner_of_an_old_env_file_keeps_it(folder):
    if os.geteuid():
        pytest.skip("giving files away needs root")
    os.chown(folder.has_env(**{KEY: encoded(pem(key()))}), 1234, 1234)
    folder.provision()
    assert (folder.env_file.stat().st_uid, folder.env_file.stat().st_mode & 0o777) == (1234, 0o600)


def test_the_shipped_files_beside_an_old_env_file_change_nothing(folder):
    for name in ("docker-compose.lago.yml", "rsa_key.rb", ".env.lago.example"):
        folder.has(name, (COMPOSE / name).read_text())
    folder.has_env(**{KEY: encoded(pem(key()))})
    said = folder.provision()
    assert folder.variables() == SECRETS and folder.kept_key() == digest(key())
    assert "missing" not in said and "nothing reads" not in said


def test_help_is_the_scripts_own_words():
    ended = subprocess.run(["sh", SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert "--key-from FILE" in ended.stdout and "set -euf" not in ended.stdout


def test_a_folder_in_place_of_a_file_is_named(folder):
    folder.key_file.mkdir()
    assert "is a folder (Docker makes one" in folder.refused(code=4)


@every_shell
@pytest.mark.parametrize("name", ["other", "lago_rsa_private.pem"])
def test_a_full_disk_leaves_nothing_behind(folder, name):
    """With another file there is room for .env.lago and none for the key; with the key, none for .env.lago."""
    if os.geteuid():
        pytest.skip("mounting needs root")
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={8 if name == 'other' else 4}k", "full", folder.at], check=True
    )
    try:
        folder.has(name, pem(key()))
        assert "its disk is full" in folder.refused(code=4)
    finally:
        subprocess.run(["umount", folder.at], check=True)


def test_a_folder_that_cannot_be_written_is_named(folder):
    if os.geteuid():
        pytest.skip("mounting needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,ro", "shut", folder.at], check=True)
    try:
        assert "can't be written" in folder.refused(code=4)
    finally:
        subprocess.run(["umount", folder.at], check=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--nonsense"], "there is no option --nonsense"),
        (["--key-from", "x", "--new-key"], "exclude each other"),
        (["--key-from", "/nowhere"], "is not a file that can be read"),
        (["/nowhere"], "one folder at a time"),
        (["--shipped", "/nowhere"], "has no .env.lago.example"),
    ],
)
def test_wrong_options_are_one_sentence(folder, options, said):
    output = folder.refused(*options, code=4)
    assert said in output and output.count("\n") == 1


def test_openssl_is_named_where_it_is_missing(tmp_path):
    folder = Folder(tmp_path, "busybox sh")
    (folder.tools / "openssl").unlink()
    assert "openssl is missing" in folder.refused(code=6)


def test_no_secret_is_an_argument_of_a_program(tmp_path):
    folder = Folder(tmp_path, "busybox sh")
    log = tmp_path / "arguments"
    for name in os.listdir(folder.tools):
        real = f"/usr/bin/busybox {name}" if name != "openssl" else "/usr/bin/openssl"
        (folder.tools / name).unlink()
        (folder.tools / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{log}\nexec {real} "$@"\n')
        (folder.tools / name).chmod(0o755)
    folder.has_container(**{KEY: encoded(pem(key()))}, **SECRETS)
    folder.has_env(
        POSTGRES_PASSWORD=None,
        SECRET_KEY_BASE=None,
        SECRET_KEY="another-secret",
        **{KEY: encoded(pem(key()))},
    )
    said = folder.provision() + log.read_text()
    body = pem(key()).splitlines()[2]
    secrets = [v for name, v in SECRETS.items() if name not in ("LAGO_ORG_NAME", "LAGO_ORG_USER_EMAIL")]
    assert not [each for each in [*secrets, "another-secret", body, encoded(pem(key()))[:60]] if each in said]
    assert "genpkey" not in said and "pkey -passin" in said


def test_the_names_and_placeholders_are_those_of_the_gate():
    text = SCRIPT.read_text()
    [placeholder] = [shape for shape in SHAPES if shape.name == "placeholder"]
    assert f"placeholders='{'|'.join(placeholder.expressions)}'" in text
    for name in ("SECRET_KEY_BASE", "DATABASE_URL"):
        assert f'"{SIMILAR[name].pattern}"'.replace(r"\w", "[A-Za-z0-9_]") in text


def test_every_variable_of_the_example_is_known():
    example = (COMPOSE / ".env.lago.example").read_text()
    [names] = re.findall(r'split\("([A-Z_ ]+)"', SCRIPT.read_text())
    assert names.split() == re.findall("^([A-Z_]+)=", example, re.MULTILINE)
