"""The way to a later release of Lago as text. Prose is broken at 100 columns; commands and diffs never are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from lago_acceptance.composefile.upgrade_commands import Step
from lago_acceptance.composefile.upgrade_plan import Filling, PlannedLeg, UpgradePlan
from lago_acceptance.core.colors import painted
from lago_acceptance.core.printable import printable
from lago_acceptance.lago.changes import ApiChange
from lago_acceptance.lago.filling import MODULE
from lago_acceptance.lago.upgrade_times import Measured

_WIDTH = 100
_AREAS = {
    "answer": "fields of REST answers",
    "webhook": "webhooks",
    "route": "routes",
    "variable": "variables that are read",
}


def text(plan: UpgradePlan, *, color: bool) -> str:
    """The whole plan, each leg below a heading of its own."""
    page = _Page(color)
    return "\n".join(page.of(plan))


class _Page:
    """Makes the lines, with headings in colour if there is any."""

    def __init__(self, color: bool):
        self._color = color

    def of(self, plan: UpgradePlan) -> Iterator[str]:
        walked = [leg for leg in plan.legs if leg.old != leg.new]
        stops = sum(bool(leg.filling) for leg in plan.legs)
        filled = f", {_count(stops, 'stop')} with data to fill in" if stops else ""
        yield self._heading(f"Lago {plan.old} to {plan.new}: {_count(len(walked), 'deploy')}{filled}")
        yield from _prose(
            "Commands that begin with lago-acceptance are for this machine, where HOST is the host's address and DIR a folder with the "
            f"deployment's files. All others are for the host, in {plan.directory or 'the folder of the compose file'}."
        )
        yield ""
        yield self._heading("Before")
        yield from self._steps(plan.first)
        yield ""
        yield self._heading("Walked by the suite, with a dump before each step")
        yield from self._steps(plan.at_once)
        yield ""
        yield self._heading("Step by step: change the files as its diff says, and deploy them")
        yield from self._steps(plan.each)
        yield "  or by hand, with the step's release for VERSION:"
        yield from self._steps(plan.by_hand, "    ")
        for number, leg in enumerate(plan.legs, 1):
            yield ""
            yield from self._leg(number, leg)
        yield ""
        yield self._heading("At the end")
        yield from self._steps(plan.last)
        if plan.measured:
            yield ""
            yield self._heading("Measured on the way")
            yield from (line for each in plan.measured for line in _measured(each))

    def _leg(self, number: int, leg: PlannedLeg) -> Iterator[str]:
        same = leg.old == leg.new
        yield self._heading(f"{number}. {f'still on {leg.new}' if same else f'{leg.old} to {leg.new}'}")
        for change in leg.changes:
            yield from _indented(self._diff(line) for line in change.diff.splitlines())
        if leg.not_shown:
            yield from _prose(f"changes of the files are not shown: {leg.not_shown}")
        for filling in leg.filling:
            yield from self._filling(leg, filling)
        yield from _noticed(leg)
        if not same:
            yield from (line for each in leg.measured for line in _measured(each))
            yield from (
                () if leg.measured else _prose("time: not measured; a rehearsal measures it on your data")
            )

    def _filling(self, leg: PlannedLeg, filling: Filling) -> Iterator[str]:
        yield from _prose(
            f"fill in {filling.data}, unless the counts below are 0 already:"
            if leg.old == leg.new and filling.proof_commands
            else f"then fill in {filling.data}:"
        )
        yield from self._steps(filling.commands, "    ")
        workers = " and ".join(filling.workers) or "a worker"
        jobs = ", ".join(job.removeprefix(MODULE) for job in filling.jobs)
        yield from _prose(
            f"{workers} must run {leg.new} until the jobs of these commands are done"
            + (f": {jobs}" if jobs else "")
        )
        if filling.required_by:
            yield from _prose(f"without it, the migration to {filling.required_by} fails halfway")
        yield from _prose(filling.note) if filling.note else ()
        if filling.proof_commands:
            yield "  it is done when each count is 0:"
            yield from self._steps(filling.proof_commands, "    ")
        else:
            yield from _prose("no count shows that it is done: the commands above must have ended with 0")
        if filling.left_commands:
            yield "  rows that it may leave:"
            yield from self._steps(filling.left_commands, "    ")

    def _steps(self, steps: Iterable[Step], indent: str = "  ") -> Iterator[str]:
        for step in steps:
            lines = printable(step.command).splitlines()
            why = painted(f"   # {step.why}", "faint", self._color) if step.why else ""
            yield from (f"{indent}{line}" for line in lines[:-1])
            yield f"{indent}{lines[-1]}{why}"

    def _heading(self, line: str) -> str:
        return painted(line, "heading", self._color)

    def _diff(self, line: str) -> str:
        style = {"+": "good", "-": "error", "@": "faint"}.get(line[:1])
        return painted(line, style, self._color) if style else line


def _noticed(leg: PlannedLeg) -> Iterator[str]:
    if leg.notices or leg.ended or leg.api:
        yield "  what is different:"
    for notice in leg.notices:
        yield from _prose(f"- from {notice.since} on: {notice.what}", "    ")
        if notice.change:
            yield from _prose(f"to do: {notice.change}", "      ")
    for notice in leg.ended:
        yield from _prose(f"- no longer so from {notice.until} on: {notice.what}", "    ")
    yield from _api(leg.api)


def _api(changes: tuple[ApiChange, ...]) -> Iterator[str]:
    """What callers meet, what is gone first: that is what breaks them."""
    for area, named in _AREAS.items():
        for change in ("removed", "added"):
            places: dict[str, list[str]] = {}
            for each in changes:
                if (each.area, each.change) == (area, change):
                    places.setdefault(each.place, []).extend(each.names)
            if area == "answer" and places:
                yield f"    - {named}, {change}:"
                for place, names in sorted(places.items()):
                    yield from _prose(f"{place}: {', '.join(names)}", "        ")
            elif places:
                yield from _prose(f"- {named}, {change}: {', '.join(_listed(area, places))}", "    ")


def _listed(area: str, places: dict[str, list[str]]) -> Iterator[str]:
    for place, names in sorted(places.items()):
        if area == "route":
            yield f"{'|'.join(names)} {place}"
        else:
            yield from (f"{each} ({place})" if place else each for each in names)


def _measured(each: Measured) -> list[str]:
    return _prose(
        f"time from {each.old} to {each.new}: {each.least} to {each.most} s for {each.what} ({each.data})"
    )


def _prose(line: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        printable(line),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
