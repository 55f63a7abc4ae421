"""The findings as people read them in a terminal: errors first, each defect once, with the offending lines masked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.colors import painted
from lago_acceptance.core.findings import Finding, Told
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.gate.formatters.ordering import needs_base, phase_of
from lago_acceptance.model.interpolation import uses

# Findings of these rules are in a file that Compose refuses to load.
REFUSED = ("compose-invalid", "compose-interpolation-error")
# A line's part before a value, and the value; and a value that only names a variable.
_ENTRY = re.compile(r"""([\s-]*+(?:["']?[\w.-]+["']?(?::(?=\s|$)|=))?+\s*+)(\S.*)$""")
# A name and its value inside of a line, as in {A: b, PASSWORD: c} and in `PASSWORD=c program`.
_INLINE = re.compile(r"""(?<![\w$])([A-Za-z_]\w*)(["']?(?::[ ]+|=)["']?)([^\s"',{}\[\]<$\ue000-\uf8ff]+)""")
# Characters that nobody writes, which hold the places of variables while a line is masked.
_FIRST_HELD = 0xE000
_REFERENCE = re.compile(r"[\"']?\$\{?\w+(?::?\?)?\}?[\"']?")


def _heading(finding: Finding) -> str:
    if needs_base(finding):
        return "Compared with the base"
    phase = phase_of(finding)
    return f"Phase {phase}, {registry.PHASES[phase]}" if phase else registry.PHASES[0]


def masked(line: str) -> str:
    """A line of a compose file without its secrets."""
    found = re.match(r"""(\s*(?:-\s*)?["']?)([A-Za-z_][\w.]*)(["']?\s*[:=]\s*)(.*)$""", line)
    secret = bool(found and sounds_secret(found[2]))
    # Variables are shown as they are written, but for defaults that are secrets.
    variables: list[str] = []
    parts, at = [], 0
    for use in uses(line):
        hidden = use.default and (secret or sounds_secret(use.name) or list(uses(use.word)))
        written = f"${{{use.name}{use.operator}{'<secret>' if hidden else redact(use.word)}}}"
        variables.append(written if line[use.start + 1] == "{" else line[use.start : use.end])
        parts += [line[at : use.start], chr(_FIRST_HELD + len(variables) - 1)]
        at = use.end
    line = "".join([*parts, line[at:]])
    if found and secret and found[4].strip():
        name, value = line[: found.start(4)], line[found.start(4) :]
        plain = re.fullmatch(r"[\ue000-\uf8ff\"']+|[|>&*][\w-]*|\S*://\S*", value.strip())
        line = f"{name}{value if plain else '<secret>'}"
    line = _INLINE.sub(_inline_masked, line)
    line = re.sub(
        r"(--requirepass|--password|-a)([ =,\"']+)(?![-$\ue000-\uf8ff])[^\s\"',\]]+", r"\1\2<secret>", line
    )
    line = redact(re.sub(r"[A-Za-z0-9+/=_-]{40,}", "<secret>", line))
    for number, written in enumerate(variables):
        line = line.replace(chr(_FIRST_HELD + number), written)
    return line


def _inline_masked(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}<secret>" if sounds_secret(found[1]) else found[0]


def quoted(line: str, refused: bool) -> str:
    """A line of a compose file as it is shown: without its value where Compose refuses it, because that may be a secret."""
    found = _ENTRY.match(line) if refused else None
    if found and not _REFERENCE.fullmatch(found[2]):
        line = f"{found[1]}…"
    return one_line(masked(line))


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A report on some files: the defects in their order, the files' ``lines`` by path, and the notes.

    ``applied`` are the ids of the rules that were applied, where they are to be named; ``color``: for a terminal.
    """

    told: Sequence[Told]
    lines: dict[str, tuple[str, ...]]
    notes: Iterable[str] = ()
    files: int = 1
    applied: Sequence[str] = ()
    color: bool = False

    def __str__(self) -> str:
        parts: list[str] = []
        for severity, title in ((Severity.ERROR, "Errors"), (Severity.WARNING, "Warnings")):
            parts += self._section(title, [told for told in self.told if told.finding.severity is severity])
        if notes := [f"  {one_line(redact(note))}" for note in self.notes]:
            parts += ["", self._painted("Notes", "heading"), *notes]
        if self.applied:
            parts += self._rules()
        return "\n".join([*parts, "", *self._phases(), self._total()])

    def _painted(self, text: str, style: str) -> str:
        return painted(text, style, self.color)

    def _section(self, title: str, told: list[Told]) -> list[str]:
        parts = ["", self._painted(title, "heading")] if told else []
        heading = ""
        for each in told:
            if _heading(each.finding) != heading:
                heading = _heading(each.finding)
                parts += ["", self._painted(f" {heading}", "heading")]
            parts += self._defect(each)
        return parts

    def _defect(self, told: Told) -> list[str]:
        finding, place = told.finding, told.place
        severity = str(finding.severity)
        parts = [f"  {self._painted(severity, severity)}  {finding.id}  {told.where}".rstrip()]
        source = self.lines.get(place.path, ()) if place else ()
        if place and place.line and place.line <= len(source):
            shown = quoted(source[place.line - 1], finding.id in REFUSED)
            parts.append(self._painted(f"      {place.line} | {shown}", "faint"))
        return [
            *parts,
            f"      {finding.problem}",
            f"      impact: {finding.impact}",
            f"      fix: {finding.fix}",
        ]

    def _rules(self) -> list[str]:
        found: Counter[str] = Counter()
        for told in self.told:
            found[told.finding.id] += max(len(told.places), 1)
        return [
            "",
            self._painted(f"Rules applied: {len(self.applied)}", "heading"),
            *(f"  {id}: {_count(found[id], 'place')}" for id in self.applied),
        ]

    def _phases(self) -> list[str]:
        headings = dict.fromkeys(
            _heading(told.finding)
            for told in sorted(self.told, key=lambda told: (needs_base(told.finding), phase_of(told.finding)))
        )
        return [
            f"{heading}: {_counts([each for each in self.told if _heading(each.finding) == heading])}"
            for heading in headings
        ]

    def _total(self) -> str:
        files = _count(self.files, "file")
        if not self.told:
            return f"gate: {files}, {self._painted('no finding', 'good')}"
        errors = any(told.finding.severity is Severity.ERROR for told in self.told)
        return f"gate: {files}, {self._painted(_counts(self.told), 'error' if errors else 'warning')}"


def _counts(told: Sequence[Told]) -> str:
    errors = sum(each.finding.severity is Severity.ERROR for each in told)
    return f"{_count(errors, 'error')}, {_count(len(told) - errors, 'warning')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
