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

NETWORK_MODE = "Docker puts a network's name into NetworkMode, and the model takes that for network_mode"
COPIED_FILE = "a file that is in the container without a mount is taken for one that is not there"
MASKED_TOKEN = "VAULT_TOKEN is compared as text, and is masked"
OTHER_PROXY = "another proxy is looked for in a declared file only"
NEVER_LIVE = "the rule judges no running containers, and is not declared_only"
# Defects of rules and of what they read. Each must go away with its reason: then its test fails for passing.
NOT_YET = {
    **dict.fromkeys(
        (
            "proxy-network-missing/coolify-network",
            "proxy-network-missing/label-absent",
            "vault-unreachable-network/api-off-its-network",
            "vault-unreachable-network/nobody-by-that-name",
            "vault-unreachable-network/vault-on-own-network",
            "wrong-network/label-names-key-of-own-network",
            "wrong-network/label-names-no-network",
            "wrong-network/redis-on-another",
        ),
        NETWORK_MODE,
    ),
    **dict.fromkeys(
        (
            "rsa-not-base64/entrypoint-from-config",
            "harmless/key-by-entrypoint-from-config",
            "harmless/entrypoint-from-external-config",
        ),
        COPIED_FILE,
    ),
    "vault-dev-mode-dependency/root-token-in-env-file": MASKED_TOKEN,
    **dict.fromkeys(("harmless/caddy-labels", "harmless/own-caddy-instead-of-labels"), OTHER_PROXY),
    **dict.fromkeys(
        (case.name for case in corpus.cases() if case.rule in ("host-unknown", "redis-password-drift")),
        NEVER_LIVE,
    ),
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
