"""Each rule sees in running containers what it sees in their compose file, but for what containers don't show.

What is left out says so at the top of its case: ``# observed: ...``.
"""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.sources import Source
from lago_acceptance.lago.derived import given_for
from lago_acceptance.rules import rules, without_consequences
from tests.support import corpus
from tests.support.observed import observed

LIVE = {rule.id for rule in rules().values() if not rule.declared_only}
EVERY = (*corpus.cases(), *corpus.harmless(), *corpus.healthy_cases())


def refused(source: Source) -> bool:
    """Whether `docker compose up` brings nothing of it up."""
    return bool(source.written.compose_error or source.written.missing_files or source.written.parts)


def reported(source: Source, given: dict[str, str]) -> set[str]:
    twin = observed(source.model, given)
    assert twin.observed and twin.services
    own, _ = given_for(None, twin)
    found = {id: rule.findings(twin, own, lambda hit: None) for id, rule in rules().items()}
    return {id for id, findings in without_consequences(found).items() if findings}


@pytest.mark.parametrize(
    "case", [case for case in EVERY if corpus.NOTHING not in case.unseen], ids=lambda case: case.name
)
def test_a_live_host_shows_what_the_file_shows(case, sources):
    assert not refused(sources[case.name])
    expected = (case.expected & LIVE) - case.unseen.keys() | case.seen_too.keys()
    assert reported(sources[case.name], case.deployed) == expected


@pytest.mark.parametrize(
    "case", [case for case in EVERY if corpus.NOTHING in case.unseen], ids=lambda case: case.name
)
def test_what_is_never_observed_is_what_compose_refuses(case, sources):
    assert refused(sources[case.name])
