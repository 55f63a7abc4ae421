"""Allure's results in the run's folder, one for each check, in the format of allure-pytest.

allure-pytest's own plugin follows every step of every check, which takes a fifth of a short run; ``--alluredir``
still loads it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from pathlib import Path

from allure_commons.model2 import Label, Parameter, StatusDetails, TestResult
from allure_commons.utils import host_tag, md5
from attr import asdict

from lago_acceptance.core import report_files
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.reports.summary import Check

STATUS = {"passed": "passed", "failed": "failed", "crashed": "broken"}


def write(folder: Path, checks: Iterable[Check]) -> list[str]:
    """Write a result file for each check into a new folder; returns the names of the checks whose result would hold a secret and was not written."""
    report_files.make_folder(folder)
    host = host_tag()  # type: ignore[no-untyped-call]
    leaking = []
    for check in checks:
        path, _, test = check.name.rpartition("::")
        test, _, parameter = test.removesuffix("]").partition("[")
        package = path.removesuffix(".py").replace("/", ".")
        full_name = f"{package}#{test}"
        said = "\n".join(str(finding) for finding in check.findings) or check.reason
        labels = {
            "parentSuite": package.rpartition(".")[0],
            "suite": package.rpartition(".")[2],
            "tag": f"phase{check.phase}",
            "host": host,
            "framework": "pytest",
            "package": package,
        }
        result = TestResult(
            uuid=str(uuid.uuid4()),
            historyId=md5(check.name),  # type: ignore[no-untyped-call]
            testCaseId=md5(full_name),  # type: ignore[no-untyped-call]
            fullName=full_name,
            name=f"{test}[{parameter}]" if parameter else test,
            status=STATUS.get(check.outcome, "skipped"),
            statusDetails=StatusDetails(message=said.partition("\n")[0], trace=said) if said else None,
            stage="finished",
            start=round(check.started * 1000),
            stop=round((check.started + check.seconds) * 1000),
            labels=[Label(name, value) for name, value in labels.items() if value],
            parameters=[Parameter("case", parameter)] if parameter else [],
        )
        text = json.dumps(asdict(result, filter=lambda _, value: value or value is False), ensure_ascii=False)
        if Redactor.shared.leaks(text):
            leaking.append(check.name)
            continue
        report_files.write(folder / result.file_pattern.format(prefix=result.uuid), text.encode())
    return leaking
