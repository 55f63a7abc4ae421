"""Rules about the migration's command: that it migrates, that it ends, and that it says how it ended."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, MIGRATE
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.releases import release_of
from lago_acceptance.lago.start_scripts import scripts_of
from lago_acceptance.lago.startup import may_be_copied_in, outcome_of, script_text
from lago_acceptance.lago.versions import stock_image, version_of
from lago_acceptance.model.deployer import deployer
from lago_acceptance.model.deployment import COMPLETED, HEALTHY, Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import LONG_RUNNING, part, serves, start
from lago_acceptance.shell.exit_codes import codes
from lago_acceptance.shell.parser import is_broken, parse
from lago_acceptance.shell.words import SHELLS, name_of, option_set, shell_call, split

_MIGRATES = re.compile(
    r"scripts/(start\.)?(migrate|start)\.sh|db:(migrate|prepare|setup|reset|schema:load)\b"
)
_RAKE = re.compile(r"\b(rails|rake)\b")


@rule(phase=2, declared_only=True)
def never_completes(model: Model, settings: Settings) -> Iterator[Violation]:
    """What is waited for by service_completed_successfully ends.

    A service that serves never does. getlago/api without a command runs ./scripts/start.sh, which serves the API
    after the migration; a migration needs a command of its own.
    """
    for service in model.of_role(*LONG_RUNNING) if deployer(model).orders else ():
        waiting = [each.name for each in model.services if each.depends_on.get(service.name) == COMPLETED]
        if not waiting or not serves(service) or service.built:
            continue
        bare = service.role == API and not service.command
        release = release_of(service, settings)
        script = "start.migrate.sh" if release and "start.migrate.sh" in scripts_of(release) else "migrate.sh"
        yield Violation(
            service=service,
            at=part(service, "command") if service.command else part(service),
            problem=f"{', '.join(waiting)} {'wait' if len(waiting) > 1 else 'waits'} for it to complete, but "
            + ("without a command it serves the API and never ends" if bare else "it serves and never ends"),
            impact=f"{', '.join(waiting)} never {'start' if len(waiting) > 1 else 'starts'}, and `up` hangs",
            fix=f"add command: ./scripts/{script}"
            if bare
            else f"wait for it with condition: {HEALTHY}, or give it the command of a job that ends",
        )


@rule(phase=2)
def migration_does_not_migrate(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration's command runs the migrations.

    `db:create` makes an empty database, and `db:seed` fills one; `db:migrate` makes Lago's tables.
    """
    services = [service for service in model.of_role(MIGRATE, API) if stock_image(service)]
    if any(_may_migrate(service, model) for service in services):
        return
    for service in model.of_role(MIGRATE):
        if not stock_image(service):
            continue
        yield Violation(
            service=service,
            at=start(service),
            problem="its command doesn't run db:migrate",
            impact="the schema stays empty or old: /health answers 200, and every call answers 500",
            fix='use command: [bundle, exec, rails, "db:create", "db:migrate", "signup:seed_organization"]',
        )


def _may_migrate(service: Service, model: Model) -> bool:
    """Whether a service's command runs the migrations, or something that isn't known."""
    if not service.entrypoint and not service.command:
        return True
    programs = [" ".join(each) for each in outcome_of(service, model).programs]
    if service.role == API:
        return any(_MIGRATES.search(each) for each in programs)
    known = all(_RAKE.search(each) or "scripts/" in each for each in programs)
    return not programs or not known or any(_MIGRATES.search(each) for each in programs)


_MIGRATION = re.compile(r"db:(migrate|prepare|abort_if_pending)")


def _hides_failure(service: Service, model: Model, script_fails: bool) -> bool:
    """Whether a migration's command can exit 0 although the migration failed."""

    def fails(program: str, words: list[str]) -> bool:
        path = next((word for word in words if name_of(word) == program), "")
        if path.startswith("/") and (
            service.mount_at(path) or path.endswith(".sh") and may_be_copied_in(path, model)
        ):
            # A script of somebody's own that can't be read here.
            return True
        # The image's script stops at a failure only with `-e`.
        strict = name_of(words[0]) in (*SHELLS, "source", ".") and option_set(
            words[1:], "e", "errexit", False
        )
        script = program.endswith("migrate.sh") and (script_fails or strict)
        return script or any(_MIGRATION.search(word) for word in words)

    def script(path: str) -> str | None:
        text = script_text(service, model, path)
        first = text.splitlines()[0] if text else ""
        return None if first.startswith("#!") and "sh" not in first else text

    words = (*service.entrypoint, *service.command)
    text = shlex.join(words)
    known = "\n".join(filter(None, map(script, words)))
    return (
        bool(re.search(r"db:(migrate|prepare)|migrate\.sh", f"{text}\n{known}"))
        and _is_readable(words)
        and 0 in codes(text, fails, script)
    )


def _is_readable(words: tuple[str, ...]) -> bool:
    """Whether the texts that a command gives to shells can be read; nothing is known of how others end."""
    calls = [shell_call(words[at:]) for at, word in enumerate(words) if name_of(word) in SHELLS]
    for text in (call.text for call in calls if call.text is not None):
        root = parse(text)
        if root is None or is_broken(root) or not _is_readable(split(text)):
            return False
    return True


@rule(phase=2, severity=Severity.WARNING, follows=("wrong-script-path", "migrates-twice"))
def migrate_exit_0_always(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration fails with an exit code other than 0.

    Before v1.23.0 ./scripts/migrate.sh has no `set -e`: it exits 0 even if every migration failed, and with
    LAGO_CREATE_ORG its exit code is that of the seeding.
    """
    for service in model.of_role(MIGRATE):
        version = version_of(service, settings)
        old = version is not None and version < (1, 23)
        if not _hides_failure(service, model, script_fails=not old):
            continue
        script = old and re.search(r"scripts/(start\.)?migrate\.sh", service.full_command)
        seeded = script and service.value("LAGO_CREATE_ORG") == "true"
        yield Violation(
            service=service,
            at=start(service),
            problem="its exit code is "
            + (
                "that of the seeding"
                if seeded
                else "0, even if a migration fails"
                if script
                else "not that of the migration: it can be 0 after a failure"
            ),
            impact="Exited (0) proves nothing: the API may start on a half-migrated or empty schema",
            fix="run `bundle exec rails db:create db:migrate signup:seed_organization` as one command, or "
            "start the script with `set -e`",
        )
