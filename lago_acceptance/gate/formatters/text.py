"""The findings as people read them in a terminal, grouped by phase, with the offending lines masked."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.gate.formatters.ordering import needs_base, ordered, phase_of
from lago_acceptance.model.interpolation import expand, uses

# Findings of these rules are in a file that Compose refuses to load.
REFUSED = ("compose-invalid", "compose-interpolation-error")
# A line's part before a value, and the value; and a value that only names a variable.
_ENTRY = re.compile(r"""([\s-]*+(?:["']?[\w.-]+["']?(?::(?=\s|$)|=))?+\s*+)(\S.*)$""")
_REFERENCE = re.compile(r"[\"']?\$\{?\w+(?::?\?)?\}?[\"']?")


def _heading(finding: Finding) -> str:
    if needs_base(finding):
        return "Compared with the base"
    phase = phase_of(finding)
    return f"Phase {phase}, {registry.PHASES[phase]}" if phase else registry.PHASES[0]


def masked(line: str) -> str:
    """A line of a compose file without its secrets."""
    found = re.match(r"""(\s*(?:-\s*)?["']?)([A-Za-z_][\w.]*)(["']?\s*[:=]\s*)(.*)$""", line)
    if found and sounds_secret(found[2]) and found[4].strip():
        kept = found[4] if re.fullmatch(r"[\"']?\$\{?\w+\}?[\"']?|[|>&*][\w-]*", found[4].strip()) else None
        if kept is None and list(uses(found[4])):
            kept = expand(
                found[4],
                lambda use: f"${{{use.name}{use.operator}{'<secret>' if use.default else use.word}}}",
            )
        line = f"{found[1]}{found[2]}{found[3]}{kept if kept is not None else '<secret>'}"
    line = re.sub(r"(--requirepass|--password|-a)([ =,\"']+)(?![-$])[^\s\"',\]]+", r"\1\2<secret>", line)
    line = re.sub(r"[A-Za-z0-9+/=_-]{40,}", "<secret>", line)
    return redact(line)


def quoted(line: str, refused: bool) -> str:
    """A line of a compose file as it is shown: without its value where Compose refuses it, because that may be a secret."""
    found = _ENTRY.match(line) if refused else None
    if found and not _REFERENCE.fullmatch(found[2]):
        line = f"{found[1]}…"
    return one_line(masked(line))


def text(
    findings: Iterable[Finding], lines: dict[str, tuple[str, ...]], notes: Iterable[str], files: int
) -> str:
    """The findings grouped by phase, each with its place, its line, its impact and its fix; then notes and the count.

    ``lines`` are the files' texts by path.
    """
    sorted_findings = ordered(findings)
    parts: list[str] = []
    heading = ""
    for finding in sorted_findings:
        if _heading(finding) != heading:
            heading = _heading(finding)
            parts.append(f"\n{heading}")
        parts += _finding(finding, lines)
    parts += ["", *(f"note: {one_line(redact(note))}" for note in notes)]
    errors = sum(finding.severity is Severity.ERROR for finding in sorted_findings)
    warnings = len(sorted_findings) - errors
    counted = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    parts.append(f"gate: {_count(files, 'file')}, {counted if sorted_findings else 'no finding'}")
    return "\n".join(parts)


def _finding(finding: Finding, lines: dict[str, tuple[str, ...]]) -> list[str]:
    place = finding.place
    service = f"  {finding.service}" if finding.service else ""
    parts = [f"  {finding.severity}  {finding.id}  {place or ''}{service}"]
    source = lines.get(place.path, ()) if place else ()
    if place and place.line and place.line <= len(source):
        parts.append(f"      {place.line} | {quoted(source[place.line - 1], finding.id in REFUSED)}")
    return [
        *parts,
        f"      {finding.problem}",
        f"      impact: {finding.impact}",
        f"      fix: {finding.fix}",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
