"""The table of phases and the verdict, for the terminal."""

from __future__ import annotations

from lago_acceptance.findings import Severity, grouped
from lago_acceptance.reports.summary import OUTCOMES, PHASES, Summary

_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "crashed": "bold red",
    "blocked": "yellow",
    "unknown": "yellow",
    "skipped": "dim",
}


def render(summary: Summary, width: int, color: bool) -> str:
    """The end of a run's output: warnings, the phases as a table, what it was made with, and the verdict."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=width, force_terminal=color, no_color=not color, highlight=False, soft_wrap=True)
    with console.capture() as capture:
        for finding in grouped(summary.findings(Severity.WARNING)):
            console.print(Text(f"warning {finding}", style="yellow"))
        table = Table(title_justify="left", box=None, pad_edge=False)
        table.add_column("phase")
        crashed = any(check.outcome == "crashed" for check in summary.checks)
        columns = [each for each in (*OUTCOMES, "warnings") if crashed or each != "crashed"]
        for outcome in columns:
            table.add_column(outcome, justify="right")
        for phase in summary.phases:
            counts = summary.counts(phase)
            cells = [
                Text(
                    str(counts[outcome]) if counts[outcome] else "-",
                    style=_STYLES.get(outcome, "yellow") if counts[outcome] else "dim",
                )
                for outcome in columns
            ]
            table.add_row(f"{phase} {PHASES.get(phase, '')}", *cells)
        if summary.checks:
            console.print(table)
        for note in summary.notes:
            console.print(Text(note, style="dim"))
        style = "bold green" if summary.exit_code == 0 else "bold red"
        console.print(Text(f"{summary.verdict} ({summary.seconds:.1f} s)", style=style))
    return capture.get()
