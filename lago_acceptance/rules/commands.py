"""Rules about the commands that start the services."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, FRONT, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.releases import is_known, release_of
from lago_acceptance.lago.start_scripts import scripts_of
from lago_acceptance.lago.startup import may_be_copied_in, outcome_of
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, part


@rule(phase=2)
def wrong_script_path(model: Model, settings: Settings) -> Iterator[Violation]:
    """The command is a script that exists in this version's image.

    From 1.16.0 on Lago's scripts are ./scripts/start.api.sh, ./scripts/start.worker.sh, ./scripts/start.clock.sh,
    ./scripts/migrate.sh and a few more. Before, the migration was ./scripts/start.migrate.sh, and the API had only
    ./scripts/start.sh, which migrates, too.
    """
    for service in lago(model):
        version, release = version_of(service, settings), release_of(service, settings)
        if service.built or service.working_dir not in ("", "/app") or version is None or release is None:
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
                    at=part(service, "command" if service.command else "entrypoint"),
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

    Compose splits a command into words and executes the first one, so `export`, `&&` and `|` have no meaning.
    """
    from lago_acceptance.shell.words import needs_shell

    for service in lago(model):
        if needs_shell((*service.entrypoint, *service.command)):
            yield Violation(
                service=service,
                at=part(service, "command" if service.command else "entrypoint"),
                problem="its command uses shell syntax, but no shell runs it",
                impact="the container doesn't start (executable file not found), or passes the operators "
                "to the program as arguments",
                fix='wrap it: command: ["bash", "-ec", "..."], with $$ for each $',
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


@rule(phase=2, severity=Severity.WARNING)
def front_env_config_hardcoded(model: Model, settings: Settings) -> Iterator[Violation]:
    """The front's image generates env-config.js from API_URL.

    A mounted or hand-made env-config.js hides API_URL, or is overwritten at the next start.
    """
    for service in model.of_role(FRONT):
        mounted = any("env-config.js" in mount.target for mount in service.mounts)
        if mounted or "env-config.js" in service.full_command:
            yield Violation(
                service=service,
                at=part(service, "volumes" if mounted else "entrypoint" if service.entrypoint else "command"),
                problem="env-config.js is written by hand",
                impact="it hides API_URL, goes stale with the next version, or is overwritten at every start",
                fix="remove it, set API_URL, and let the image generate env-config.js",
            )
