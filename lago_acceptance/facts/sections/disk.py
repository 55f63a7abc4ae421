"""How much room is left on the host's disks."""

from __future__ import annotations

import re

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.types import Disk

# Size, used, available, capacity, mount point. Device and mount point may have blanks in their names.
_LINE = re.compile(r"\s\d+\s+-?\d+\s+(-?[0-9]{1,18})\s+(?:\d+%|-)\s+(/.*)")


@section("disk", shell='df -Pk / "${docker_root:-/}" 2>/dev/null || df -Pk /')
def disks(text: str) -> tuple[Disk, ...]:
    """Free space of the file systems of / and of Docker's data, in MiB."""
    found = filter(None, map(_LINE.search, text.splitlines()))
    return tuple(Disk(mount=each[2], free_mib=int(each[1]) // 1024) for each in found)
