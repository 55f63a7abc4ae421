"""Looks for secrets in everything that a run leaves or shows: its output, its files, the commands of its processes."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import threading
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

# Of what is printed in parts, each part that is as long as this counts.
PART = 20
# A process may live for a moment only: the list is read again and again without a pause of any length.
PAUSE = 0.01

# For pytest: -p loud_crash. Ends one check with a crash that has all secrets in variables, messages and logs.
CRASH = """
import logging, pathlib


def crash(secrets):
    headers = [{{"Authorization": f"Bearer {{secret}}", "X-Api-Key": secret}} for secret in secrets]
    environment = {{f"DB_PWD_{{number}}": secret for number, secret in enumerate(secrets)}}
    logging.getLogger("lago_acceptance").error("%s", secrets)
    half = [f"{{secret[:16]}}\\n   {{secret[16:]}}" for secret in secrets]
    raise RuntimeError(f"{{secrets}} {{half}} {{headers}}")


{where}
"""
# In a check of the run itself, or where the gate judges a file: in a process that has read it.
IN_A_CHECK = """
def pytest_runtest_setup(item):
    if {name!r} in item.nodeid:
        crash(pathlib.Path({path!r}).read_text().split())
"""
IN_THE_GATE = """
from lago_acceptance.gate import engine

engine._found = lambda source, own: crash(pathlib.Path({path!r}).read_text().split())
"""
LOUD = [
    "-vvv",
    "-s",
    "-ra",
    "--showlocals",
    "--tb=long",
    "--full-trace",
    "--setup-show",
    "--durations=3",
    "--log-cli-level=DEBUG",
    "--show-capture=all",
]


def crash(folder: Path, secrets: Iterable[str], check: str = "") -> tuple[list[str], dict[str, str]]:
    """The options and variables of a run in which a check of this name, or else the gate, crashes with these secrets."""
    (folder / "canaries").write_text("\n".join(secrets))
    where = (IN_A_CHECK if check else IN_THE_GATE).format(name=check, path=str(folder / "canaries"))
    (folder / "loud_crash.py").write_text(CRASH.format(where=where))
    return ["-p", "loud_crash"], {"PYTHONPATH": str(folder)}


def secrets_of(folder: Path) -> dict[str, str]:
    """The secrets of a deployment of broken_deployments.py by name: its variables, and the lines of its key."""
    lines = (folder / ".env.lago").read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    names = ("PASSWORD", "SECRET", "_KEY", "SALT")
    found = {
        name: value for name, value in pairs.items() if any(map(name.count, names)) and "FILE" not in name
    }
    pem = (folder / "lago_rsa_private.pem").read_text().splitlines()[1:-1]
    return found | {f"line {number} of the key": line for number, line in enumerate(pem) if len(line) == 64}


def forms(secret: str) -> dict[str, str]:
    """How a secret could be recognized, by the name of its form."""
    raw = secret.encode()
    found = {
        "raw": secret,
        "base64": base64.b64encode(raw).decode().rstrip("=")[:-1],
        "base64, later": base64.b64encode(b"xx" + raw).decode().rstrip("=")[3:-1],
        "hex": raw.hex(),
        "percent": quote(secret, safe=""),
        "JSON": json.dumps(secret)[1:-1],
    }
    if len(secret) > PART:
        found |= {"begin": secret[:PART], "end": secret[-PART:]}
    return found


def seen(secrets: dict[str, str], text: str) -> list[str]:
    """Which secrets a text shows, and in which form: broken over lines or not."""
    joined = re.sub(r"[\s\\]|\\n", "", text)
    return [
        f"{name}, {form}"
        for name, secret in secrets.items()
        for form, written in forms(secret).items()
        if written in text or re.sub(r"[\s\\]", "", written) in joined
    ]


def contents(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and the text of every file of a folder, and of every file in its archives."""
    for path in sorted(folder.rglob("*")):
        if zipfile.is_zipfile(path) if path.is_file() else False:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", archive.read(name).decode("utf-8", "replace")
        elif path.is_file():
            yield path.name, path.read_text("utf-8", "replace")


@contextlib.contextmanager
def watched_commands() -> Iterator[list[str]]:
    """The commands of all processes of this machine, without those in containers, while a block runs."""
    commands: set[str] = set()
    found: list[str] = []
    ended = threading.Event()
    own = os.readlink("/proc/self/ns/pid")

    def watch() -> None:
        while not ended.wait(PAUSE):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    with contextlib.suppress(OSError):
                        if os.readlink(process / "ns" / "pid") == own:
                            commands.add((process / "cmdline").read_bytes().decode("utf-8", "replace"))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
        found += sorted(command.replace("\0", " ") for command in commands)
