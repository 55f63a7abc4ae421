"""Check that the data holds what the migrations of the next release validate."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.upgrade import (
    Aim,
    aim_of,
    answers,
    command,
    is_open,
    lacks,
    listed,
    stop_before,
    whole,
)
from lago_acceptance.checks.upgrade.jobs import DEAD, NEVER, job_of, told_by
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Vantage
from lago_acceptance.core.roles import DB
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.release_table import Release
from lago_acceptance.lago.upgrades import Constraint


@registry.check(
    phase=8,
    vantage=(Vantage.LIVE,),
    errors={"upgrade-constraint-open": "All rows hold what the next release's migrations validate."},
)
def hold(facts: Facts, to: Release | None) -> Iterator[Finding]:
    """No row is left without what the migrations of the next release validate, which is filled in at a stop before.

    On such a row the migration ends with PG::CheckViolation, and leaves a schema between two releases. Rows are counted by an
    index or in small tables; of large tables without one, PostgreSQL's statistics say about how many there are.
    """
    aim = aim_of(facts, to)
    whole(facts, "the data is between two releases, as the schema is")
    found = answers(facts)
    told: set[str] = set()
    shown = False
    for required_from in dict.fromkeys(each.required_from for each in aim.due):
        of_release = [each for each in aim.due if each.required_from == required_from]
        own = [each for each in of_release if is_open(found, each) and not told_by(facts, each)]
        told |= {by for each in of_release if (by := told_by(facts, each))}
        if own:
            shown = True
            yield _finding(facts, aim, required_from, own)
    if shown:
        return
    if told:
        by = DEAD if DEAD in told else NEVER
        raise Blocked(
            by, f"rows are left that {aim.next.tag} validates, since their job did not fill them in"
        )
    parts = [(each, found.part(each.proof)) for each in aim.due if each.undone]
    uncounted = [each for each, part in parts if part.left is None and (part.there or not part.way)]
    if uncounted:
        each = uncounted[0]
        names = ", ".join(f"{c.table}.{c.column or c.undone}" for c in uncounted[:5])
        raise Unknown(
            f"whether any row is left that {aim.next.tag} refuses: {names} could not be counted within the limits, for want of an "
            "index, of statistics or of time",
            why="a table could not be counted within the limits",
            fix=f"count it by hand, which reads the whole table: {each.proof.statement}; or run VACUUM ANALYZE {each.table} and try "
            "again",
        )


def _finding(facts: Facts, aim: Aim, required_from: str, own: list[Constraint]) -> Finding:
    stop = stop_before(required_from)
    jobs = list(dict.fromkeys(words for each in own if (words := job_of(facts, each))))
    if not any(each.filled_by for each in own):
        what = f"no job of Lago's fills this in: look at the rows ({own[0].proof.statement.replace('count(*)', '*')} LIMIT 10), and repair them"
    elif jobs:
        what = f"wait until the jobs have ended and no row is left: {listed(jobs)}"
    else:
        what = f"run {command(facts, stop)} while a worker of that release runs" if stop else "fill it in"
    return Finding(
        id="upgrade-constraint-open",
        role=DB,
        problem=f"{required_from} validates what is not there yet: {listed(lacks(answers(facts), own))}"
        + (f"; {listed(jobs)}" if jobs else ""),
        impact=f"the migrations of {required_from} end with PG::CheckViolation at {own[0].migration}, with the schema between two "
        f"releases: {upgrades.HALF_MIGRATED}",
        fix=f"{what}; then run this again before you deploy {aim.next.tag}",
    )
