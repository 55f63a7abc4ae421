"""What the page's script draws, as short as it can be: ninety runs and two hundred checks of fifty hosts are 4,500 runs
and 10,000 checks. The reader of this form is templates/page.js.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from lago_acceptance.core.printable import printable
from lago_acceptance.core.registry import PHASES
from lago_acceptance.core.secrets import redact
from lago_acceptance.reports.summary import OUTCOMES, PastRun, Summary
from lago_acceptance.reports.verdict import BILLING, NOT_KNOWN

CHARTED = ("certificate_days", "first_invoice", "queue_age", "disk_free")
PHASE_WORDS = ("passed", "failed", "blocked", "unknown")
# The last second of the year 9999, beyond which no date has a name.
_LAST = 253402300799.0


@cache
def shown(text: str) -> str:
    """A text as a page may hold it: without secrets, and without what a terminal would act on after it was copied."""
    return printable(redact(text))


Places = Mapping[tuple[int, str], int]


def places(summaries: Sequence[Summary]) -> Places:
    """Numbers for the checks of all hosts, by phase and name."""
    names = dict.fromkeys((check.phase, check.name) for summary in summaries for check in summary.checks)
    return {name: number for number, name in enumerate(names)}


def packed(summaries: Sequence[Summary], past: Sequence[Sequence[PastRun]], names: Places) -> str:
    """What ``data`` gives, as the page holds it: JSON, deflated, in Base64."""
    return base64.b64encode(zlib.compress(msgspec.json.encode(data(summaries, past, names)), 9)).decode()


def data(summaries: Sequence[Summary], past: Sequence[Sequence[PastRun]], names: Places) -> dict[str, Any]:
    """All hosts: names of checks and ids of causes are in it once, and hosts point to them."""
    causes = list(dict.fromkeys(run.cause for runs in past for run in runs))
    place = {cause: number for number, cause in enumerate(causes)}
    return {
        "outcomes": OUTCOMES,
        "billing": BILLING,
        "words": PHASE_WORDS,
        "phases": PHASES,
        "names": [[phase, shown(name)] for phase, name in names],
        "causes": [shown(cause) for cause in causes],
        "hosts": [
            {**_checks(summary, names), **_runs(runs, place)}
            for summary, runs in zip(summaries, past, strict=True)
        ],
    }


def _checks(summary: Summary, names: Places) -> dict[str, Any]:
    """A digit for each name's outcome, "-" where a host had no such check; and tenths of seconds of those it had."""
    mine = {(check.phase, check.name): check for check in summary.checks}
    found = [mine.get(name) for name in names]
    return {
        "o": "".join(_digit(OUTCOMES, check.outcome) if check else "-" for check in found),
        "s": [_whole(check.seconds * 10) for check in found if check],
    }


def _runs(runs: Sequence[PastRun], causes: dict[str, int]) -> dict[str, Any]:
    """Columns, one entry a run: minutes of Unix time as differences, seconds, exit codes, and digits of words."""
    minutes = [_minutes(run.started) for run in runs]
    measured = {name: [_number(run.measurements.get(name)) for run in runs] for name in CHARTED}
    phases = sorted({phase for run in runs for phase in run.phases})
    return {
        "t": [here - before for before, here in zip([0, *minutes], minutes, strict=False)],
        "d": [_whole(run.seconds) for run in runs],
        "b": "".join(_digit(BILLING, run.billing, BILLING.index(NOT_KNOWN)) for run in runs),
        "h": "".join("01"[run.scheduled] for run in runs),
        "c": [causes[run.cause] for run in runs],
        "m": {name: values for name, values in measured.items() if any(each is not None for each in values)},
        "p": {
            phase: "".join(_digit(PHASE_WORDS, run.phases.get(phase, "")) for run in runs) for phase in phases
        },
    }


def _digit(words: Sequence[str], word: str, otherwise: int = 4) -> str:
    return str(words.index(word) if word in words else otherwise)


def _minutes(at: float) -> int:
    return int(max(0.0, min(at, _LAST)) // 60) if math.isfinite(at) else 0


def _whole(value: float) -> int:
    return round(value) if math.isfinite(value) else 0


def _number(value: float | None) -> float | None:
    """To whole numbers from ten on, which is more than a chart shows."""
    if value is None or not math.isfinite(value):
        return None
    rounded = round(float(value), 1)
    return int(rounded) if abs(value) >= 10 or rounded.is_integer() else rounded
