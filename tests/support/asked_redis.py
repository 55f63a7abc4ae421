"""What Redis answers to exactly the questions that collect.sh asks it."""

from __future__ import annotations

import subprocess

from lago_acceptance.facts import redis_answers
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.script_output import ScriptOutput, begin, end
from lago_acceptance.facts.scripts import render
from tests.support.containers import docker
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
