"""What Redis answers to exactly the questions that collect.sh asks it."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable

from lago_acceptance.facts import redis_answers
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.script_output import ScriptOutput, begin, end
from lago_acceptance.facts.scripts import render
from tests.support.containers import Container, docker, listens
from tests.support.patience import PATIENCE

NONCE = "n0"


def asked(
    container: str, *, password: str = "", user: str = "", database: int = 0
) -> tuple[RedisAnswers | None, str]:
    """The answers of the Redis in a container, as facts have them."""
    script = render.script("collect.sh").removesuffix("collect </dev/null\n")
    ended = subprocess.run(
        ["sh", "-s", docker("inspect", "--format", "{{.Id}}", container)],
        input=f'{script}\nask_redis "$1" </dev/null\n',
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        env={
            "PATH": "/usr/bin:/bin",
            "nonce": NONCE,
            "redis_lua": render.script("sidekiq.lua"),
            "redis_user": user,
            "redis_password": password,
            "redis_database": str(database),
        },
    )
    printed = subprocess.run(
        ["awk", render.script("mask.awk")],
        input=f"{NONCE}\n{ended.stdout}",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        env={"LC_ALL": "C", "nonce": NONCE},
    )
    output = ScriptOutput("here", f"{begin(NONCE)}{printed.stdout}{end(NONCE)}", NONCE)
    return redis_answers.redis(output.named("redis:"))


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


class Server:
    """A Redis of its own, and one connection to it, which stays whatever Redis does to others."""

    def __init__(self, started: Container):
        self.container = started
        until(lambda: listens(started.address, 6379))
        self._socket = socket.create_connection((started.address, 6379), PATIENCE)
        self._answers = self._socket.makefile("rb")

    def __call__(self, *words: str) -> str:
        parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        self._socket.sendall(f"*{len(words)}\r\n{parts}".encode())
        line = self._answers.readline().decode().strip()
        if line.startswith("$"):
            return self._answers.read(int(line[1:]) + 2).decode().strip()
        return line

    def info(self, field: str) -> str:
        lines = (line.partition(":") for line in self("INFO").splitlines())
        return next((value.strip() for name, _, value in lines if name == field), "")
