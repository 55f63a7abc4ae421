"""Phase 3: the public names resolve, everywhere to the same addresses, and point to this host."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import dns_records

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_every_resolver_gives_the_same_addresses(survey, judge_hosts):
    judge_hosts(lambda role, url: dns_records.resolves(survey, role), by_service=False, once_each="host")


def test_every_address_leads_to_the_origin_or_is_cloudflares(survey, judge_hosts):
    judge_hosts(
        lambda role, url: dns_records.points_to_the_origin(survey, role), by_service=False, once_each="host"
    )
