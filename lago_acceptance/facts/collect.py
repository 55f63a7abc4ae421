"""Takes the facts of a Docker host by one Reading, scripts/collect.sh."""

from __future__ import annotations

import json
import re
import secrets
import shlex
import time
from functools import cached_property
from importlib.resources import files
from typing import Any

import msgspec

from lago_acceptance.core.roles import as_awk
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts import parsing, signs
from lago_acceptance.facts.answers import LagoProcess
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host, ReadCommand

LOG_LINES = 2000
TOO, ONLY = "too", "only"
BEGIN, END = "facts begin", "facts end"
_LINE = re.compile(r"([a-z-]+(?::\w+)?)([ +])(.*)", re.DOTALL)


class _Sections:
    """The sections of scripts/collect.sh's output. What a login's profile prints before them is left out."""

    def __init__(self, host: Host, output: str):
        _, begun, rest = output.partition(BEGIN + "\n")
        told, ended, _ = rest.rpartition(END)
        if not begun or not ended:
            said = redact((rest or output).strip()[-200:]) if not begun else "it broke off"
            raise Unreachable(
                f"the facts of {host.name} did not arrive whole: {said or 'nothing came'}; try again"
            )
        collected: dict[str, list[str]] = {}
        for line in told.split("\n"):
            if found := _LINE.match(line):
                name, sign, text = found.groups()
                collected.setdefault(name, []).append(text if sign == "+" else f"{text}\n")
        # A letter may have been cut in two where a long line was.
        self._texts = {
            name: "".join(parts).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            for name, parts in collected.items()
        }

    def text(self, name: str) -> str:
        return self._texts.get(name, "")

    def named(self, prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): text for name, text in self._texts.items() if name.startswith(prefix)
        }

    @cached_property
    def environment(self) -> tuple[dict[str, dict[str, str]], str]:
        """The configured variables of each container, and Compose's JSON."""
        values: dict[str, dict[str, str]] = {}
        lines = []
        for line in self.text("environment").splitlines():
            if line.startswith("E\t"):
                _, container, name, value = line.split("\t", 3)
                values.setdefault(container, {})[name] = _unquoted(value)
            elif line.startswith("D\t"):
                lines.append(line[2:])
        return values, "\n".join(lines)


def _unquoted(value: str) -> str:
    try:
        return json.loads(f'"{value}"')
    except json.JSONDecodeError:
        return value


def reading(
    host: Host,
    *,
    project: str = "",
    wanted_directory: str = "",
    files_: tuple[str, ...] = (),
    env_files: tuple[str, ...] = (),
    directory: str = "",
    sources: tuple[str, ...] = (),
    backups: str = "",
    gateway_network: str = "",
    inside: str = "",
    environment: dict[str, str] | None = None,
) -> ReadCommand:
    """The Reading that gathers all facts of a host.

    Without a project it looks at the one that was started in ``wanted_directory``, else at the only one with
    Lago in it. ``backups`` is a file pattern of the host's shell. ``inside``: what the gateway on
    ``gateway_network`` and the API see of each other is looked at, too (TOO), or nothing else (ONLY).
    """
    folder = files("lago_acceptance.facts") / "scripts"

    def text(name: str) -> str:
        return (folder / name).read_text("utf-8")

    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in (environment or {}).items())
    return ReadCommand(
        "facts",
        exports + text("collect.sh"),
        {
            "project": project,
            "wanted_directory": wanted_directory,
            "backups": backups,
            "compose": host.compose_command,
            "files": "\n".join(files_),
            "env_files": "\n".join(env_files),
            "directory": directory,
            "sources": "\n".join(sources),
            "log_lines": str(LOG_LINES),
            "gateway_network": gateway_network,
            "inside": inside,
            "stranger": nobodys_key(),
            "plan": as_awk() + text("plan.awk"),
            "mask": text("mask.awk"),
            "gateway_sh": text("gateway_view.sh"),
            "lago_rb": text("lago_process.rb"),
            "redis_lua": text("sidekiq.lua"),
            "facts_sql": text("database.sql").replace("-- signs\n", signs.statements()),
        },
    )


def nobodys_key() -> str:
    """A key that no organization has."""
    return f"nobodys-key-{secrets.token_hex(8)}"


def observe(host: Host, **where: Any) -> Facts:
    """Take the facts of a host; see ``reading`` for the words that say where to look.

    Unreachable when Docker doesn't answer there.
    """
    asked = time.time()
    sections = _read(host, reading(host, **where))
    answered = time.time()
    environments, declaration = sections.environment
    raw = [json.loads(line) for line in sections.text("containers").splitlines() if line.strip()]
    containers = [parsing.container_from(each, environments.get(each["id"], {})) for each in raw]
    project = sections.text("project").strip()
    inside = {container.id for container in containers if project and container.project == project}
    started, ended = sections.text("clock").split()
    model, declaration_error = parsing.declaration(declaration)
    database, database_error = parsing.database(sections.named("database:"))
    redis, redis_error = parsing.redis(sections.named("redis:"))
    return Facts(
        project=project,
        lagos=dict(line.split("\t", 1) for line in sections.text("lagos").splitlines() if line),
        host_clock=_clock(ended),
        clock_drift=_beyond(
            _clock(ended) - answered, _clock(started) - asked + (0 if started[-1].isdigit() else 1)
        ),
        containers=tuple(container for container in containers if container.id in inside),
        others=tuple(container for container in containers if container.id not in inside),
        declaration=model,
        declaration_error=declaration_error,
        texts=tuple(
            parsing.compose_text(line) for line in sections.text("files").splitlines() if line.strip()
        ),
        sources=tuple(
            parsing.key_file(line) for line in sections.text("mounts").splitlines() if line.strip()
        ),
        disks=tuple(parsing.disks(sections.text("disk"))),
        networks=tuple(sections.text("networks").split()),
        volumes=tuple(sections.text("volumes").split()),
        images=tuple(
            dict.fromkeys(parsing.image(line) for line in sections.text("images").splitlines() if line)
        ),
        log_sizes=parsing.log_sizes(raw, sections.text("log-sizes")),
        dumps=tuple(parsing.dump(line) for line in sections.text("dumps").splitlines() if line),
        logs={name: redact(text) for name, text in sections.named("logs:").items()},
        database=database,
        database_error=database_error,
        redis=redis,
        redis_error=redis_error,
        lago=_lago(sections),
        fronts={name: redact(text) for name, text in sections.named("front:").items()},
        proxies={name: parsing.proxy(text) for name, text in sections.named("proxy:").items()},
        gateways=sections.named("gateway:"),
    )


def look_inside(host: Host, facts: Facts, gateway_network: str) -> Facts:
    """The facts with what gateway and API see of each other now. Unreachable when Docker doesn't answer there."""
    asked = reading(host, project=facts.project, gateway_network=gateway_network, inside=ONLY)
    sections = _read(host, asked)
    return msgspec.structs.replace(
        facts, lago=facts.lago | _lago(sections), gateways=sections.named("gateway:")
    )


def _read(host: Host, asked: ReadCommand) -> _Sections:
    sections = _Sections(host, host.read(asked))
    if problem := sections.text("docker-error"):
        raise Unreachable(_docker_sentence(host, problem))
    return sections


def _lago(sections: _Sections) -> dict[str, LagoProcess]:
    return {name: parsing.lago_process(text) for name, text in sections.named("lago:").items()}


def _docker_sentence(host: Host, problem: str) -> str:
    said = redact(problem.strip().splitlines()[-1] if problem.strip() else "it said nothing")
    if "permission denied" in problem:
        return (
            f"{host.name} does not let this user talk to Docker: {said}; add the user to the group docker, "
            f"or be root"
        )
    if any(
        sign in problem
        for sign in (
            "emplate",
            "unknown flag",
            "flag provided but not defined",
            "function",
            " too new",
            " too old",
        )
    ):
        return f"the Docker on {host.name} is too old to be asked ({said}); 20.10 and later are understood"
    if "not found" in problem:
        return f"{host.name} has no Docker; install Docker Engine there"
    return (
        f"Docker does not answer on {host.name}: {said}; start it (systemctl start docker) and look at its "
        f"log"
    )


def _clock(text: str) -> float:
    """What date printed; BusyBox's knows no fractions and prints their sign."""
    return float(text.rstrip("%N."))


def _beyond(least: float, most: float) -> float:
    """The smallest distance from 0 of what lies between two numbers."""
    return least if least > 0 else most if most < 0 else 0.0
