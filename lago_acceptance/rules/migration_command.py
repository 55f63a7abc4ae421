"""Rules about what the migration's command does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.roles import API, MIGRATE
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.startup import outcome_of
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part

_MIGRATES = re.compile(
    r"scripts/(start\.)?(migrate|start)\.sh|db:(migrate|prepare|setup|reset|schema:load)\b"
)
_RAKE = re.compile(r"\b(rails|rake)\b")


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
            at=part(service, "command" if service.command else "entrypoint"),
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
