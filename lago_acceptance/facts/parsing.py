"""The parts of what scripts/collect.sh prints, as facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess, RedisAnswers, decode
from lago_acceptance.facts.types import ComposeText, Container, Disk, Dump, Image, KeyFile
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.from_docker import observed_service


def image(line: str) -> Image:
    """An image from its line: the id, and its names."""
    id, *names = line.split()
    return Image(id, tuple(names))


def dump(line: str) -> Dump:
    """A dump from its line."""
    written, size, path = line.split("\t", 2)
    return Dump(path, float(written), int(size))


def log_sizes(containers: list[dict[str, Any]], text: str) -> dict[str, int]:
    """The bytes of each container's log with its rotated files, from "<size> <path>" lines; what can't be seen is
    left out.
    """
    sizes = {path: int(size) for size, path in (line.split("\t", 1) for line in text.splitlines() if line)}
    logs = {each["id"]: each.get("log_path") or "" for each in containers}
    return {
        id: sum(size for path, size in sizes.items() if path == log or path.startswith(f"{log}."))
        for id, log in logs.items()
        if log in sizes
    }


def container_from(raw: dict[str, Any], environment: dict[str, str]) -> Container:
    """A container from one object of the readings' templates and its (masked) variables."""
    state = raw.get("state") or {}
    health = state.get("Health") or {}
    tries = health.get("Log") or []
    labels = raw.get("labels") or {}
    return Container(
        id=raw["id"],
        name=raw["name"].lstrip("/"),
        project=labels.get("com.docker.compose.project", ""),
        service=observed_service(raw, environment),
        status=state.get("Status", ""),
        running=bool(state.get("Running")),
        restarting=bool(state.get("Restarting")),
        exit_code=int(state.get("ExitCode", 0)),
        error=state.get("Error", ""),
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=int(raw.get("restarts", 0)),
        started_at=state.get("StartedAt", ""),
        health=health.get("Status"),
        health_output=(tries[-1].get("Output", "") if tries else "").strip()[:300],
        image_id=raw.get("image_id", ""),
        addresses={
            name: options["IPAddress"]
            for name, options in (raw.get("networks") or {}).items()
            if options and options.get("IPAddress")
        },
        published={
            target: tuple((each.get("HostIp", ""), each.get("HostPort", "")) for each in bindings)
            for target, bindings in (raw.get("ports") or {}).items()
            if bindings
        },
    )


def declaration(text: str) -> tuple[Model | None, str]:
    """The model that Compose made of the files on the host, or why it could not."""
    if not text.strip():
        return None, ""
    try:
        return declared(json.loads(text[text.index("{") :])), ""
    except ValueError:
        return None, redact(text.strip())[:500]


def compose_text(line: str) -> ComposeText:
    """A compose or environment file from its line."""
    path, status, lines = (line.split("\t") + ["", ""])[:3]
    return ComposeText(path, status.split(" ")[0], tuple(int(number) for number in lines.split()))


def key_file(line: str) -> KeyFile:
    """A mounted file from its line."""
    parts = line.split("\t")
    path, mode, owner, size, kind = parts[:5]
    details = parts[5:] if len(parts) >= 9 else ["", "", "", ""]
    header, text, consistent, digest = details[:4]
    return KeyFile(
        path=path,
        mode=mode,
        owner=owner,
        size=int(size) if size.isdigit() else 0,
        kind=kind,
        header=header,
        text=text,
        consistent=consistent == "yes",
        digest="" if digest == _EMPTY_DIGEST else digest,
    )


_EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def disks(text: str) -> Iterator[Disk]:
    """The file systems of df's table."""
    for line in text.splitlines()[1:]:
        parts = line.split()
        if len(parts) >= 6 and parts[3].isdigit():
            yield Disk(parts[5], int(parts[3]) // 1024)


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
