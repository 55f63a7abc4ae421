"""Whether the old version is back after a deploy that failed, with all that it held; and what each way back keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, DB, WORKER
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.deploy import identity
from lago_acceptance.deploy.mistakes import Document, Edit, Mistake
from lago_acceptance.deploy.practice import Contents, Practice
from lago_acceptance.deploy.rollback import rollback, take_down

STACK = (registry.Vantage.STACK,)
LOSS = "a deploy like this one loses customers, invoices or usage in production"
READ = "read the log of the deploy, and restore the database from the dump that the deploy has kept (docs/runbooks/restore.md)"
DO_NOT = "do not deploy with this version of the suite; report what the log of the deploy says"


def _marked(document: Document, folder: Path) -> None:
    """A harmless change, for which API, workers and clock are recreated."""
    for service in document["services"].values():
        if "DATABASE_URL" in (service.get("environment") or {}):
            service["environment"]["LAGO_ACCEPTANCE_PRACTICE"] = "changed"


HARMLESS: Edit = _marked


@registry.check(
    phase=7,
    vantage=STACK,
    errors={
        "rollback-not-back": "A deploy that fails leaves the old version running, with its own files.",
        "rollback-loses-data": "Rolling back to the old version loses no data.",
        "rollback-loses-jobs": "Rolling back to the old version loses no waiting job.",
        "mistake-deployed": "A version that can't work does not stay deployed.",
        "mistake-not-named": "The report of a deploy that failed names the cause first.",
    },
)
def comes_back(practice: Practice, mistake: Mistake) -> Iterator[Finding]:
    """A version with a known mistake is deployed over one that works and holds data. The report must name the mistake first,
    and the old version must run again, with its files, its data and the jobs that wait.
    """
    before = practice.ensure()
    report = practice.refusal(mistake.edit)
    yield from _named(mistake, report)
    yield from _back(practice, before, mistake.name)


def _named(mistake: Mistake, report: str) -> Iterator[Finding]:
    cause = report.partition("\n")[0]
    if not report:
        yield Finding(
            id="mistake-deployed",
            role=API,
            problem=f"a version with the mistake {mistake.name} was deployed, and stayed",
            impact="a version that can't bill replaces one that can",
            fix=DO_NOT,
        )
    elif not re.search(mistake.named, cause):
        yield Finding(
            id="mistake-not-named",
            role=API,
            problem=f"the report of a deploy with the mistake {mistake.name} begins with {cause!r}",
            impact="whoever deploys is sent looking for the cause in the wrong place",
            fix=f"the first line should match {mistake.named!r}: correct the step that failed first",
        )


def _back(practice: Practice, before: Contents, what: str) -> Iterator[Finding]:
    try:
        now = practice.contents()
    except Unreachable as error:
        yield _not_back(what, f"it can't be asked: {error}")
        return
    changed = [name for name, digest in before.files.items() if now.files.get(name) != digest]
    if changed:
        yield _not_back(what, f"{', '.join(changed)} of the new version stayed in place")
    different = [name for name, running in before.services.items() if now.services.get(name) != running]
    if different:
        shown = ", ".join(f"{name} is {now.services.get(name, 'gone')}" for name in different)
        yield _not_back(what, shown)
    yield from _kept(before, now, what, "rollback-loses-data", "rollback-loses-jobs")


def _not_back(what: str, problem: str) -> Finding:
    return Finding(
        id="rollback-not-back",
        role=API,
        problem=f"after {what}, the old version is not back: {problem}",
        impact="Lago is down, or runs with the wrong files, until somebody repairs it by hand",
        fix="try lago-acceptance rollback HOST again; if that fails, " + READ,
    )


def _kept(before: Contents, now: Contents, what: str, data: str, jobs: str) -> Iterator[Finding]:
    """What was there before and is missing now, as findings of these ids."""
    lost = list(identity.lost(before.rows, now.rows))
    if missing := set(before.invoices) - set(now.invoices):
        lost.append(f"{len(missing)} of {len(before.invoices)} invoices are missing, or have changed")
    about_jobs = [each for each in lost if "jobs" in each]
    if gone := before.jobs - now.jobs:
        about_jobs.append(f"{len(gone)} jobs that were to run later are gone")
    if about_data := [each for each in lost if each not in about_jobs]:
        yield Finding(
            id=data, role=DB, problem=f"after {what}: {'; '.join(about_data)}", impact=LOSS, fix=READ
        )
    if about_jobs:
        yield Finding(
            id=jobs,
            role=WORKER,
            problem=f"after {what}: {'; '.join(about_jobs)}",
            impact="the invoices, webhooks and payments that those jobs should have produced never happen",
            fix=DO_NOT,
        )


FULL_DISK = Mistake("a full disk", HARMLESS, "the disk is too full for a dump")


def survives_a_full_disk(practice: Practice) -> Iterator[Finding]:
    """As ``comes_back``, where the disk has no room for the dump. Unknown where no small disk can be mounted."""
    before = practice.ensure()
    with practice.small_disk():
        report = practice.refusal(FULL_DISK.edit)
    yield from _named(FULL_DISK, report)
    yield from _back(practice, before, FULL_DISK.name)


@registry.check(
    phase=7,
    vantage=STACK,
    errors={"redeploy-loses-data": "Recreated containers find their data again."},
)
def finds_its_data_again(practice: Practice) -> Iterator[Finding]:
    """All containers are removed and recreated from the same files: the data and the jobs lie in volumes, and are found again."""
    before = practice.ensure()
    practice.remove_containers()
    practice.deploy()
    what = "all containers were recreated"
    yield from _kept(before, practice.contents(), what, "redeploy-loses-data", "redeploy-loses-data")


@registry.check(
    phase=7,
    vantage=STACK,
    errors={"rollback-removes-volumes": "Rolling back to the previous version keeps all volumes."},
)
def goes_back_and_keeps_volumes(practice: Practice) -> Iterator[Finding]:
    """A version that works is deployed, and the one before it is returned to: files and images of before, and no volume or row less."""
    before = practice.ensure()
    practice.deploy(HARMLESS)
    rollback(practice.host, practice.permit, practice.settings, project=practice.run.project)
    if gone := set(before.volumes) - set(practice.volumes):
        yield Finding(
            id="rollback-removes-volumes",
            role=DB,
            problem=f"rolling back to the previous version has removed {', '.join(sorted(gone))}",
            impact=LOSS,
            fix=READ,
        )
    yield from _back(practice, before, "rolling back to the previous version")


@registry.check(
    phase=7,
    vantage=STACK,
    errors={
        "full-rollback-leaves-volumes": "Taking everything down removes the deployment's volumes.",
        "full-rollback-without-dump": "Taking everything down leaves a dump of the database.",
    },
)
def goes_down_and_leaves_a_dump(practice: Practice) -> Iterator[Finding]:
    """Taking everything down removes containers and volumes, and leaves a dump of what the database held."""
    before = practice.ensure()
    known = practice.deploys
    take_down(
        practice.host,
        practice.permit,
        practice.settings,
        named=practice.run.project,
        project=practice.run.project,
    )
    if left := set(before.volumes) & set(practice.volumes):
        yield Finding(
            id="full-rollback-leaves-volumes",
            role=DB,
            problem=f"{', '.join(sorted(left))} are still there after everything was taken down",
            impact="the next deploy finds old data and an old password where it should start empty",
            fix="see what is using them with docker ps -a --filter volume=NAME, then docker volume rm NAME",
        )
    made = [each for each in practice.deploys if each not in known]
    if not made or not made[-1].dump or any(identity.lost(before.rows, made[-1].identity)):
        yield Finding(
            id="full-rollback-without-dump",
            role=DB,
            problem="everything was taken down, and no dump holds what the database held",
            impact="all customers, invoices and usage are gone for good",
            fix=DO_NOT,
        )
