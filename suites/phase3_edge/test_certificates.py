"""Phase 3: certificates that browsers trust, for these names, for long enough; TLS 1.2 at least."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.edge import certificates

pytestmark = [pytest.mark.smoke, pytest.mark.phase3]


def test_certificate_is_trusted_and_names_the_host(survey, judge_hosts):
    judge_hosts(lambda role, url: certificates.is_trusted(survey, role), once_each="origin")


def test_certificate_is_in_date_for_long_enough(survey, settings, judge_hosts):
    judge_hosts(lambda role, url: certificates.is_in_date(survey, role, settings.edge), once_each="origin")


def test_tls_older_than_1_2_is_refused(survey, judge_hosts):
    judge_hosts(lambda role, url: certificates.is_modern(survey, role), by_service=False, once_each="origin")
