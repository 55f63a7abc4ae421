"""Each command in README and docs works: it is run, or read by the program that it calls, or another test runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from lago_acceptance.cli.commands import COMMANDS
from tests.support import documented, forked_runs
from tests.support.documented import Line
from tests.support.forked_runs import Ended
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

LINES = documented.lines()
WORDS = [words for line in LINES for words in line.commands]
# What can't be run here, and the test that runs it, or why there is none.
RECIPE = "pytest -c tests/pytest.ini --rootdir tests"
ELSEWHERE = {
    f"{RECIPE} tests/gate -k webhooks-sent or webhooks_sent or webhook-attempts": "tests/docs/test_recipes.py",
    f"{RECIPE} tests/unit/checks/test_redis.py tests/unit/facts": "tests/docs/test_recipes.py",
    f"{RECIPE} tests/standins/test_billing_signs.py -k deleted": "tests/docs/test_recipes.py",
    "python -m pip wheel --no-deps --wheel-dir dist .": "tests/unit/test_package.py",
    "python -m venv /tmp/try": "tests/unit/test_package.py",
    "/tmp/try/bin/pip install dist/*.whl": "tests/unit/test_package.py",
    "/tmp/try/bin/lago-gate --version": "tests/unit/test_package.py",
    "/tmp/try/bin/lago-gate FILE": "tests/unit/test_package.py",
}
# With these each host is a run of its own, which is started whatever else is given.
ONE_BY_ONE = {"--inventory", "--metrics", "--nagios", "--part"}
# Programs of the system: known by name, and used as their manuals say.
SYSTEM = (
    "apt-get", "cd", "cp", "crontab", "df", "docker-compose", "free", "getent", "git", "grep", "install", "journalctl", "jq",
    "kubectl", "mkdir", "podman", "promtool", "python3", "ssh", "ssh-keygen", "ssh-keyscan", "ss", "systemctl",
    "systemd-analyze", "useradd", "usermod", "unset", "xargs",
)  # fmt: skip


class Here(NamedTuple):
    """The folder in which commands are run, and what runs those of this suite."""

    folder: Path
    runs: forked_runs.Runs


def run(*words: str | Path, folder: Path) -> Ended:
    ended = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "80"},
    )
    return Ended(ended.returncode, ended.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with all files that the documents name."""
    made = tmp_path_factory.mktemp("documented")
    shutil.copytree(ROOT / "compose", made, dirs_exist_ok=True)
    shutil.copytree(ROOT / "compose", made / "compose")
    shutil.copy(ROOT / "settings.toml", made)
    for name in ("FOLDER", "DIR", "reports"):
        shutil.copytree(ROOT / "compose", made / name)
    for name in ("FILE", "compose.yml"):
        shutil.copy(ROOT / "compose" / "docker-compose.lago.yml", made / name)
    (made / "compose.prod.yml").write_text("services: {lago-db: {init: true}}\n")
    (made / "mounted").mkdir()
    (made / "mounted" / "lago_rsa_private.pem").touch()
    (made / ".env.lago").write_text("LAGO_ORG_NAME=x\n")
    for command in (
        "init -q -b main",
        "add .",
        "-c user.name=x -c user.email=x@example.org commit -qm x",
        "update-ref refs/remotes/origin/main HEAD",
    ):
        assert _ended(run("git", *command.split(), folder=made), 0) == ""
    return made


@pytest.fixture(scope="module")
def here(folder) -> Iterator[Here]:
    with forked_runs.started() as runs:
        yield Here(folder, runs)


# --- how each program reads its words; a rule returns what is wrong ---


def _lago_acceptance(words: list[str], here: Here) -> str:
    words = [word.replace("/srv/lago/", f"{here.folder}/mounted/") for word in words]
    if words[0].startswith("-"):
        return _ended(here.runs("lago-acceptance", *words, folder=here.folder), 0)
    command = COMMANDS[words[0]]
    if command.name in ("explain", "list", "version", "completion", "gate") or "--help" in words:
        return _ended(here.runs("lago-acceptance", *words, folder=here.folder), 0, 1)
    if command.name in ("smoke", "live") and not ONE_BY_ONE.intersection(words):
        return _ended(here.runs("lago-acceptance", *words, "--collect-only", "-q", folder=here.folder), 0)
    _, rest = command.parser().parse_known_args(words[1:])
    # Hosts come first, and options of the suite are handed on.
    options = (
        COMMANDS["live"].parser().parse_known_args(rest)[1] if command.name in ("live", "nightly") else rest
    )
    unknown = [word for word in options if "://" not in word]
    return f"{command.name} does not know {unknown}" if unknown else ""


def _lago_gate(words: list[str], here: Here) -> str:
    return _ended(here.runs("lago-gate", *words, folder=here.folder), 0, 1)


def _pytest(words: list[str], here: Here) -> str:
    """From the checkout, as the documents say; but files of the deployment are those of the folder."""
    if any(word.startswith("/path/to/") for word in words):
        words = [word.replace("/path/to/lago-acceptance", str(ROOT)) for word in words]
    files = [
        str(here.folder / word) if (here.folder / word).is_file() and not (ROOT / word).exists() else word
        for word in words
    ]
    given = [re.sub(r"(?<=^--compose-file=)FILE$", str(here.folder / "FILE"), word) for word in files]
    return _ended(
        here.runs("pytest", "-c", str(ROOT / "pytest.ini"), *given, "--collect-only", "-q", folder=ROOT), 0
    )


def _make(words: list[str], here: Here) -> str:
    """Make says what it would run; what that is by pytest is read by pytest."""
    would = run("make", "-n", *words, folder=ROOT)
    if would.code:
        return would.output
    called = [
        line.commands[0]
        for text in would.output.splitlines()
        if "pytest -c pytest.ini" in text
        for line in [Line("make", text)]
    ]
    return "".join(_pytest(words[1:], here) for words in called)


def _pip(words: list[str], here: Here) -> str:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    pinned = (ROOT / "requirements.txt").read_text("utf-8")
    for word in words[1:]:
        name, _, wanted = word.partition(" @ ")[0].rstrip("]").partition("[")
        if unknown := set(filter(None, wanted.split(","))) - set(extras):
            return f"there is no extra {unknown}"
        if name not in (".", "lago-acceptance") and f"{name}==" not in pinned:
            return f"{name} is not a package that this project pins"
    return ""


def _docker(words: list[str], here: Here) -> str:
    command = [word for word in words if not word.startswith("-")][: 2 if words[0] in _DOCKER_GROUPS else 1]
    told = run("docker", *command, "--help", folder=here.folder).output
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    long = [word for word in flags if word.startswith("--")]
    short = [f"-{letter}" for word in flags if re.fullmatch(r"-[a-z]+", word) for letter in word[1:]]
    missing = [each for each in (*long, *short) if not re.search(rf"(?<![\w-]){each}(?![\w-])", told)]
    return (
        f"docker {' '.join(command)} has no {', '.join(missing)}"
        if missing and "compose" not in words
        else ""
    )


_DOCKER_GROUPS = ("network", "volume", "image", "system", "context", "compose")


def _here(program: str) -> Callable[[list[str], Here], str]:
    return lambda words, here: _ended(run(program, *words, folder=here.folder), 0)


def _system(words: list[str], here: Here) -> str:
    return ""


RULES: dict[str, Callable[[list[str], Here], str]] = {
    "lago-acceptance": _lago_acceptance,
    "lago-gate": _lago_gate,
    ".venv/bin/lago-acceptance": _lago_acceptance,
    ".venv/bin/pytest": _pytest,
    "pytest": _pytest,
    "make": _make,
    "pip": _pip,
    "/opt/lago-acceptance/bin/pip": _pip,
    "/opt/lago-acceptance/bin/lago-acceptance": _lago_acceptance,
    "docker": _docker,
    "sh": _here("sh"),
    "chmod": _here("chmod"),
    **dict.fromkeys(SYSTEM, _system),
}  # fmt: skip


def _ended(ended: Ended, *codes: int) -> str:
    return "" if ended.code in codes else f"exit code {ended.code}: {ended.output[-1600:]}"


def _named(words: list[str]) -> str:
    return " ".join(words)


def test_each_command_has_a_rule():
    assert len(WORDS) > 60
    named = {_named(words) for words in WORDS}
    assert [each for each in sorted(named - ELSEWHERE.keys()) if each.split()[0] not in RULES] == []
    assert ELSEWHERE.keys() - named == set()


def test_the_tests_of_commands_that_are_run_elsewhere_are_there():
    assert [each for each in ELSEWHERE.values() if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("line", sorted({line.text for line in LINES}))
def test_a_line_is_shell(line):
    assert _ended(run("bash", "-nc", line.replace("HOST|DUMP", "HOST"), folder=ROOT), 0) == ""


@pytest.mark.parametrize(
    "words",
    sorted({tuple(words) for words in WORDS if _named(words) not in ELSEWHERE and words[0] in RULES}),
    ids=" ".join,
)
def test_a_command_is_understood(words, here):
    assert RULES[words[0]](list(words[1:]), here) == ""


# --- output that is shown ---


def test_the_findings_that_the_readme_shows_are_those_of_such_a_file(folder):
    session = next(
        each for each in documented.sessions(ROOT / "README.md") if each.command.startswith("lago-gate")
    )
    broken = folder / "broken"
    broken.mkdir()
    text = (ROOT / "compose" / "docker-compose.lago.yml").read_text("utf-8")
    services = yaml.safe_load(text)["services"]
    clock = next(name for name in services if "clock" in name)
    text = re.sub(rf"^  {clock}:\n(?:    .*\n|\n)*", "", text, flags=re.MULTILINE)
    text = re.sub(r"(?m)^( *LAGO_API_URL:).*$", r"\1 http://lago-api:3000", text, count=1)
    (broken / "docker-compose.lago.yml").write_text(text)
    shown = run("lago-gate", "docker-compose.lago.yml", "--reports=", folder=broken).output.splitlines()
    place = re.compile(r":\d+|^ +\d+(?= \|)")
    at = 0
    for line in session.output:
        if line.strip() != "…":
            found = [place.sub("", each).strip() for each in shown[at:]]
            assert place.sub("", line).strip() in found, (line, shown)
            at += found.index(place.sub("", line).strip()) + 1


def test_fenced_blocks_name_their_language():
    unnamed = [
        (page.name, text[:60])
        for page in documented.PAGES
        for language, text in documented.fenced(page)
        if not language
    ]
    assert unnamed == []
