"""Commands that a reader of the page copies."""

from __future__ import annotations

import re
import shlex

from lago_acceptance.reports.summary import Summary

_PROGRAMS = (
    "apt-get|chmod|chown|curl|dig|docker|getent|git|journalctl|lago-acceptance|lago-gate|make|openssl|psql|ssh|sudo|"
    "systemctl|timedatectl|ufw|vault"
)
# A fix is prose: a command is in backticks, in parentheses, or begins a clause.
_COMMAND = re.compile(rf"`([^`]+)`|\(((?:{_PROGRAMS}) [^()]+)\)|(?:^|[;:,] )((?:{_PROGRAMS}) [^;,()]+)")


def of_fix(fix: str) -> list[str]:
    """The commands that a fix names, each once."""
    found = (next(filter(None, match.groups())).strip() for match in _COMMAND.finditer(fix))
    return list(dict.fromkeys(found))


def look_again(summary: Summary) -> str:
    """What looks at the same deployment again."""
    words = ["lago-acceptance", "smoke"]
    if summary.target == "live":
        words = ["lago-acceptance", "live", f"ssh://{summary.host}"]
    if summary.project:
        words += ["--project", summary.project]
    return shlex.join(words)
