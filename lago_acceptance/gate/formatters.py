"""What the gate says: to people in the terminal, to machines as JSON, SARIF 2.1.0 and GitHub's annotations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.core import registry, waivers
from lago_acceptance.core.findings import Finding, Severity
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.model.interpolation import expand, uses
from lago_acceptance.rules import change_rules, rules

# What these rules report, Compose does not take.
REFUSED = ("compose-invalid", "compose-interpolation-error")
# What leads to a value in a line, and the value; and a value that only names a variable.
_ENTRY = re.compile(r"""([\s-]*+(?:["']?[\w.-]+["']?(?::(?=\s|$)|=))?+\s*+)(\S.*)$""")
_REFERENCE = re.compile(r"[\"']?\$\{?\w+(?::?\?)?\}?[\"']?")
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def phase_of(finding: Finding) -> int:
    """The phase of a finding."""
    entry = registry.known(finding.id)
    return entry.phase if entry else 0


def _heading(finding: Finding) -> str:
    entry = registry.known(finding.id)
    if entry and entry.needs_base:
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
    """A line of a compose file as it is shown. Of one that Compose refuses, its value is not: any secret may stand there."""
    found = _ENTRY.match(line) if refused else None
    if found and not _REFERENCE.fullmatch(found[2]):
        line = f"{found[1]}…"
    return masked(line).strip()


def _order(finding: Finding) -> tuple:
    place = finding.place
    entry = registry.known(finding.id)
    return (
        entry is not None and entry.needs_base,
        phase_of(finding),
        finding.severity is not Severity.ERROR,
        place.path if place else "",
        place.line or 0 if place else 0,
        finding.id,
    )


def text(findings: list[Finding], lines: dict[str, tuple[str, ...]], notes: list[str], files: int) -> str:
    """The findings grouped by phase, each with its place, its line, what it leads to and how to mend it.

    ``lines`` are the files' texts by path.
    """
    parts: list[str] = []
    heading = ""
    for finding in sorted(findings, key=_order):
        if _heading(finding) != heading:
            heading = _heading(finding)
            parts.append(f"\n{heading}")
        parts.append(
            f"  {finding.severity}  {finding.id}  "
            f"{finding.place or ''}{f'  {finding.service}' if finding.service else ''}"
        )
        place = finding.place
        source = lines.get(place.path, ()) if place else ()
        if place and place.line and place.line <= len(source):
            parts.append(f"      {place.line} | {quoted(source[place.line - 1], finding.id in REFUSED)}")
        parts += [
            f"      {redact(finding.problem)}",
            f"      impact: {redact(finding.impact)}",
            f"      fix: {redact(finding.fix)}",
        ]
    parts += [""] + [f"note: {redact(note)}" for note in notes]
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    counted = f"{errors} error{'s' * (errors != 1)}, {len(findings) - errors} warning{'s' * (len(findings) - errors != 1)}"
    parts.append(f"gate: {files} file{'s' * (files != 1)}, " + (counted if findings else "no finding"))
    return "\n".join(parts)


def as_json(findings: list[Finding]) -> list[dict[str, Any]]:
    """A list of {rule, severity, phase, service, path, line, message, fix} in the order of the text."""
    return [
        {
            "rule": finding.id,
            "severity": str(finding.severity),
            "phase": phase_of(finding),
            "service": finding.service,
            "path": finding.place.path if finding.place else None,
            "line": finding.place.line if finding.place else None,
            "message": redact(f"{finding.problem}; impact: {finding.impact}"),
            "fix": redact(finding.fix),
        }
        for finding in sorted(findings, key=_order)
    ]


def _of_the_gate() -> list[registry.Entry]:
    found = [rule.entry for rule in (*rules().values(), *change_rules().values())]
    return [*found, *waivers.ENTRIES]


def _described(entry: registry.Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": " ".join(f"{entry.title}\n{entry.page}".split())},
        "defaultConfiguration": {"level": str(entry.severity)},
        "properties": {"phase": entry.phase},
    }


def as_sarif(findings: list[Finding]) -> dict[str, Any]:
    """The findings as one SARIF 2.1.0 run; every rule is described, found or not."""
    described = [_described(entry) for entry in _of_the_gate()]
    index = {rule["id"]: number for number, rule in enumerate(described)}
    results = []
    for finding in sorted(findings, key=_order):
        result: dict[str, Any] = {
            "ruleId": finding.id,
            "ruleIndex": index[finding.id],
            "level": str(finding.severity),
            "message": {
                "text": redact(
                    f"{finding.service + ': ' if finding.service else ''}{finding.problem}. "
                    f"Impact: {finding.impact}. Fix: {finding.fix}"
                )
            },
        }
        if finding.place:
            location: dict[str, Any] = {"artifactLocation": {"uri": Path(finding.place.path).as_posix()}}
            if finding.place.line:
                location["region"] = {"startLine": finding.place.line}
            result["locations"] = [{"physicalLocation": location}]
        results.append(result)
    driver = {"name": "lago-acceptance", "informationUri": "https://www.getlago.com", "rules": described}
    return {
        "$schema": SARIF,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def annotations(findings: list[Finding]) -> list[str]:
    """GitHub's workflow commands, one line per finding."""

    def escaped(value: str, inside: bool = False) -> str:
        value = redact(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        return value.replace(":", "%3A").replace(",", "%2C") if inside else value

    lines = []
    for finding in sorted(findings, key=_order):
        where = f"file={escaped(finding.place.path, True)}," if finding.place else ""
        line = f"line={finding.place.line}," if finding.place and finding.place.line else ""
        lines.append(
            f"::{finding.severity} "
            f"{where}{line}title={escaped(finding.id, True)}::{escaped(f'{finding.problem}; impact: {finding.impact}; fix: {finding.fix}')}"
        )
    return lines


def write(folder: Path, findings: list[Finding]) -> None:
    """gate.json and gate.sarif, in the reports' folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("gate.json", as_json(findings)), ("gate.sarif", as_sarif(findings))):
        (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
