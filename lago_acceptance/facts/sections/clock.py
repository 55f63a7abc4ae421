"""The host's clock."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.sections import section

# BusyBox's date knows no fractions: it prints %N as it is, or nothing.
_TIME = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?[%N.]*")


class Clock(msgspec.Struct, frozen=True):
    """When the script began and ended, by the host's clock (Unix time); ``whole``: it has whole seconds only."""

    started: float
    ended: float
    whole: bool

    def drift(self, asked: float, answered: float) -> float:
        """Seconds that the host's clock is ahead of the one that took ``asked`` and ``answered``, at least.

        What the way there and back may explain is 0.
        """
        least, most = self.ended - answered, self.started - asked + (1 if self.whole else 0)
        return least if least > 0 else most if most < 0 else 0.0


@section("clock", shell='printf \'%s %s\\n\' "$started" "$(date +%s.%N)"', last=True)
def clock(text: str) -> Clock:
    """When the host was asked, by its own clock. Becomes ``host_clock`` and ``clock_drift``."""
    times = [_TIME.fullmatch(word) for word in text.split()]
    if len(times) != 2 or not (times[0] and times[1]):
        raise Unreachable(f"the host's clock can't be read: date printed {text.strip()[:80]!r}")
    started, ended = (float(f"{each[1]}.{each[2] or 0}") for each in times if each)
    return Clock(started, ended, whole=times[0][2] is None)
