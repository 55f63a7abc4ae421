"""Annotations: GitHub's workflow commands, which show each finding beside its line in a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from lago_acceptance.core.findings import Finding
from lago_acceptance.gate.formatters.ordering import ordered


def commands(findings: Iterable[Finding]) -> list[str]:
    """One workflow command for each finding."""
    return [_command(finding) for finding in ordered(findings)]


def _command(finding: Finding) -> str:
    place = finding.place
    properties = [f"title={_property(finding.id)}"]
    if place and place.line:
        properties.insert(0, f"line={place.line}")
    if place:
        properties.insert(0, f"file={_property(place.path)}")
    message = f"{finding.problem}; impact: {finding.impact}; fix: {finding.fix}"
    return f"::{finding.severity} {','.join(properties)}::{_message(message)}"


def _message(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _message(value).replace(":", "%3A").replace(",", "%2C")
