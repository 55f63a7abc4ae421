"""The table of phases and the verdict, for the terminal."""

from __future__ import annotations

from collections.abc import Callable

from lago_acceptance.core.findings import grouped
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import PHASES, Severity
from lago_acceptance.reports.summary import OUTCOMES, Summary

Markup = Callable[..., str]
_GOOD, _BAD, _DOUBTFUL, _DIM = {"green": True}, {"red": True, "bold": True}, {"yellow": True}, {"light": True}
_STYLES = {"passed": _GOOD, "failed": _BAD, "crashed": _BAD, "skipped": _DIM}


def render(summary: Summary, markup: Markup) -> str:
    """The end of a run's output: warnings, the table of phases, notes, and the verdict.

    ``markup`` gives a text its colours, named as pytest's terminal writer names them.
    """
    lines = [
        markup(f"warning {finding}", **_DOUBTFUL) for finding in grouped(summary.findings(Severity.WARNING))
    ]
    if summary.checks:
        lines += _table(summary, markup)
    lines += [markup(one_line(note), **_DIM) for note in summary.notes]
    style = {"bold": True, **(_GOOD if summary.exit_code == 0 else _BAD)}
    verdict = f"{one_line(summary.verdict)} ({summary.seconds:.1f} s, lago-acceptance {summary.version})"
    return "\n".join([*lines, markup(verdict, **style)])


def _table(summary: Summary, markup: Markup) -> list[str]:
    crashed = any(check.outcome == "crashed" for check in summary.checks)
    columns = [each for each in (*OUTCOMES, "warnings") if crashed or each != "crashed"]
    names = {phase: f"{phase} {PHASES.get(phase, '')}" for phase in summary.phases}
    first = max(len(name) for name in ("phase", *names.values()))
    lines = [markup("  ".join(["phase".ljust(first), *columns]), bold=True)]
    for phase, name in names.items():
        cells = [name.ljust(first)]
        for outcome, count in summary.counts(phase).items():
            if outcome in columns:
                style = _STYLES.get(outcome, _DOUBTFUL) if count else _DIM
                cells.append(markup(str(count or "-").rjust(len(outcome)), **style))
        lines.append("  ".join(cells))
    return lines
