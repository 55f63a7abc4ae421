"""Annotations: GitHub's workflow commands, which show each finding beside its line in a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from lago_acceptance.core.findings import Told


def commands(findings: Iterable[Told]) -> list[str]:
    """One workflow command for each defect, at its first place; the message names the others."""
    return [_command(told) for told in findings]


def _command(told: Told) -> str:
    finding, place = told.finding, told.place
    properties = [f"title={_property(finding.id)}"]
    if place and place.line:
        properties.insert(0, f"line={place.line}")
    if place:
        properties.insert(0, f"file={_property(place.path)}")
    others = f" (in all: {told.where})" if len(told.places) > 1 else ""
    message = f"{finding.problem}{others}; impact: {finding.impact}; fix: {finding.fix}"
    return f"::{finding.severity} {','.join(properties)}::{_message(message)}"


def _message(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _message(value).replace(":", "%3A").replace(",", "%2C")
