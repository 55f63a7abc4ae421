"""What programs inside of the containers answered, as facts."""

from __future__ import annotations

import json
from typing import Any

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess, RedisAnswers, decode


def database(named: dict[str, str]) -> tuple[DatabaseAnswers | None, str]:
    """The answers of scripts/database.sql and of the signs, and what went wrong."""
    answers: dict[str, Any] = {}
    problems = []
    for text in named.values():
        for line in text.splitlines():
            name, tab, value = line.partition("\t")
            if tab and name.isidentifier():
                try:
                    answers[name] = json.loads(value)
                except json.JSONDecodeError:
                    problems.append(line)
            elif line.strip():
                problems.append(line.strip())
    signs = {name: answers[name] for name in answers if name not in DatabaseAnswers.__struct_fields__}
    found = decode(DatabaseAnswers, {**answers, "signs": signs}) if answers else None
    return found, redact("; ".join(problems))[:500]


def redis(named: dict[str, str]) -> tuple[RedisAnswers | None, str]:
    """What scripts/sidekiq.lua answered, or what was said instead."""
    for text in named.values():
        try:
            return decode(RedisAnswers, json.loads(text)), ""
        except json.JSONDecodeError:
            return None, redact(text.strip())[:300]
    return None, ""


def proxy(text: str) -> dict[str, Any] | None:
    """Traefik's routers and services, or None where its API doesn't answer."""
    parts = [json.loads(line) for line in text.splitlines() if line.strip().startswith("[")]
    return {"routers": parts[0], "services": parts[1]} if len(parts) == 2 else None


def lago_process(text: str) -> LagoProcess:
    """What scripts/lago_process.rb answered, or what was said instead as its ``error``."""
    try:
        return decode(LagoProcess, json.loads(text[text.index("{") :]))
    except ValueError:
        return LagoProcess(error=redact(text.strip())[-300:] or "nothing came in time")
