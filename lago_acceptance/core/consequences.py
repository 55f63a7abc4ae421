"""What findings mean for billing: which of them stop it, and which may be gone a minute later."""

from __future__ import annotations

# While one of these is there, no invoice is made or none reaches a customer.
STOPS_BILLING: frozenset[str] = frozenset()
# What may be a moment's: a queue that is being emptied, a probe that ran out of time, a container that is starting.
TIMING: frozenset[str] = frozenset()
