"""junit.xml: a test suite for each phase, named after host and phase.

CI servers know four ends of a test. What failed is a ``failure``; what is blocked or crashed is an ``error``, which keeps
a job red as the exit code does; what can't be seen from here, was skipped or is waived is ``skipped``, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from lago_acceptance.core import report_files
from lago_acceptance.core.printable import one_line, printable
from lago_acceptance.core.registry import PHASES
from lago_acceptance.core.secrets import redact
from lago_acceptance.reports.summary import Check, iso

# What ended the run, and is of no phase.
NO_PHASE = -1
_ENDS = {
    "failed": "failure",
    "blocked": "error",
    "crashed": "error",
    "unknown": "skipped",
    "skipped": "skipped",
    "waived": "skipped",
}


def write(path: Path, checks: Iterable[Check], host: str, properties: Mapping[str, str]) -> None:
    """Write the checks as XML; ``properties`` are those of each suite. NotWritten where that fails."""
    by_phase: dict[int, list[Check]] = {}
    for check in checks:
        by_phase.setdefault(check.phase, []).append(check)
    root = ElementTree.Element("testsuites", name=_line(f"lago-acceptance on {host}"))
    for phase, mine in sorted(by_phase.items()):
        root.append(_suite(phase, mine, host, properties))
    _count(root, [check for mine in by_phase.values() for check in mine])
    ElementTree.indent(root, " ")
    content = ElementTree.tostring(root, "utf-8", xml_declaration=True) + b"\n"
    if path.exists() and not path.is_file():
        # Such as /dev/null, which is not to be replaced.
        with report_files.writing(path):
            path.write_bytes(content)
    else:
        report_files.write(path, content)


def _suite(
    phase: int, checks: Sequence[Check], host: str, properties: Mapping[str, str]
) -> ElementTree.Element:
    named = "the run itself" if phase == NO_PHASE else f"phase {phase} {PHASES.get(phase, '')}"
    suite = ElementTree.Element("testsuite", name=_line(f"{host} {named}"), hostname=_line(host))
    started = [check.started for check in checks if check.started]
    if started:
        suite.set("timestamp", iso(min(started)).removesuffix("Z"))
    _count(suite, checks)
    known = ElementTree.SubElement(suite, "properties")
    for name, value in properties.items():
        ElementTree.SubElement(known, "property", name=_line(name), value=_line(value))
    for check in checks:
        suite.append(_case(check))
    return suite


def _case(check: Check) -> ElementTree.Element:
    path, _, name = check.name.rpartition("::")
    package = path.removesuffix(".py").replace("/", ".").replace("::", ".")
    case = ElementTree.Element(
        "testcase", classname=_line(package), name=_line(name), time=f"{check.seconds:.3f}"
    )
    said = "\n".join(map(str, check.findings)) or "\n".join(filter(None, (check.reason, check.fix)))
    if end := _ENDS.get(check.outcome):
        kind = check.findings[0].id if end == "failure" and check.findings else check.outcome
        first = said.removeprefix("not judged: ")
        if by := check.blocked_by:
            first = f"blocked by {by}: {first.removesuffix(f' (because of {by})')}"
        found = ElementTree.SubElement(case, end, type=_line(kind), message=_line(first.partition("\n")[0]))
        found.text = printable(redact(said))
    elif said:
        # Warnings.
        ElementTree.SubElement(case, "system-out").text = printable(redact(said))
    return case


def _count(element: ElementTree.Element, checks: Sequence[Check]) -> None:
    ends = [_ENDS.get(check.outcome) for check in checks]
    counted = {"tests": len(checks)}
    counted |= {
        name: ends.count(end)
        for name, end in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    for name, number in counted.items():
        element.set(name, str(number))
    element.set("time", f"{sum(check.seconds for check in checks):.3f}")


def _line(text: str) -> str:
    return one_line(redact(text))
