"""The host's processors and memory."""

from __future__ import annotations

import re

from lago_acceptance.facts.host_state import Machine
from lago_acceptance.facts.sections import section
from lago_acceptance.facts.untrusted import whole_number

_SHELL = r"""
awk 'FILENAME ~ /loadavg$/ { print "load", $1 }
    FILENAME ~ /stat$/ && /^cpu[0-9]/ { processors++ }
    /^(MemTotal|MemAvailable|SwapTotal|SwapFree):/ { print $1, $2 }
    END { print "processors", processors }' /proc/loadavg /proc/stat /proc/meminfo 2>/dev/null
"""
_LOAD = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")


@section("machine", shell=_SHELL)
def machine(text: str) -> Machine | None:
    """The host's load, processors, memory and swap; None where nothing of it can be read."""
    said = {name: value for name, _, value in (line.strip().partition(" ") for line in text.splitlines())}
    load = said.get("load", "")
    found = Machine(
        load=float(load) if _LOAD.fullmatch(load) else None,
        processors=whole_number(said.get("processors", "")) or None,
        memory=_mib(said.get("MemTotal:", "")),
        available=_mib(said.get("MemAvailable:", "")),
        swap=_mib(said.get("SwapTotal:", "")),
        swap_free=_mib(said.get("SwapFree:", "")),
    )
    return found if found != Machine() else None


def _mib(kib: str) -> int | None:
    number = whole_number(kib)
    return None if number is None else number // 1024
