"""The newest dumps of the database."""

from __future__ import annotations

import re

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.types import Dump

_LINE = re.compile(r"([0-9]{1,18})\t([0-9]{1,18})\t(.+)")
_SHELL = r"""
for file in $backups; do
    # A line feed in a name would make a dump of its rest.
    case $file in *[[:cntrl:]]*) continue ;; esac
    [ ! -f "$file" ] || stat -c "%Y$tab%s$tab%n" "$file"
done | sort -n | tail -n 3
"""


@section("dumps", shell=_SHELL)
def dumps(text: str) -> tuple[Dump, ...]:
    """The three newest files that match the pattern for dumps, the newest last."""
    found = filter(None, map(_LINE.fullmatch, text.splitlines()))
    return tuple(Dump(path=each[3], written=float(each[1]), size=int(each[2])) for each in found)
