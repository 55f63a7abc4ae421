"""``lago-acceptance settings``: what it prints of files and hosts, its exit codes, and bad input."""

from __future__ import annotations

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED, UNREACHABLE, USAGE
from lago_acceptance.core.settings import load
from lago_acceptance.deploy import placed
from lago_acceptance.model.deployment import Service
from tests.support.facts import container, facts

COMPOSE = """\
services:
  api:
    image: getlago/api:v1.20.0
    environment:
      LAGO_FRONT_URL: ${URL:-https://bill.acme.io}
  web:
    image: getlago/front:v1.20.0
"""


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A folder with a compose file, in which the command is run."""
    (tmp_path / "compose.yml").write_text(COMPOSE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, code: int, *words: str) -> tuple[str, str]:
    assert suite.main(["settings", *words]) == code, capsys.readouterr()
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_the_file_of_this_folder(there, capsys):
    out, err = said(capsys, ACCEPTED)
    assert 'front = "https://bill.acme.io"  # LAGO_FRONT_URL of api (compose.yml:5)\n' in out
    assert 'compose_file = "compose.yml"  # the file itself' in out and err == ""
    assert "bizoholic" not in out
    (there / "settings.toml").write_text(out)
    assert load(there / "settings.toml").hosts.front == "https://bill.acme.io"
    assert '"https://bill.acme.io"  # settings.toml' in said(capsys, ACCEPTED)[0]


def test_variables_of_another_file(there, capsys):
    (there / "prod.env").write_text("URL=https://other.acme.io\n")
    out, _ = said(capsys, ACCEPTED, "compose.yml", "--env-file", "prod.env")
    assert 'front = "https://other.acme.io"' in out and 'env_file = "prod.env"  # --env-file' in out


def test_defaults_are_printed_where_all_is_wanted(there, capsys):
    assert "queue_age" not in said(capsys, ACCEPTED)[0]
    assert "# queue_age = 60  # default" in said(capsys, ACCEPTED, "--all")[0]


def test_a_contradiction_is_the_exit_code(there, capsys):
    (there / "mine.toml").write_text('[hosts]\nfront = "elsewhere.acme.io"\n')
    out, err = said(capsys, NOT_ACCEPTED, "--settings", "mine.toml")
    assert (
        "# contradiction: mine.toml says elsewhere.acme.io, and LAGO_FRONT_URL of api (compose.yml:5) says"
        in out
    )
    assert "hosts.front contradicts itself" in err


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        ("hello", (), "not a compose file"),
        ("services: {}", (), "services"),
        ("services: {a: {image: nginx}}", (), "compose.yml has no service of Lago"),
        ("services: [", (), "compose.yml can't be used"),
        (COMPOSE, ("none.yml",), "none.yml does not exist"),
        (COMPOSE, ("--env-file", "none.env"), "--env-file none.env does not exist"),
        (COMPOSE, ("--project", "lago"), "are for a host"),
        (COMPOSE, ("ssh://root@host", "--env-file", "x"), "are for a compose file"),
        (COMPOSE, ("--settings", "none.toml"), "does not exist"),
        (COMPOSE, ("",), "it is empty"),
    ],
)
def test_bad_input(there, text, words, sentence, capsys):
    (there / "compose.yml").write_text(text)
    out, err = said(capsys, USAGE, *words)
    assert out == "" and sentence in err and err.count("\n") == 1


def test_two_files_in_a_folder(there, capsys):
    (there / "docker-compose.yml").write_text(COMPOSE)
    assert "has 2 compose files" in said(capsys, USAGE)[1]


# --- a host ---


def host(monkeypatch, seen):
    monkeypatch.setattr(placed, "observe", lambda *_, **__: seen)


def test_what_runs_on_a_host(there, capsys, monkeypatch):
    labels = {
        "com.docker.compose.project.working_dir": "/srv/lago",
        "com.docker.compose.project.config_files": "/srv/lago/compose.yml",
    }
    service = Service(
        name="api",
        image="getlago/api:v1.20.0",
        role="api",
        environment={"LAGO_FRONT_URL": "https://bill.acme.io"},
        labels=labels,
        container_name="lago-api-1",
    )
    own = container("api", service=service)
    host(monkeypatch, facts(own))
    out, _ = said(capsys, ACCEPTED, "local")
    assert "# LAGO_FRONT_URL of container lago-api-1" in out
    assert 'directory = "/srv/lago"' in out and 'env_file = ".env"' in out


def test_a_host_without_lago(there, capsys, monkeypatch):
    host(monkeypatch, facts())
    assert "no container of Lago on this machine" in said(capsys, UNREACHABLE, "local")[1]


def test_a_host_with_two(there, capsys, monkeypatch):
    seen = facts(project="", lagos={"one": "/srv/one", "two": "/srv/two"})
    host(monkeypatch, seen)
    assert (
        "2 Lago stacks are on this machine: one, two; say which one with --project"
        in said(capsys, USAGE, "local")[1]
    )
