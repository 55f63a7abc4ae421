"""Rules about a change of Lago's version: what lies between the deployed release and the next one.

Each rule yields Violations about the new version.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import asdict

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, CLOCK, MIGRATE, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.release_changes import jump
from lago_acceptance.lago.release_table import Numbers, nearest
from lago_acceptance.lago.versions import tag_of, version_of
from lago_acceptance.model.changes import pairs
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, variable


def version_change(
    old: Model, new: Model, settings: Settings
) -> tuple[Service, Service, Numbers, Numbers] | None:
    """The service that migrates, before and after, with both versions; None where one isn't known."""
    for role in (MIGRATE, API, WORKER, CLOCK):
        for before, after in pairs(old, new, role):
            had, has = version_of(before, settings), version_of(after, settings)
            if had and has:
                return before, after, had, has
    return None


@rule(phase=0, needs_base=True)
def upgrade_skips_a_stop(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """An upgrade stops at each release where data has to be filled in first.

    Some migrations validate what jobs of an earlier release have filled in. On an empty database such an upgrade passes; with
    data it stops halfway. Other stops no migration validates: without them the upgrade succeeds, and old data stay incomplete.
    Where a stop's release is left, this is a warning: files don't show whether its jobs have run, `lago-acceptance
    upgrade-check HOST` does.
    """
    change = version_change(old, new, settings)
    if change is None:
        return
    before, after, had, has = change
    if objection := jump(had, has, tag_of(before), tag_of(after)):
        yield Violation(
            service=after,
            at=part(after, "image"),
            **asdict(objection),
        )


@rule(phase=0, needs_base=True)
def seeded_key_changes(old: Model, new: Model, settings: Settings) -> Iterator[Violation]:
    """The variable that holds the seeded API key's value is the one that the next version reads.

    Up to v1.15.2 and from v1.19.1 on it is LAGO_ORG_API_KEY, between them LAGO_API_KEY.
    """
    change = version_change(old, new, settings)
    if change is None:
        return
    had, has = nearest(change[2]), nearest(change[3])
    if had is None or has is None or had.seeded_key == has.seeded_key:
        return
    for service in new.of_role(MIGRATE, API):
        value, other = service.value(has.seeded_key), service.value(had.seeded_key)
        if service.value("LAGO_CREATE_ORG") == "true" and other and value and value != other:
            yield Violation(
                service=service,
                at=variable(service, has.seeded_key),
                severity=Severity.WARNING if unknown(value) or unknown(other) else None,
                problem=f"from {has.tag} on the seeded API key is {has.seeded_key}'s value; in {had.tag} it was "
                f"{had.seeded_key}'s, and here the two differ",
                impact="the next start adds a second API key with that value",
                fix=f"set {has.seeded_key} to the same key as {had.seeded_key}",
            )
