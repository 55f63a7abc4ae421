"""Rules about the commands that start the services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from posixpath import join, normpath

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.releases import is_known, release_of
from lago_acceptance.lago.sidekiq import changes_folder, without_bundler
from lago_acceptance.lago.start_scripts import scripts_of
from lago_acceptance.lago.startup import may_be_copied_in, outcome_of
from lago_acceptance.lago.unseen_environment import front_url_at_start
from lago_acceptance.lago.versions import stock_image, version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, part, start
from lago_acceptance.rules.helpers.data_stores import services_of
from lago_acceptance.shell.words import name_of


@rule(phase=2, follows=("migrates-twice",))
def wrong_script_path(model: Model, settings: Settings) -> Iterator[Violation]:
    """The command is a script that exists in this version's image.

    From 1.16.0 on Lago's scripts are ./scripts/start.api.sh, ./scripts/start.worker.sh, ./scripts/start.clock.sh,
    ./scripts/migrate.sh and a few more. Before, the migration was ./scripts/start.migrate.sh, and the API had only
    ./scripts/start.sh, which migrates, too.
    """
    for service in lago(model):
        version, release = version_of(service, settings), release_of(service, settings)
        if not stock_image(service) or service.working_dir not in ("", "/app") or not version or not release:
            continue
        known = scripts_of(release)
        for program in outcome_of(service, model).programs:
            path = program[0] if program else ""
            inside_app = path if path.startswith("/") else f"/app/{path.removeprefix('./')}"
            is_script = path.endswith(".sh") or "scripts/" in path
            if not is_script or service.mount_at(inside_app) or may_be_copied_in(inside_app, model):
                continue
            folder, _, name = inside_app.removeprefix("/app/").rpartition("/")
            unheard_of = name not in known and is_known(version) and not name.endswith(".dev.sh")
            if "$" not in path and (folder != "scripts" or unheard_of):
                yield Violation(
                    service=service,
                    at=start(service),
                    problem=f"its image has no {path}",
                    impact="the container doesn't start: no such file or directory, exit 127",
                    fix=_right_script(name, service.role, known),
                )


def _right_script(name: str, role: str | None, known: frozenset[str]) -> str:
    """The remedy for a script that isn't there."""
    if "migrate" in name:
        return f"use ./scripts/{'migrate.sh' if 'migrate.sh' in known else 'start.migrate.sh'}"
    own = {
        API: "start.api.sh" if "start.api.sh" in known else "start.sh",
        WORKER: get_close_matches(name, [each for each in known if "worker" in each], 1, 0)[0],
        CLOCK: "start.clock.sh",
    }
    return f"use ./scripts/{own.get(role or '', 'start.sh')}"


@rule(phase=2)
def command_needs_shell(model: Model, settings: Settings) -> Iterator[Violation]:
    """A command with shell syntax runs in a shell.

    Compose splits a command into words and executes the first one, so `export`, `&&`, `;` and `|` have no meaning.
    """
    from lago_acceptance.shell.words import needs_shell

    for service in (*lago(model), *services_of(model, DB, REDIS, PDF, FRONT)):
        words = (*service.entrypoint, *service.command)
        if service.role in (DB, REDIS, PDF) and name_of(words[0] if words else "") == "docker-entrypoint.sh":
            words = words[1:]
        if service.role == FRONT:
            words = service.entrypoint
        if needs_shell(words):
            yield Violation(
                service=service,
                at=start(service),
                problem="its command uses shell syntax, but no shell runs it",
                impact="the container doesn't start (executable file not found), or passes the operators "
                "to the program as arguments",
                fix=f'wrap it: command: ["{_shell_in(service)}", "-ec", "..."], with $$ for each $',
            )


def _shell_in(service: Service) -> str:
    """A shell that the image has."""
    return "sh" if service.role in (DB, REDIS, PDF) else "bash"


@rule(phase=2)
def clock_file_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The file that clockwork is given is in the image: /app/clock.rb is the only one."""
    for service in model.of_role(CLOCK):
        if not stock_image(service) or changes_folder(service):
            continue
        for program in outcome_of(service, model).programs:
            words = without_bundler(program)
            if not words or name_of(words[0]) not in ("clockwork", "clockworkd") or "$" in " ".join(words):
                continue
            given = next((word for word in words[1:] if not word.startswith("-")), "")
            path = normpath(join(service.working_dir or "/app", given))
            if path in ("/app/clock.rb", "/app/clock") or service.mount_at(path):
                continue
            yield Violation(
                service=service,
                at=start(service),
                problem=f"its image has no {given}" if given else "clockwork gets no file to run",
                impact="the clock exits at once and restarts forever: nothing recurring is billed",
                fix="use ./scripts/start.clock.sh, or bundle exec clockwork ./clock.rb",
            )


@rule(phase=2)
def api_bound_to_loopback(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API listens on all addresses of its container, not on 127.0.0.1 alone."""
    for service in model.of_role(API):
        for program in outcome_of(service, model).programs:
            words = without_bundler(program)
            if not words or name_of(words[0]) not in ("rails", "puma") or service.network_mode:
                continue
            bound = re.search(
                r"(?:-b|--binding|--bind)[ =]?(?:tcp://)?\[?(127\.[\d.]+|localhost|::1)\b", " ".join(words)
            )
            if not bound:
                continue
            yield Violation(
                service=service,
                at=start(service),
                problem=f"the API listens on {bound[1]} only",
                impact="no other container reaches it: the proxy answers 502, and the UI can't log in",
                fix="use ./scripts/start.api.sh, or rails s -b 0.0.0.0",
            )


@rule(phase=2, declared_only=True)
def front_command_ignored_by_entrypoint(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front has no `command`.

    The entrypoint of its image ignores a command.
    """
    for service in model.of_role(FRONT):
        if service.command and not service.entrypoint and not service.built:
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem="the front has a `command`, which the entrypoint of its image ignores",
                impact="the command never runs, without any error",
                fix="remove `command`; configure the front by API_URL",
            )


@rule(phase=2, declared_only=True, follows=("front-env-config-hardcoded", "command-needs-shell"))
def front_skips_env_config(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front's start script runs, and writes env-config.js from API_URL.

    The image's own entrypoint runs ./.env.sh before nginx. An `entrypoint` of the compose file takes its place.
    """
    for service in model.of_role(FRONT):
        written = any("env-config" in mount.target for mount in service.mounts)
        text = service.full_command
        if service.built or written or not service.entrypoint or re.search(r"env\.sh|env-config", text):
            continue
        if not re.search(r"\bnginx\b", text) or any(service.mount_at(word) for word in service.entrypoint):
            continue
        yield Violation(
            service=service,
            at=part(service, "entrypoint"),
            problem="its entrypoint starts nginx without ./.env.sh, which writes env-config.js",
            impact="API_URL never reaches the browser: the UI loads, but can't log in",
            fix="remove `entrypoint`, or run ./.env.sh first",
        )


@rule(phase=2, severity=Severity.WARNING)
def front_env_config_hardcoded(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front's image generates env-config.js from API_URL.

    A mounted or hand-made env-config.js hides API_URL, or is overwritten at the next start. One that is written from a
    variable when the container starts does no harm.
    """
    for service in model.of_role(FRONT):
        mounted = any(mount.target.endswith("env-config.js") for mount in service.mounts)
        by_hand = "env-config.js" in service.full_command and front_url_at_start(service, model) is None
        if mounted or by_hand:
            yield Violation(
                service=service,
                at=part(service, "volumes" if mounted else "entrypoint" if service.entrypoint else "command"),
                problem="env-config.js is written by hand",
                impact="it hides API_URL, goes stale with the next version, or is overwritten at every start",
                fix="remove it, set API_URL, and let the image generate env-config.js",
            )
