"""The verdict as a monitoring plugin prints it, for Nagios, Icinga, Checkmk and others: a line, performance data, a code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lago_acceptance.core.measurements import worst
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Settings
from lago_acceptance.reports.summary import Summary
from lago_acceptance.reports.verdict import BILLS, DOES_NOT_BILL

OK, WARNING, CRITICAL, UNKNOWN = range(4)
WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
# Of several hosts the worst counts, and a host that certainly needs attention is worse than one that nobody has seen.
_WORSE = (OK, WARNING, UNKNOWN, CRITICAL)
# NRPE cuts longer answers off, in the middle of a character.
_LONGEST = 4000
_UNSEEN = "no verdict"
# Those checks were not asked for.
_NOT_ASKED = "skipped"


class _Form(NamedTuple):
    """Unit and factor of a measure in the plugins' own units, which have neither days nor hours."""

    unit: str = ""
    factor: float = 1


_FORMS = {
    "certificate_days": _Form(),
    "queue_age": _Form("s"),
    "queue_jobs": _Form(),
    "dead_jobs": _Form(),
    "disk_free": _Form("B", 2**20),
    "dump_age": _Form("s", 3600),
    "first_invoice": _Form("s"),
}


def line(
    summaries: Sequence[Summary], settings: Settings | None = None, unseen: Sequence[str] = ()
) -> tuple[str, int]:
    """What a plugin prints, and its exit code: 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN.

    The first line has the verdict and, behind a bar, performance data with the limits of ``settings``; further lines have
    the causes, or of several hosts those that are not OK. OK: it bills, and nothing that was judged gives a warning; how many
    checks could not be judged is said beside it, for on a live host some never can. ``unseen`` are sentences on hosts that
    should have been looked at, and were not.
    """
    codes = [code(summary) for summary in summaries]
    worst_code = max([*codes, *(UNKNOWN for _ in unseen)], key=_WORSE.index, default=UNKNOWN)
    numbers = " ".join(_numbers(summaries, settings, codes))
    head = f"LAGO {WORDS[worst_code]} - {_headline(summaries, codes, worst_code, unseen)}"
    text = f"{head} | {numbers}"
    for extra in (*_details(summaries), *(f"{_UNSEEN}: {_safe(each)}" for each in unseen)):
        if len(text.encode()) + len(extra.encode()) > _LONGEST:
            break
        text += f"\n{extra}"
    return text, worst_code


def without_verdict(why: str) -> tuple[str, int]:
    """What a plugin prints that could not look at anything, and its exit code."""
    return f"LAGO {WORDS[UNKNOWN]} - {_safe(why)}", UNKNOWN


def code(summary: Summary) -> int:
    """The plugins' code for one host."""
    if summary.exit_code == 1 or summary.billing == DOES_NOT_BILL:
        return CRITICAL
    if summary.exit_code != 0 or summary.billing != BILLS:
        return UNKNOWN
    return WARNING if summary.findings(Severity.WARNING) else OK


def _headline(summaries: Sequence[Summary], codes: list[int], worst_code: int, unseen: Sequence[str]) -> str:
    said = []
    if len(summaries) > 1:
        counted = (f"{codes.count(kind)} {WORDS[kind]}" for kind in reversed(_WORSE) if kind in codes)
        said.append(f"{len(summaries)} hosts: {', '.join(counted)}")
    if worst_code in codes and (worst_code != OK or len(summaries) == 1):
        said.append(_of_one(summaries[codes.index(worst_code)]))
    if unseen:
        said.append(f"{_UNSEEN}: {_safe(unseen[0])}{f' (and {len(unseen) - 1} more)' if unseen[1:] else ''}")
    return "; ".join(said) or "no host was checked"


def _of_one(summary: Summary) -> str:
    said = [f"{_safe(summary.key or summary.target)}: {_safe(summary.billing)}"]
    if summary.since:
        said.append(f"since {_safe(summary.since)}")
    if summary.causes:
        said.append(f"[{summary.causes[0].finding.id}] {_safe(summary.causes[0].finding.problem)}")
    elif summary.exit_code != 0:
        said.append(_safe(summary.notes[0] if summary.notes else summary.verdict))
    else:
        warnings, unjudged = len(summary.findings(Severity.WARNING)), _unjudged(summary)
        said += [f"{warnings} warnings"] if warnings else []
        said += [f"{unjudged} not judged"] if unjudged else []
    return ", ".join(said)


def _details(summaries: Sequence[Summary]) -> Iterator[str]:
    """Lines below the first: what is wrong and what to do, then why checks were not judged; of several hosts a line each."""
    if len(summaries) > 1:
        for each in sorted(summaries, key=lambda each: -_WORSE.index(code(each))):
            if code(each) != OK:
                yield f"{WORDS[code(each)]} {_of_one(each)}"
        return
    for summary in summaries:
        for cause in summary.causes:
            found = cause.finding
            who = f" {_safe(found.service or found.role or '')}:" if found.service or found.role else ""
            yield f"[{found.id}]{who} {_safe(found.problem)} Fix: {_safe(found.fix)}"
        for finding in summary.findings(Severity.WARNING):
            yield f"warning [{finding.id}] {_safe(finding.problem)} Fix: {_safe(finding.fix)}"
        for unjudged in summary.not_judged:
            if unjudged.outcome != _NOT_ASKED:
                yield f"{len(unjudged.checks)} not judged: {_safe(unjudged.reason)}"


def _unjudged(summary: Summary) -> int:
    return sum(len(each.checks) for each in summary.not_judged if each.outcome != _NOT_ASKED)


def _numbers(summaries: Sequence[Summary], settings: Settings | None, codes: list[int]) -> Iterator[str]:
    """Performance data: label=value[unit];warning;critical. Limits are ranges, and an alert is what lies outside.

    Of several hosts the worst of each number: a plugin's answer has room for no more.
    """
    limits = _limits(settings) if settings else {}
    values = worst(tuple(each for summary in summaries for each in summary.measurements))
    for measure, form in _FORMS.items():
        if measure in values:
            yield _number(measure, values[measure] * form.factor, form.unit, limits.get(measure, ""))
    yield _number("duration", max((summary.seconds for summary in summaries), default=0), "s")
    yield _number("errors", sum(len(summary.causes) for summary in summaries))
    yield _number("warnings", sum(len(summary.findings(Severity.WARNING)) for summary in summaries))
    yield _number("not_judged", sum(map(_unjudged, summaries)))
    if len(summaries) > 1:
        yield _number("hosts", len(summaries))
        for kind in _WORSE:
            yield _number(f"hosts_{WORDS[kind].lower()}", codes.count(kind))


def _limits(settings: Settings) -> dict[str, str]:
    edge, limits = settings.edge, settings.limits
    found = {
        "certificate_days": f";{edge.certificate_warning_days}:;{edge.certificate_error_days}:",
        "queue_age": f";;{limits.queue_age}",
        "disk_free": f";;{limits.free_disk_mib * 2**20}:",
    }
    if settings.backup:
        found["dump_age"] = f";;{settings.backup.hours * 3600:.0f}"
    return found


def _number(label: str, value: float, unit: str = "", limits: str = "") -> str:
    return f"{label}={f'{value:.2f}'.rstrip('0').rstrip('.')}{unit}{limits}"


def _safe(text: str) -> str:
    """A text as part of a line: a bar begins performance data, and a line feed another line."""
    return redact(one_line(text)).replace("|", "¦")[:400]
