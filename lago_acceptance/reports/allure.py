"""Allure's results in the run's folder, in the format of allure-pytest.

allure-pytest's own plugin follows every step of every check, which takes a fifth of a short run; ``--alluredir``
still loads it.
"""

from __future__ import annotations

import html
import json
import mimetypes
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from allure_commons.model2 import (
    Attachment,
    GlobalAttachment,
    GlobalError,
    Globals,
    Label,
    Parameter,
    StatusDetails,
    TestAfterResult,
    TestBeforeResult,
    TestResult,
    TestResultContainer,
    TestStepResult,
)
from allure_commons.utils import md5
from attr import asdict

from lago_acceptance.core import consequences, registry, report_files
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.printable import one_line, printable
from lago_acceptance.core.registry import PHASES, Severity
from lago_acceptance.core.secrets import Redactor, redact
from lago_acceptance.reports.summary import Check, Step, Summary, slug, unix

# Allure has five words. Blocked keeps a run from being accepted, so it is not among what is skipped.
STATUS = {
    "passed": "passed",
    "failed": "failed",
    "crashed": "broken",
    "blocked": "broken",
    "unknown": "unknown",
    "skipped": "skipped",
    "waived": "skipped",
}
# Each with the statuses and messages that it is for. Allure 2 matches whole messages.
CATEGORIES = (
    ("Deployment fault", ("failed",), r"[\s\S]*"),
    ("Blocked", ("broken",), r"blocked by [\s\S]*"),
    ("Not judged", ("unknown",), r"[\s\S]*"),
    ("Fault of the suite", ("broken",), r"(?!blocked by )[\s\S]*"),
    ("Waived or skipped", ("skipped",), r"[\s\S]*"),
)
BEFORE, AFTER = "setup", "teardown"
STEPS = {
    BEFORE: "Set up what it needs",
    "call": "Judge",
    AFTER: "Clean up",
    "deploy": "Deploy",
    "prepare": "Prepare: images, files, connections",
    "up": "Bring the deployment up",
    "observe": "Read the host's facts",
    "down": "Take the deployment down",
}
TRACE = "application/vnd.allure.playwright-trace"
_ABBREVIATIONS = {each.lower(): each for each in ("API", "CORS", "DNS", "HTTP", "PEM", "UI", "RSA", "TLS")}
_ABBREVIATIONS |= {"apis": "API's", "lagos": "Lago's", "lago": "Lago", "redis": "Redis", "traefik": "Traefik"}


def write(folder: Path, summary: Summary) -> list[str]:
    """Write a result for each check into a new folder, with what the run has written beside that folder attached.

    Returns the names of what would hold a secret and was not written. NotWritten where the disk is at fault.
    """
    return _Results(folder, summary).write()


class _Results:
    def __init__(self, folder: Path, summary: Summary):
        self._folder, self._summary = folder, summary.harmless()
        self._reports = folder.parent
        self._leaking: list[str] = []
        self._logs = dict(_logs(self._reports / "logs"))

    def write(self) -> list[str]:
        report_files.make_folder(self._folder)
        summary = self._summary
        results = [self._result(check) for check in summary.checks]
        for check, result in zip(summary.checks, results, strict=True):
            self._put(result.file_pattern.format(prefix=result.uuid), result, check.name)
        if container := _fixtures(summary.checks, [each.uuid for each in results]):
            self._put(container.file_pattern.format(prefix=uuid.uuid4()), container)
        if whole := self._globals():
            self._put(whole.file_pattern.format(prefix=uuid.uuid4()), whole)
        self._put("environment.properties", _properties(_environment(summary)))
        self._put("executor.json", executor(os.environ, summary.run))
        self._put("categories.json", categories())
        return self._leaking

    def _put(self, name: str, content: object, called: str = "") -> None:
        text = content if isinstance(content, str) else json.dumps(_plain(content), ensure_ascii=False)
        if Redactor.shared.leaks(text):
            self._leaking.append(called or name)
        else:
            report_files.write(self._folder / name, text.encode())

    def _result(self, check: Check) -> TestResult:
        path, _, test = check.name.rpartition("::")
        test, _, parameter = test.removesuffix("]").partition("[")
        package = path.removesuffix(".py").replace("/", ".")
        full_name = f"{package}#{test}"
        message, trace = _said(check)
        parameters = {"host": redact(self._summary.key) or "this machine", "case": parameter}
        labels = {
            "epic": f"Phase {check.phase}: {PHASES.get(check.phase, '')}",
            "feature": in_words(package.rpartition(".")[2]),
            "story": check.about or in_words(test),
            "severity": severity(check),
            "parentSuite": package.rpartition(".")[0],
            "suite": package.rpartition(".")[2],
            "host": redact(self._summary.host) or "this machine",
            "framework": "pytest",
            "package": package,
        }
        tags = dict.fromkeys([f"phase{check.phase}", check.outcome, *(each.id for each in check.findings)])
        return TestResult(
            uuid=str(uuid.uuid4()),
            historyId=md5(f"{self._summary.key}\n{check.name}"),  # type: ignore[no-untyped-call]
            testCaseId=md5(full_name),  # type: ignore[no-untyped-call]
            fullName=full_name,
            name=title(test, parameter),
            status=STATUS.get(check.outcome, "skipped"),
            statusDetails=StatusDetails(message=message, trace=trace, known=check.outcome == "waived" or None)
            if message
            else None,
            stage="finished",
            descriptionHtml=_description(check, parameter),
            start=round(check.started * 1000),
            stop=round((check.started + check.seconds) * 1000),
            labels=[
                *(Label(name, value) for name, value in labels.items() if value),
                *(Label("tag", each) for each in tags),
            ],
            parameters=[Parameter(name, value) for name, value in parameters.items() if value],
            steps=[_step(step, check) for step in check.steps],
            attachments=list(self._attachments(check)),
        )

    def _attachments(self, check: Check) -> Iterator[Attachment]:
        names = {(each.service, each.role) for each in check.findings}
        for path, service, role in self._logs.values():
            if any((service and service == name) or (role and role == of) for name, of in names):
                yield self._attached(path)
        if check.outcome not in ("passed", "waived"):
            for ending in (".png", "-trace.zip"):
                path = self._reports / "browser" / f"{slug(check.name)}{ending}"
                if path.is_file():
                    yield self._attached(path)

    def _attached(self, path: Path) -> Attachment:
        """A file of the run under a name that Allure takes for an attachment."""
        kind = TRACE if path.name.endswith("-trace.zip") else mimetypes.guess_type(path.name)[0]
        source = f"{uuid.uuid4()}-attachment{path.suffix}"
        with report_files.writing(self._folder / source):
            try:
                # A trace may have megabytes.
                os.link(path, self._folder / source)
            except OSError:
                shutil.copyfile(path, self._folder / source)
                (self._folder / source).chmod(report_files.FILE)
        return Attachment(path.name, source, kind or "text/plain")

    def _globals(self) -> Globals | None:
        """What is the whole run's: the logs of unwell containers, and why there is no verdict."""
        at = round((unix(self._summary.ended) or 0) * 1000)
        files = [self._attached(path) for path, _, _ in self._logs.values()]
        errors = []
        if self._summary.exit_code not in (0, 1):
            said = "\n".join(printable(redact(each)) for each in self._summary.notes)
            errors = [GlobalError(message=self._summary.verdict, trace=said, timestamp=at)]
        if not (files or errors):
            return None
        return Globals([GlobalAttachment(each.name, each.source, each.type, at) for each in files], errors)


def categories() -> list[dict[str, Any]]:
    """What kinds of results there are: for categories.json, and for the configuration of Allure 3."""
    return [
        {"name": name, "matchedStatuses": list(statuses), "messageRegex": f"^{message}$"}
        for name, statuses, message in CATEGORIES
    ]


def executor(variables: Mapping[str, str], run: str) -> dict[str, Any]:
    """Who ran it, as executor.json says it: GitHub, GitLab, Jenkins, or this machine."""

    def number(name: str) -> int | None:
        text = variables.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else None

    if variables.get("GITHUB_ACTIONS"):
        repository = f"{variables.get('GITHUB_SERVER_URL', '')}/{variables.get('GITHUB_REPOSITORY', '')}"
        said: dict[str, Any] = {
            "name": "GitHub Actions",
            "type": "github",
            "url": repository,
            "buildOrder": number("GITHUB_RUN_NUMBER"),
            "buildName": f"{variables.get('GITHUB_WORKFLOW', '')} #{variables.get('GITHUB_RUN_NUMBER', '')}",
            "buildUrl": f"{repository}/actions/runs/{variables.get('GITHUB_RUN_ID', '')}",
        }
    elif variables.get("GITLAB_CI"):
        said = {
            "name": "GitLab CI",
            "type": "gitlab",
            "url": variables.get("CI_PROJECT_URL"),
            "buildOrder": number("CI_PIPELINE_IID"),
            "buildName": f"{variables.get('CI_JOB_NAME', '')} #{variables.get('CI_PIPELINE_IID', '')}",
            "buildUrl": variables.get("CI_JOB_URL"),
        }
    elif variables.get("JENKINS_URL"):
        said = {
            "name": "Jenkins",
            "type": "jenkins",
            "url": variables.get("JENKINS_URL"),
            "buildOrder": number("BUILD_NUMBER"),
            "buildName": f"{variables.get('JOB_NAME', '')} #{variables.get('BUILD_NUMBER', '')}",
            "buildUrl": variables.get("BUILD_URL"),
        }
    else:
        said = {"name": "lago-acceptance", "type": "local", "buildName": run}
    return {
        name: one_line(redact(value)) if isinstance(value, str) else value
        for name, value in said.items()
        if value
    }


def severity(check: Check) -> str:
    """Allure's word for how bad it is: the worst of the check's findings."""
    errors = [each for each in check.findings if each.severity is Severity.ERROR]
    if any(each.id in consequences.STOPS_BILLING for each in errors):
        return "blocker"
    return "critical" if errors else "minor" if check.findings else "normal"


def title(test: str, parameter: str) -> str:
    """A check's name for a reader: the title of its rule, else its function's name in words, with its case."""
    entry = registry.known(parameter) if parameter else None
    if entry:
        return entry.title.removesuffix(".")
    return f"{in_words(test)} [{parameter}]" if parameter else in_words(test)


def in_words(name: str) -> str:
    """``test_the_apis_key`` as "The API's key"."""
    words = [_ABBREVIATIONS.get(word, word) for word in name.removeprefix("test_").split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _said(check: Check) -> tuple[str, str]:
    """Why it ended so: a line, by which Allure puts alike results together, and the whole."""
    if check.findings:
        return str(check.findings[0]).partition("\n")[0], "\n".join(map(str, check.findings))
    whole = "\n".join(filter(None, (check.reason, check.fix and f"fix: {check.fix}")))
    if check.blocked_by:
        return f"blocked by {check.blocked_by}", whole
    lines = (check.why or check.reason).strip().splitlines() or [""]
    # A traceback ends with what was raised.
    return lines[-1 if check.outcome == "crashed" else 0], whole


def _description(check: Check, parameter: str) -> str:
    """Problem, impact and fix of each finding, and what the check is about."""
    parts = [_of_finding(finding) for finding in check.findings]
    if check.reason and not check.findings:
        parts.append(_paragraph(check.outcome.capitalize(), check.reason))
        parts.append(_paragraph("Fix", check.fix))
    if check.blocked_by:
        parts.append(_paragraph("Blocked by", f"{check.blocked_by}: make that check pass first"))
    ids = dict.fromkeys([*(each.id for each in check.findings), check.blocked_by, parameter])
    for entry in filter(None, (registry.known(id) for id in ids if id)):
        page = f"{entry.title} {entry.page}".strip()
        parts.append(_paragraph(entry.id, " ".join(page.split())))
    return "".join(filter(None, parts)) or _paragraph("", check.about)


def _of_finding(finding: Finding) -> str:
    where = " ".join(str(part) for part in (finding.service or finding.role, finding.place) if part)
    head = f"{where}: {finding.problem}" if where else finding.problem
    lines = (("Problem", head), ("Impact", finding.impact), ("Fix", finding.fix))
    return "".join(_paragraph(name, text) for name, text in lines)


def _paragraph(name: str, text: str) -> str:
    if not text:
        return ""
    body = html.escape(printable(text)).replace("\n", "<br>")
    return f"<p><strong>{html.escape(name)}:</strong> {body}</p>" if name else f"<p>{body}</p>"


def _step(step: Step, check: Check) -> TestStepResult:
    # What came last is what it ended in.
    last = step is check.steps[-1] or step.name == "call"
    return TestStepResult(
        name=STEPS.get(step.name, step.name),
        status=STATUS.get(check.outcome, "skipped") if last and step.name != AFTER else "passed",
        stage="finished",
        start=round(step.started * 1000),
        stop=round((step.started + step.seconds) * 1000),
        steps=[_step(each, check) for each in step.steps],
    )


def _fixtures(checks: Iterable[Check], children: list[str]) -> TestResultContainer | None:
    """What was done once for all checks: Allure shows it as their set-up and tear-down."""
    made: dict[str, list[Any]] = {BEFORE: [], AFTER: []}
    for check in checks:
        for step in check.steps:
            kind = TestAfterResult if step.name == AFTER else TestBeforeResult
            made[AFTER if step.name == AFTER else BEFORE] += [
                kind(
                    name=STEPS.get(each.name, each.name),
                    status="passed",
                    stage="finished",
                    start=round(each.started * 1000),
                    stop=round((each.started + each.seconds) * 1000),
                )
                for each in step.steps
            ]
    if not any(made.values()):
        return None
    return TestResultContainer(
        uuid=str(uuid.uuid4()), name="run", children=children, befores=made[BEFORE], afters=made[AFTER]
    )


def _environment(summary: Summary) -> dict[str, str]:
    found = summary.deployment
    return {
        "Host": summary.key,
        "Target": summary.target,
        "Verdict": summary.verdict,
        "Billing": summary.billing,
        "Lago": found.lago,
        "Deployment": found.directory,
        "Compose file": found.compose_file,
        "Compose file's SHA-256": found.compose_digest,
        "Stand-ins": ", ".join(summary.stand_ins),
        "Suite": f"lago-acceptance {summary.version}",
        "Run": summary.run,
        "Started": summary.started,
    }


def _properties(values: Mapping[str, str]) -> str:
    """Java's properties, without what its readers take for more than text."""

    def escaped(text: str) -> str:
        return re.sub(r"([\\:=#! ])", r"\\\1", one_line(redact(text)))

    return "".join(f"{escaped(name)}={escaped(value)}\n" for name, value in values.items() if value)


def _logs(folder: Path) -> Iterator[tuple[str, tuple[Path, str, str]]]:
    """The files of unwell containers, each with its service and role."""
    for described in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError):
            about = json.loads(described.read_bytes())
            for path in (described.with_suffix(".log"), described):
                if path.is_file():
                    yield path.name, (path, about["service"], about["role"])


def _plain(content: Any) -> Any:
    if hasattr(content, "__attrs_attrs__"):
        return asdict(content, filter=lambda _, value: bool(value) or value is False)
    return content
