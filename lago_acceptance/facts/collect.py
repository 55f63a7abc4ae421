"""Takes the facts of a Docker host with one command, scripts/collect.sh."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Callable
from typing import Any

import msgspec

from lago_acceptance.core.roles import API, REDIS, WORKER
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Signs
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts import (
    answers,
    containers,
    instead,
    redis_answers,
    script_output,
    sections,
    signs,
)
from lago_acceptance.facts import upgrade as upgrades
from lago_acceptance.facts.answers import LagoProcess
from lago_acceptance.facts.late import late
from lago_acceptance.facts.script_output import ScriptOutput
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.hosts.base import Host, ReadCommand

LOG_LINES = 2000
TOO, ONLY = "too", "only"
# How long a look at a host may take, and how many times as long a second one.
SECONDS, PATIENCE = 30.0, 3


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
    bounds: Signs | None = None,
    environment: dict[str, str] | None = None,
    upgrade: str = "",
    patience: int = 1,
) -> ReadCommand:
    """The command that gathers all facts of a host.

    Without a project it takes the one that was started in ``wanted_directory``, else the only one with Lago in it.
    ``backups`` is a file pattern of the host's shell. ``inside``: the gateway on ``gateway_network`` and the API are
    queried from inside their containers as well (TOO), or nothing else is done (ONLY). ``bounds`` are those of the signs.
    Compose gets the variables of ``environment`` and no other of the host's. ``upgrade``: what an upgrade needs to know is read
    as well (TOO), or instead of PostgreSQL's signs and structure (ONLY). ``patience``: how many times as long an answer
    may take; above 1 one question is asked after the other.
    """
    given = environment or {}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items())
    return ReadCommand(
        "facts",
        exports + render.script("collect.sh"),
        {
            "nonce": script_output.new_nonce(),
            "project": project,
            "wanted_directory": wanted_directory,
            "backups": backups,
            "compose": host.compose_command,
            "files": "\n".join(files_),
            "env_files": "\n".join(env_files),
            "directory": directory,
            "sources": "\n".join(sources),
            "given": " ".join(given),
            "log_lines": str(LOG_LINES),
            "gateway_network": gateway_network,
            "inside": inside,
            "patience": str(patience),
            "stranger": nobodys_key(),
            "plan": render.script("plan.awk"),
            "mask": render.script("mask.awk"),
            "declares": render.script("declares.awk"),
            "gateway_sh": render.script("gateway_view.sh"),
            "elsewhere_rb": render.script("elsewhere.rb"),
            "lago_rb": render.script("lago_process.rb"),
            "jobs": upgrades.words_of_jobs() if upgrade else "",
            "redis_lua": render.script("sidekiq.lua"),
            "facts_sql": render.script("database.sql", whole=False)
            if upgrade == ONLY
            else signs.as_variables(bounds or Signs()) + render.script("database.sql"),
            "upgrade": upgrade,
            "upgrade_sql": render.script("upgrade.sql") if upgrade else "",
        },
        deadline=SECONDS * patience,
    )


def nobodys_key() -> str:
    """A key that no organization has."""
    return f"nobodys-key-{secrets.token_hex(8)}"


def observe(host: Host, settled: Callable[[], object] = bool, **where: Any) -> Facts:
    """Take the facts of a host; ``reading`` documents the keywords.

    Where something there did not answer in time, all is asked once more, with more time and one question after the
    other, when ``settled`` has returned: it waits for whatever else this run asks of the host. Unreachable when Docker
    doesn't answer there.
    """
    facts = _look(host, **where)
    if not late(facts):
        return facts
    settled()
    return _look(host, **where, patience=PATIENCE)


def _look(host: Host, **where: Any) -> Facts:
    asked, begun = time.time(), time.monotonic()
    output = _read(host, reading(host, **where))
    answered, taken = time.time(), time.monotonic() - begun
    # Where this machine's clock was set meanwhile, either of the two may be wrong.
    asked, answered = min(asked, answered - taken), max(answered, asked + taken)
    found = sections.parsed(output.text)
    clock = found.pop("clock")
    environments, printed = containers.environments(output.text("environment"))
    everything = containers.containers(output.text("containers"), environments)
    declaration, declaration_error = containers.declaration(printed)
    database, database_error = answers.database(output.named("database:"))
    scope = set(output.text("scope").split())
    own = tuple(each for each in everything if each.id in scope)
    redis, redis_error = redis_answers.redis(output.named("redis:"), _of_jobs(own))
    return Facts(
        **found,
        host_clock=clock.ended,
        clock_drift=clock.drift(asked, answered),
        containers=own,
        others=tuple(each for each in everything if each.id not in scope),
        declaration=declaration,
        declaration_error=declaration_error,
        logs={name: redact(text) for name, text in output.named("logs:").items()},
        database=database,
        database_error=database_error,
        redis=redis,
        redis_error=redis_error,
        lago=_lago(output),
        fronts={name: redact(text) for name, text in output.named("front:").items()},
        proxies={name: answers.proxy(text) for name, text in output.named("proxy:").items()},
        gateways=output.named("gateway:"),
        upgrade=upgrades.parsed("\n".join(output.named("upgrade:").values()), output.text("space")),
    )


def _of_jobs(own: tuple[Container, ...]) -> str:
    """The id of the deployment's container that REDIS_URL names, "" where none is."""
    urls = [service_url(each.service.value("REDIS_URL")) for each in own if each.role in (API, WORKER)]
    hosts = {url.host for url in urls if url}
    return next((each.id for each in own if each.role == REDIS and hosts & each.names), "")


def read_inside(host: Host, facts: Facts, gateway_network: str) -> Facts:
    """The facts, with what gateway and API see of each other now; what is late is asked for once more.

    Unreachable when Docker doesn't answer there.
    """
    for patience in (1, PATIENCE):
        asked = reading(
            host, project=facts.project, gateway_network=gateway_network, inside=ONLY, patience=patience
        )
        output = _read(host, asked)
        found = msgspec.structs.replace(
            facts,
            lago=facts.lago | _lago(output),
            gateways=output.named("gateway:"),
            logs=facts.logs | {name: redact(text) for name, text in output.named("logs:").items()},
        )
        if not late(found):
            break
    return found


def _read(host: Host, asked: ReadCommand) -> ScriptOutput:
    output = ScriptOutput(host.name, host.read(asked), asked.variables["nonce"])
    if problem := output.text("docker-error"):
        found = instead.parsed(output.text("instead"))
        raise Unreachable(instead.sentence(host.name, found) or _docker_sentence(host, problem))
    return output


def _lago(output: ScriptOutput) -> dict[str, LagoProcess]:
    return {name: answers.lago_process(text) for name, text in output.named("lago:").items()}


def _docker_sentence(host: Host, problem: str) -> str:
    said = redact(problem.strip().splitlines()[-1] if problem.strip() else "no error message")
    if "permission denied" in problem:
        return (
            f"{host.name} does not let this user talk to Docker: {said}; add the user to the group docker, "
            f"or log in as root"
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
        return f"the Docker on {host.name} is too old ({said}); install 20.10 or later"
    if "not found" in problem:
        return f"{host.name} has no Docker; install Docker Engine there"
    return (
        f"Docker does not answer on {host.name}: {said}; start it (systemctl start docker), and if that fails read "
        f"its log (journalctl -u docker)"
    )
