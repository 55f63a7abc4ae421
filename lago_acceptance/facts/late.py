"""Who did not answer in time, when the facts of a host were taken. Such an answer is no wrong one: it is asked for again."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.inside import view_of
from lago_acceptance.facts.types import Facts

# What scripts/collect.sh, lago_process.rb and gateway_view.sh print in the place of an answer.
MARK = "no answer within"


def late(facts: Facts) -> tuple[str, ...]:
    """The names of the containers that did not answer a question in time."""
    return tuple(dict.fromkeys(_late(facts)))


def _late(facts: Facts) -> Iterator[str]:
    for container in (*facts.containers, *facts.others):
        process = facts.process(container)
        said = (
            process.error,
            facts.fronts.get(container.id, ""),
            *(text for _, text in process.inside.values()),
        )
        if any(MARK in text for text in said):
            yield container.name
    if MARK in facts.database_error or (facts.upgrade and MARK in facts.upgrade.error):
        yield "the database"
    if MARK in facts.redis_error:
        yield "Redis"
    try:
        answers = view_of(facts).answers
    except Unreachable:
        return
    if any(name.startswith("gateway-") and MARK in each.text for name, each in answers.items()):
        yield "the gateway"
