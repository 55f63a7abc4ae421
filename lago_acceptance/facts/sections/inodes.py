"""How many inodes are left on the host's disks."""

from __future__ import annotations

import re

from lago_acceptance.facts.host_state import Inodes
from lago_acceptance.facts.sections import section

# Inodes, used, free, their share, mount point.
_LINE = re.compile(r"\s([0-9]{1,18})\s+-?\d+\s+([0-9]{1,18})\s+\d+%\s+(/.*)")


@section("inodes", shell='df -Pi / "${docker_root:-/}" 2>/dev/null || df -Pi / 2>/dev/null')
def inodes(text: str) -> tuple[Inodes, ...]:
    """Inodes of the file systems of / and of Docker's data. Those that make inodes as they need them have no number."""
    found = filter(None, map(_LINE.search, text.splitlines()))
    return tuple(dict.fromkeys(Inodes(mount=each[3], all=int(each[1]), free=int(each[2])) for each in found))
