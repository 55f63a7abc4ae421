"""Phase 3: the public names resolve, everywhere to the same addresses, and lead to this host."""

from __future__ import annotations

import pytest

from lago_acceptance.edge_checks import names

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_every_resolver_gives_the_same_addresses(outside, judge_hosts):
    judge_hosts(lambda role, host: names.resolves(outside, role), by_service=False)


def test_every_address_leads_to_the_origin_or_is_cloudflares(outside, judge_hosts):
    judge_hosts(lambda role, host: names.leads_to_the_origin(outside, role), by_service=False)
