"""All faults of a running host."""

from __future__ import annotations

from tests.support.live.faults import of_containers, of_money, of_stores

FAULTS = (*of_stores.FAULTS, *of_containers.FAULTS, *of_money.FAULTS)
