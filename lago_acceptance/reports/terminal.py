"""The verdict on the terminal: whether the deployment bills, the causes, what was not judged, and the table of phases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from lago_acceptance.core.consequences import stops_billing
from lago_acceptance.core.findings import Finding, errors_among, grouped
from lago_acceptance.core.printable import one_line, printable
from lago_acceptance.core.registry import PHASES, Severity
from lago_acceptance.reports import ci_groups
from lago_acceptance.reports.summary import OUTCOMES, Cause, NotJudged, Summary
from lago_acceptance.reports.verdict import BILLS, DOES_NOT_BILL
from lago_acceptance.reports.wrapped import wrapped

Markup = Callable[..., str]
_GOOD, _BAD, _DOUBTFUL, _DIM = {"green": True}, {"red": True, "bold": True}, {"yellow": True}, {"light": True}
_PLAIN: dict[str, bool] = {}
_STYLES = {"passed": _GOOD, "failed": _BAD, "crashed": _BAD, "skipped": _DIM}
_ALWAYS = ("passed", "failed")
# Of the first cause, on the first line.
_PROBLEM = 120
# How many of the checks that report a cause are named.
_NAMES = 2


def render(
    summary: Summary, markup: Markup, width: int | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """The end of a run's output: whether the deployment bills, causes, warnings, what was not judged, phases, notes, and
    the verdict.

    ``markup`` gives a text its colours, named as pytest's terminal writer names them. ``width`` is the terminal's; without
    one, as in a pipe, no line is broken, so that it can be searched and copied. ``environment`` tells whether a CI server
    reads along.
    """
    page = _Page(markup, width)
    around = environment or {}
    warnings = [
        line
        for finding in grouped(summary.findings(Severity.WARNING))
        for line in _finding(page, finding, "warning ", _DOUBTFUL)
    ]
    missing = [
        line for each in summary.not_judged for line in page.lines(_not_judged(summary, each), _DOUBTFUL)
    ]
    phases = list(_table(summary, page)) if summary.checks else []
    return "\n".join(
        [
            *_first_line(summary, page),
            *(line for cause in summary.causes for line in _cause(page, cause)),
            *(line for text in _without_finding(summary) for line in page.lines(text, _BAD)),
            *ci_groups.grouped("Warnings", warnings, around),
            *ci_groups.grouped("Not judged", missing, around),
            *ci_groups.grouped("Checks by phase", phases, around),
            *(line for note in summary.notes for line in page.lines(note, _DIM)),
            *_last_line(summary, page),
        ]
    )


class _Page:
    """Breaks lines at the terminal's width and colours them."""

    def __init__(self, markup: Markup, width: int | None):
        self.markup, self.width = markup, width

    def lines(self, text: str, style: Mapping[str, bool] = _PLAIN, indent: str = "") -> list[str]:
        """One line of text as lines that fit."""
        text = one_line(text)
        broken = [indent + text] if self.width is None else wrapped(text, self.width, indent)
        # A word may be a command to a CI server where it begins a line.
        return [self.markup(printable(line), **style) for line in broken]


def _first_line(summary: Summary, page: _Page) -> list[str]:
    """Whether it bills, where, which version, since when, and why not."""
    where = summary.host + (f" (project {summary.project})" if summary.project else "")
    lago = f"Lago {summary.deployment.lago}" if summary.deployment.lago else ""
    since = f"since {summary.since[:16].replace('T', ' ')} UTC" if summary.since else ""
    flapping = f"changed {summary.changes} times in the last ten runs" if summary.changes > 2 else ""
    text = f"{summary.billing}: " + ", ".join(filter(None, (where, lago, since, flapping)))
    if summary.causes:
        first = summary.causes[0].finding
        text += f"; first cause: {first.id}: {' '.join(filter(None, (_where(first), _short(first.problem))))}"
    good, bad = summary.billing == BILLS, summary.billing == DOES_NOT_BILL
    return page.lines(text, {"bold": True, **(_GOOD if good else _BAD if bad else _DOUBTFUL)})


def _where(finding: Finding) -> str:
    parts = " ".join(str(part) for part in (finding.service or finding.role, finding.place) if part)
    return f"{parts}:" if parts else ""


def _short(text: str) -> str:
    return text if len(text) <= _PROBLEM else text[: _PROBLEM - 1].rstrip() + "…"


def _finding(page: _Page, finding: Finding, before: str, style: Mapping[str, bool]) -> list[str]:
    head = " ".join(filter(None, (f"{before}[{finding.id}]", _where(finding), finding.problem)))
    return [
        *page.lines(head, style),
        *page.lines(f"impact: {finding.impact}", indent="  "),
        *page.lines(f"fix: {finding.fix}", indent="  "),
    ]


def _cause(page: _Page, cause: Cause) -> list[str]:
    names = [name.rpartition("::")[2] for name in cause.checks]
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    told = [
        "stops billing" if stops_billing(cause.finding) else "",
        f"{_checks(len(cause.blocked))} not judged because of it" if cause.blocked else "",
        f"reported by {', '.join(names[:_NAMES])}{more}",
    ]
    return [
        *_finding(page, cause.finding, "", _BAD),
        *page.lines(f"({'; '.join(filter(None, told))})", _DIM, indent="  "),
    ]


def _without_finding(summary: Summary) -> Iterator[str]:
    """Checks that have failed without saying more than their own assertion does."""
    for check in summary.checks:
        if check.outcome == "failed" and not errors_among(list(check.findings)):
            yield f"{check.name} has failed: {_last(check.reason)}"


def _not_judged(summary: Summary, each: NotJudged) -> str:
    count = f"{len(each.checks)} not judged"
    if each.blocked_by:
        known = any(each.blocked_by == cause.finding.id for cause in summary.causes)
        more = "" if known else ", whose own check was not selected or gave no verdict"
        return f"{count}: blocked by {each.blocked_by}{more}"
    kind = {"crashed": "the suite itself failed: ", "skipped": "skipped: "}.get(each.outcome, "")
    reason = _last(each.reason) if each.outcome == "crashed" else each.reason
    return f"{count}: {kind}{reason or 'no reason was given'}{f': {each.fix}' if each.fix else ''}"


def _last(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _checks(count: int) -> str:
    return f"{count} check{'s' * (count != 1)}"


def _table(summary: Summary, page: _Page) -> Iterator[str]:
    counts = {phase: summary.counts(phase) for phase in summary.phases}
    columns = [
        each
        for each in (*OUTCOMES, "warnings")
        if each in _ALWAYS or any(counted[each] for counted in counts.values())
    ]
    names = {phase: f"{phase} {PHASES.get(phase, '')}" for phase in summary.phases}
    first = max(len(name) for name in ("phase", *names.values()))
    head = "  ".join(["phase".ljust(first), *columns])
    if page.width is not None and len(head) > page.width:
        yield from _narrow(names, counts, page)
        return
    yield page.markup(head, bold=True)
    for phase, name in names.items():
        cells = [
            page.markup(
                str(counts[phase][each] or "-").rjust(len(each)),
                **(_STYLES.get(each, _DOUBTFUL) if counts[phase][each] else _DIM),
            )
            for each in columns
        ]
        yield "  ".join([name.ljust(first), *cells])


def _narrow(names: Mapping[int, str], counts: Mapping[int, Mapping[str, int]], page: _Page) -> Iterable[str]:
    for phase, name in names.items():
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts[phase].items() if count)
        bad = counts[phase]["failed"] or counts[phase]["crashed"]
        yield from page.lines(f"{name}: {told}", _BAD if bad else _PLAIN)


def _last_line(summary: Summary, page: _Page) -> list[str]:
    style = {"bold": True, **(_GOOD if summary.exit_code == 0 else _BAD)}
    verdict = f"{summary.verdict} ({summary.seconds:.1f} s, lago-acceptance {summary.version})"
    return page.lines(verdict, style)
