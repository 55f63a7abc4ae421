"""Each rule sees in running containers what it sees in their compose file, but for what containers don't show.

What is left out says so at the top of its case: ``# observed: ...``.
"""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.loader import Source
from lago_acceptance.core import settings
from lago_acceptance.core.resources import ROOT
from lago_acceptance.rules import rules
from tests.support import corpus
from tests.support.observed import observed

SETTINGS = settings.load(ROOT / "settings.toml")
LIVE = {rule.id for rule in rules().values() if not rule.declared_only}
EVERY = (*corpus.cases(), *corpus.harmless(), *corpus.healthy_cases())

SHAPES = "facts/scripts/mask.awk knows fewer shapes than core/value_shapes.py"
COMMAND = "facts/scripts/mask.awk leaves the password behind --requirepass as it is"
# Defects of what the rules read. Each must go away with its reason: then its test fails for passing.
NOT_YET = {
    **dict.fromkeys(
        (
            "default-db-password/lago-password",
            "placeholder-secrets/generate-with-openssl",
            "rsa-env-unguarded/quoted-in-list",
        ),
        SHAPES,
    ),
    "redis-password-drift/two-literals": COMMAND,
}


def refused(source: Source) -> bool:
    """Whether `docker compose up` brings nothing of it up."""
    return bool(source.written.compose_error or source.written.missing_files)


def reported(source: Source, given: dict[str, str]) -> set[str]:
    twin = observed(source.model, given)
    assert twin.observed and twin.services
    return {rule.id for rule in rules().values() if rule.findings(twin, SETTINGS, lambda hit: None)}


def shown(case: corpus.Case) -> object:
    reason = NOT_YET.get(case.name)
    marks = [pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)] if reason else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", [shown(case) for case in EVERY if corpus.NOTHING not in case.unseen])
def test_a_live_host_shows_what_the_file_shows(case, sources):
    assert not refused(sources[case.name])
    expected = (case.expected & LIVE) - case.unseen.keys() | case.seen_too.keys()
    assert reported(sources[case.name], case.deployed) == expected


@pytest.mark.parametrize(
    "case", [case for case in EVERY if corpus.NOTHING in case.unseen], ids=lambda case: case.name
)
def test_what_is_never_observed_is_what_compose_refuses(case, sources):
    assert refused(sources[case.name])
