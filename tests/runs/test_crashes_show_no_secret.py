"""A run that crashes shows no secret: neither a variable, nor a message, nor what pytest would write down by itself."""

from __future__ import annotations

import secrets
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.canaries import LOUD

PLUGIN = """
import logging, os, sys, threading, warnings
from lago_acceptance.core.secrets import Secret

# Read from a file, as the suite reads a key: the source, which tracebacks quote, does not hold it.
CANARY = open({path!r}).read()
KNOWN = Secret(CANARY)
CRASH = {crash!r}


def crash(environment, canary):
    headers = {{"Authorization": f"Bearer {{canary}}", "X-Api-Key": canary}}
    reversed_headers = {{"a": canary[::-1], **headers}}
    whole = {{"environment": environment, "padding": "x" * 500, "headers": headers}}
    try:
        raise KeyError(f"::error::password={{canary}}\\x1b[31m")
    except KeyError as error:
        logging.getLogger("lago_acceptance").exception("failed with %s", canary)
        print("printed", canary)
        raise RuntimeError(f"{{canary[:20]}}\\n    {{canary[20:]}}") from error


def now():
    crash({{"DB_PWD": CANARY, "LAGO_API_KEY": CANARY}}, CANARY)


def pytest_collectstart(collector):
    if CRASH == "collection" and collector.name.endswith(".py"):
        now()


def pytest_runtest_setup(item):
    if CRASH == "check":
        now()
    if CRASH == "thread":
        thread = threading.Thread(target=now)
        thread.start()
        thread.join()
    if CRASH == "warning":
        warnings.warn(f"password={{CANARY}}")


def pytest_runtest_protocol(item):
    if CRASH == "hook":
        now()


def pytest_sessionfinish():
    if CRASH == "end":
        now()


def pytest_configure():
    if CRASH == "start":
        now()
"""
CRASHES = ["start", "collection", "hook", "check", "thread", "warning", "end"]


def everything(folder: Path) -> str:
    """What all files of a folder hold."""
    return "\n".join(path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def crashing(suite, tmp_path):
    """Call it with the place of a crash and options: the canary that was there, and the run's result."""

    def run(crash: str, *options: str):
        canary = f"c{secrets.token_hex(24)}"
        (tmp_path / "canary").write_text(canary)
        (tmp_path / "crashing.py").write_text(PLUGIN.format(path=str(tmp_path / "canary"), crash=crash))
        return canary, suite("-p", "crashing", "-m", "gate", *options, PYTHONPATH=str(tmp_path))

    return run


@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_shows_no_secret(crashing, tmp_path, crash):
    junit = tmp_path / "reports" / "junit.xml"
    canary, ended = crashing(
        crash,
        *LOUD,
        "--junitxml",
        str(junit),
        "--alluredir",
        str(tmp_path / "reports" / "allure"),
        "-k",
        "no-clock-service",
    )
    assert ended.code == (0 if crash in ("thread", "warning") else 3), ended.output
    said = ended.output + everything(tmp_path / "reports")
    assert "crash" in said or crash == "warning"
    # What the plugin itself prints does not pass through the suite.
    said = said.replace(f"printed {canary}", "")
    for part in (canary, canary[::-1], canary[:20], canary[20:]):
        assert part not in said, said[max(said.index(part) - 300, 0) :][:600]
    assert "\x1b" not in said and not [line for line in said.splitlines() if line.lstrip().startswith("::")]
    if crash != "start":
        assert ElementTree.parse(junit).getroot().tag == "testsuites"


@pytest.mark.parametrize("option", ["--debug", "PYTEST_DEBUG"])
def test_what_writes_everything_down_is_refused(suite, tmp_path, monkeypatch, option):
    ended = suite(
        "-m",
        "gate",
        *(["--debug"] if option == "--debug" else []),
        **({option: "1"} if "_" in option else {}),
    )
    assert ended.code == 4 and "--log-cli-level=DEBUG shows what the suite does" in ended.output, ended.output
    assert not Path("pytestdebug.log").exists()
