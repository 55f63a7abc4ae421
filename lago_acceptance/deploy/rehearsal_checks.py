"""The read-only checks that make sense on a restored Lago without workers, clock, proxy and gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from lago_acceptance.checks import api_inside, database, redis, rsa_key, schema
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts

Check = Callable[[], Iterable[Finding]]


class Verdict(msgspec.Struct, frozen=True):
    """What the checks say, as text. ``unknown`` has what could not be judged, and why; ``judged`` is how many checks were."""

    errors: list[str]
    warnings: list[str]
    unknown: list[str]
    judged: int


def judged(facts: Facts, settings: Settings, folded: bool = False) -> Verdict:
    """The verdict on a restored Lago. Its version is not compared with settings.toml: the next one may be tried.

    ``folded``: the image has fewer migrations than the database has run, so their number says nothing.
    """
    verdict = Verdict([], [], [], 0)
    made = 0
    for check in _checks(facts, settings, folded):
        try:
            found = list(check())
        except Red as red:
            found = list(red.findings)
        except (Blocked, Unknown) as reason:
            verdict.unknown.append(str(reason).removeprefix("not judged: "))
            continue
        made += 1
        for finding in found:
            into = verdict.errors if finding.severity is Severity.ERROR else verdict.warnings
            into.append(str(finding))
    return msgspec.structs.replace(verdict, judged=made)


def _checks(facts: Facts, settings: Settings, folded: bool) -> tuple[Check, ...]:
    return (
        lambda: database.lets_lago_in(facts),
        lambda: database.data_are_on_a_volume(facts),
        lambda: schema.migration_has_finished(facts),
        *([] if folded else [lambda: schema.is_the_images(facts, settings)]),
        lambda: schema.is_lagos_alone(facts),
        lambda: redis.answers_and_never_evicts(facts),
        lambda: (
            finding
            for finding in api_inside.is_healthy_and_of_the_expected_version(facts, settings)
            if finding.id != "version-unexpected"
        ),
        lambda: api_inside.accepts_its_own_key(facts, settings),
        lambda: rsa_key.is_loaded(facts),
        lambda: rsa_key.public_half_is_served(facts, settings),
    )
