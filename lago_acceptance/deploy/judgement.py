"""The gate over what is about to be deployed, compared with what is deployed now."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from lago_acceptance.core import private_folders, report_files
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.gate.engine import Judging, Question, judge


def errors(
    plan: Plan,
    folder_given: Path,
    deployment: Deployment,
    settings: Path | None,
    waivers: WaiverFile,
    despite: Collection[str],
) -> list[Finding]:
    """The errors that the gate finds in a plan's new files, without those that are waived or named by ``despite``.

    ``folder_given`` is where the operator has these files.
    """
    before = {path: file.content for path, file in plan.old.items() if file.content}
    with private_folders.temporary("lago-deploy-") as folder:
        new, old = _written(folder / "new", before | plan.new), _written(folder / "old", before)
        base = old / deployment.compose_file
        question = Question(
            _existing(new / deployment.env_file),
            str(base) if base.is_file() else None,
            settings,
            _existing(old / deployment.env_file),
        )
        with Judging([new / deployment.compose_file], question) as judging:
            found = judge(judging.verdicts, waivers).findings
    return [
        _placed(each, new, folder_given)
        for each in found
        if each.severity is Severity.ERROR and each.id not in despite
    ]


def _placed(finding: Finding, copied: Path, given: Path) -> Finding:
    """The finding with its place as the operator knows it."""
    if finding.place is None:
        return finding
    path = finding.place.path.replace(str(copied), str(given))
    return msgspec.structs.replace(finding, place=Place(path, finding.place.line))


def _written(folder: Path, contents: dict[str, bytes]) -> Path:
    report_files.make_folder(folder)
    for path, content in contents.items():
        report_files.make_folder((folder / path).parent)
        report_files.write(folder / path, content)
    return folder


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
