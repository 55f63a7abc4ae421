"""Public URLs for tests: https at the names that a test gives."""

from __future__ import annotations

from collections.abc import Mapping

from lago_acceptance.core.urls import PublicUrl


def urls(hosts: Mapping[str, str]) -> dict[str, PublicUrl]:
    """The https URL of each role's host name."""
    return {role: PublicUrl("https", host, 443) for role, host in hosts.items()}
