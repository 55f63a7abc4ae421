"""What speaks against going from one release of Lago straight to another: stops on the way, or a schema that stays newer.

The same words are used for compose files (rules/upgrades.py, rules/changes.py) and for a database (deploy/schema_change.py).
"""

from __future__ import annotations

import msgspec

from lago_acceptance.core.registry import Severity
from lago_acceptance.lago.release_table import Numbers, Release, nearest
from lago_acceptance.lago.schema_position import migrations_between
from lago_acceptance.lago.upgrades import (
    HALF_MIGRATED,
    Stop,
    due_before,
    fatal,
    numbers,
    skipped,
    stops,
)

SKIPS, GOES_BACK = "upgrade-skips-a-stop", "image-goes-back"
RESTORE = (
    "lago-acceptance rollback HOST restores the dump that the upgrade's deploy made, with what ran before; without one, restore a "
    "dump of your own (docs/runbooks/restore.md), or deploy the same or a newer release"
)


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why a change of the release should not be made, in a finding's words."""

    problem: str
    impact: str
    fix: str
    severity: Severity = Severity.ERROR


def jump(had: Numbers, has: Numbers, had_name: str, has_name: str) -> Objection | None:
    """What speaks against an upgrade in one step; None where nothing has to be filled in on the way.

    A stop that is left out is an error. What is due at the release that runs already can't be seen in files: a warning.
    """
    left_out, due = skipped(had, has), _due(had, has)
    if left_out:
        return Objection(
            problem=f"Lago goes from {had_name} straight to {has_name}, without stopping at {_tags(left_out)}",
            impact=_impact(had, has, left_out),
            fix=_path(had, has, left_out, due),
        )
    if due is None:
        return None
    return Objection(
        problem=f"going from {had_name} to {has_name} requires the data that is filled in at {due.tag}: {due.data}",
        impact=_if_undone(due, has),
        fix=f"verify that it is there: lago-acceptance upgrade-check HOST {_known(has)}; lago-acceptance upgrade-path "
        f"{due.tag} {_known(has)} shows what to run",
        severity=Severity.WARNING,
    )


def way_back(had: Numbers, has: Numbers, had_name: str, has_name: str) -> Objection | None:
    """What speaks against an older release on the database of a newer one; None where it isn't older.

    A warning where both have the same schema.
    """
    if not has < had:
        return None
    older, newer = nearest(has), nearest(had)
    undone = migrations_between(older, newer) if older and newer else 1
    problem = f"Lago goes back from {had_name} to {has_name}"
    if not undone:
        return Objection(
            problem=f"{problem}; both have the same schema",
            impact=f"what {had_name} corrected is wrong again, and jobs that only {had_name} knows die (NameError)",
            fix=f"deploy {had_name} again, or let its workers finish their jobs first",
            severity=Severity.WARNING,
        )
    return Objection(
        problem=f"{problem}, over {undone} migrations, and the database doesn't go back",
        impact=f"on the newer schema {HALF_MIGRATED}; the newer release's jobs die (NameError)",
        fix=RESTORE,
    )


def _due(had: Numbers, has: Numbers) -> Stop | None:
    """The stop whose work must have been done by now: one that a release on the way requires, or that of ``had`` itself."""
    return due_before(had, has) or next((each for each in stops() if each.version == had and had < has), None)


def _impact(had: Numbers, has: Numbers, left_out: tuple[Stop, ...]) -> str:
    if broken := fatal(had, has):
        return (
            f"on a database with data the migration fails at {broken[0].required_by}, halfway, and leaves a schema that fits neither "
            f"release: {HALF_MIGRATED}"
        )
    # No migration fails without these, so nothing says that the data is missing.
    return f"the upgrade succeeds, but old data lack {'; '.join(each.data for each in left_out)}, which {_known(has)} expects"


def _if_undone(due: Stop, has: Numbers) -> str:
    if due.required_by and numbers(due.required_by) <= has:
        return f"without it the migration fails at {due.required_by}, halfway: {HALF_MIGRATED}"
    return "without it the upgrade succeeds, but old data stay incomplete, and later releases expect them to be complete"


def _path(had: Numbers, has: Numbers, left_out: tuple[Stop, ...], due: Stop | None) -> str:
    start = min(had, due.version) if due else had
    order = ", in this order" if len(left_out) > 1 else ""
    also = f", after what {due.tag} needs has run" if due else ""
    return (
        f"stop at {_tags(left_out)}{order}{also}: lago-acceptance upgrade-path {_known(start)} {_known(has)} shows it with "
        "commands, lago-acceptance deploy HOST DIR --via walks it"
    )


def _tags(several: tuple[Stop, ...]) -> str:
    return ", ".join(each.tag for each in several)


def _known(version: Numbers) -> str:
    """The release as the commands take it: one that isn't known is judged like the nearest older one."""
    release: Release | None = nearest(version)
    return release.tag if release else "v" + ".".join(map(str, version))
