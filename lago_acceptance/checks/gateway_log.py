"""What the gateway's log says of the cause: it answers 200 from its own tables, and only its log says why."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from lago_acceptance.core.attempt import Attempt, T
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.secrets import excerpt
from lago_acceptance.facts.inside import InsideView

# "Lago error fetching plans: Client error '401 Unauthorized' for url …", "… listing invoices: 1 validation error for …".
_LAGOS = re.compile(r"\blago\b.*\berror\b|\berror\b.*\blago\b|validation errors? for", re.IGNORECASE)
# What ends a traceback: the class of the exception and its words.
_RAISED = re.compile(r"^[\w.]*(Error|Exception|Refused|Timeout)\w*(:|$)")
_ACCESS = re.compile(r'"(GET|POST|PUT|DELETE|PATCH|OPTIONS|HEAD) ')
# httpx and pydantic put a link behind what they say.
_NOISE = re.compile(r"^\s*(For (more|further) information|Traceback |INFO\b)", re.IGNORECASE)
_MORE, _LONGEST = 3, 400


def cause(log: Sequence[str], subject: str = "") -> str:
    """The last thing that it says of a failure of Lago's answer, with the lines that go on with it; "" where it says none.

    ``subject`` (plans, invoices) is preferred where a line names one.
    """
    at = [number for number, line in enumerate(log) if _LAGOS.search(line) and not _ACCESS.search(line)]
    named = [number for number in at if subject and subject in log[number].lower()]
    found = (named or at)[-1:]
    return _from(log, found[0]) if found else ""


def raised(log: Sequence[str]) -> str:
    """The last exception that its code did not handle, "" where there is none."""
    found = [line for line in log if _RAISED.match(line)]
    return excerpt(found[-1], _LONGEST) if found else ""


def last(log: Sequence[str]) -> str:
    """Its last line with something in it, "" where it has printed none."""
    return next((excerpt(line.strip(), 200) for line in reversed(log) if line.strip()), "")


def quoted(text: str) -> str:
    """A part of a sentence that quotes a line, "" where there is none."""
    return f"; its log: {text}" if text else ""


def _from(log: Sequence[str], first: int) -> str:
    lines = [log[first].strip()]
    for line in log[first + 1 : first + 1 + _MORE]:
        if _ACCESS.search(line) or _NOISE.match(line) or _LAGOS.search(line):
            break
        lines.append(line.strip())
    return excerpt(" ".join(lines), _LONGEST)


def with_log(finding: Finding, view: InsideView | None) -> Finding:
    """A finding about a request that the gateway failed to serve, with the exception that its log shows."""
    if view is None or finding.id != "gateway-fails" or not (text := raised(view.log) or cause(view.log)):
        return finding
    return msgspec.structs.replace(finding, problem=finding.problem + quoted(text))


def told(attempt: Attempt[T], view: InsideView | None) -> Attempt[T]:
    """An attempt whose failure quotes the gateway's log, where the gateway itself failed."""
    if not isinstance(attempt.failure, Red):
        return attempt
    findings = tuple(with_log(each, view) for each in attempt.failure.findings)
    return attempt if findings == attempt.failure.findings else Attempt(failure=Red(*findings))
