"""Rules about the commands that start the services."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.startup import may_be_copied_in, outcome_of
from lago_acceptance.lago.unseen_environment import front_url_at_start
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, part

START_SCRIPTS = {
    "start.sh",
    "start.api.sh",
    "start.worker.sh",
    "start.events.worker.sh",
    "start.pdfs.worker.sh",
    "start.clock.sh",
    "migrate.sh",
    "generate.rsa.sh",
}


@rule(phase=2)
def wrong_script_path(model: Model, settings: Settings) -> Iterator[Violation]:
    """The command is a script that exists in this version's image.

    Lago's scripts are ./scripts/start.api.sh, ./scripts/start.worker.sh, ./scripts/start.clock.sh,
    ./scripts/migrate.sh and a few more. Before v1.14 the migration was ./scripts/start.migrate.sh.
    """
    for service in lago(model):
        version = version_of(service, settings)
        if (
            service.built
            or service.working_dir not in ("", "/app")
            or version is None
            or version < (1, 10)
            or version >= (1, 30)
        ):
            continue
        for program in outcome_of(service, model).programs:
            path = program[0] if program else ""
            inside_app = path if path.startswith("/") else f"/app/{path.removeprefix('./')}"
            is_script = path.endswith(".sh") or "scripts/" in path
            if not is_script or service.mount_at(inside_app) or may_be_copied_in(inside_app, model):
                continue
            inside = path.removeprefix("/app/").removeprefix("./")
            known = START_SCRIPTS | ({"start.migrate.sh"} if version < (1, 14) else set())
            folder, _, name = inside.rpartition("/")
            if (
                folder != "scripts"
                or (name not in known and version < (1, 20))
                or (name == "start.migrate.sh" and version >= (1, 14))
            ):
                yield Violation(
                    service=service,
                    at=part(service, "command" if service.command else "entrypoint"),
                    problem=f"its image has no {path}",
                    impact="the container doesn't start: no such file or directory, exit 127",
                    fix="use ./scripts/migrate.sh"
                    if "migrate" in name
                    else "use ./scripts/start.api.sh, ./scripts/start.worker.sh or ./scripts/start.clock.sh",
                )


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
