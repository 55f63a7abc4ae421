"""What phases 1 to 3 already say about why billing, or logging in, can't work."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lago_acceptance.checks.availability import elsewhere, why_down
from lago_acceptance.core.findings import errors_among
from lago_acceptance.core.roles import CLOCK, PDF, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Facts
from lago_acceptance.rules import rules

# Rules of phase 2: with one of these red, usage does not grow, or the worker gets no jobs.
STALE_USAGE = ("cache-disagrees", "cache-url-missing", "queue-without-worker")
NO_JOBS = ("redis-disagrees",)
# Rules of phases 2 and 3: with one of these red, no page reaches the API.
NO_LOGIN = (
    "front-api-url-missing",
    "front-api-url-internal",
    "cors-front-url-missing",
    "cors-front-url-internal",
    "cors-front-url-localhost-default",
    "url-port-not-published",
)


class Preconditions(msgspec.Struct, frozen=True):
    """``down``: roles whose service does not work, with the id of the red check that says so. ``stale_usage``: the
    red rule because of which usage can't grow, "" where there is none.
    """

    down: dict[str, str] = {}
    stale_usage: str = ""

    def need(self, role: str, missing: str) -> None:
        """Blocked where the role's service does not work."""
        if role in self.down:
            raise Blocked(self.down[role], missing)


def of_billing(facts: Facts, settings: Settings) -> Preconditions:
    """What billing needs and lacks."""
    needed = [role for role in (WORKER, PDF, CLOCK) if not elsewhere(facts, role)]
    down = {role: why_down(facts, role) for role in needed if not facts.running(role)}
    if WORKER not in down and (id := first_red_rule(facts, settings, NO_JOBS)):
        down[WORKER] = id
    return Preconditions(down, first_red_rule(facts, settings, STALE_USAGE))


def first_red_rule(facts: Facts, settings: Settings, ids: Iterable[str]) -> str:
    """The first of these rules that is red in what runs, "" where none is."""
    model, known = facts.model(), rules()
    return next(
        (id for id in ids if errors_among(known[id].findings(model, settings, lambda violation: None))), ""
    )
