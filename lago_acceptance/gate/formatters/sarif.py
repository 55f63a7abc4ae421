"""gate.sarif: SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from lago_acceptance import DOCUMENTATION, __version__
from lago_acceptance.core import waivers
from lago_acceptance.core.findings import Place, Told
from lago_acceptance.core.registry import Entry

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(findings: Iterable[Told], rules: Iterable[Entry]) -> dict[str, Any]:
    """The findings as one run; ``rules`` are all that were applied, whether they found anything or not."""
    described = [_rule(entry) for entry in (*rules, *waivers.ENTRIES)]
    index = {rule["id"]: number for number, rule in enumerate(described)}
    driver = {
        "name": "lago-acceptance",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": "https://www.getlago.com",
        "rules": described,
    }
    results = [_result(told, index) for told in findings]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(entry: Entry) -> dict[str, Any]:
    described = _described(entry)
    if DOCUMENTATION:
        described["helpUri"] = f"{DOCUMENTATION.rstrip('/')}/checks#{entry.id}"
    return described


def _described(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": " ".join(f"{entry.title}\n{entry.page}".split())},
        "help": {
            "text": f"{entry.page or entry.title}\nExplained by: lago-gate --explain {entry.id}",
            "markdown": f"{entry.page or entry.title}\n\nSee `lago-gate --explain {entry.id}` or `docs/checks.md#{entry.id}`.",
        },
        "defaultConfiguration": {"level": str(entry.severity)},
        "properties": {"phase": entry.phase},
    }


def _result(told: Told, index: dict[str, int]) -> dict[str, Any]:
    finding = told.finding
    services = f"{', '.join(told.services)}: " if told.services else ""
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index[finding.id],
        "level": str(finding.severity),
        "message": {"text": f"{services}{finding.problem}. Impact: {finding.impact}. Fix: {finding.fix}"},
    }
    # Code scanning shows the first location of a result; the related ones are links below it.
    if told.places:
        result["locations"] = [_location(told.places[0])]
    if others := told.places[1:]:
        result["relatedLocations"] = [{"id": at, **_location(place)} for at, place in enumerate(others, 1)]
    return result


def _location(place: Place) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path)}}
    if place.line:
        location["region"] = {"startLine": place.line}
    return {"physicalLocation": location}
