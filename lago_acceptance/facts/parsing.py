"""What programs inside of the containers answered, as facts."""

from __future__ import annotations

import json
from typing import Any

from lago_acceptance.core.secrets import redact


def database(named: dict[str, str]) -> tuple[dict[str, Any] | None, str]:
    """The answers of scripts/database.sql by their names, and what went wrong."""
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
    return answers or None, redact("; ".join(problems))[:500]


def redis(named: dict[str, str]) -> tuple[dict[str, Any] | None, str]:
    """What scripts/sidekiq.lua answered, or what was said instead."""
    for text in named.values():
        try:
            return json.loads(text), ""
        except json.JSONDecodeError:
            return None, redact(text.strip())[:300]
    return None, ""


def proxy(text: str) -> dict[str, Any] | None:
    """Traefik's routers and services, or None where its API doesn't answer."""
    parts = [json.loads(line) for line in text.splitlines() if line.strip().startswith("[")]
    return {"routers": parts[0], "services": parts[1]} if len(parts) == 2 else None


def json_or_error(text: str) -> dict[str, Any]:
    """A JSON object, or what was said instead as its ``error``."""
    try:
        return json.loads(text[text.index("{") :])
    except ValueError:
        return {"error": redact(text.strip())[-300:] or "nothing came in time"}
