"""gate.sarif: SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from typing import Any
from urllib.parse import quote

from lago_acceptance import __version__
from lago_acceptance.core import waivers
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Entry
from lago_acceptance.gate.formatters.ordering import ordered

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(findings: Iterable[Finding], rules: Iterable[Entry]) -> dict[str, Any]:
    """The findings as one run; ``rules`` are all that were applied, whether they found anything or not."""
    pages = documentation()
    described = [_rule(entry, pages) for entry in (*rules, *waivers.ENTRIES)]
    index = {rule["id"]: number for number, rule in enumerate(described)}
    driver = {
        "name": "lago-acceptance",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": "https://www.getlago.com",
        "rules": described,
    }
    results = [_result(finding, index) for finding in ordered(findings)]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def documentation() -> str:
    """Where the documentation is on the web: the address in pyproject.toml's urls, "" where there is none."""
    try:
        said = metadata.metadata("lago-acceptance").get_all("Project-URL", [])
    except metadata.PackageNotFoundError:
        return ""
    urls = (each.partition(",") for each in said)
    return next((url.strip() for name, _, url in urls if name.lower() == "documentation"), "")


def _rule(entry: Entry, pages: str) -> dict[str, Any]:
    described = _described(entry)
    if pages:
        described["helpUri"] = f"{pages.rstrip('/')}/checks#{entry.id}"
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


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    service = f"{finding.service}: " if finding.service else ""
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": index[finding.id],
        "level": str(finding.severity),
        "message": {"text": f"{service}{finding.problem}. Impact: {finding.impact}. Fix: {finding.fix}"},
    }
    if place := finding.place:
        location: dict[str, Any] = {"artifactLocation": {"uri": quote(place.path)}}
        if place.line:
            location["region"] = {"startLine": place.line}
        result["locations"] = [{"physicalLocation": location}]
    return result
