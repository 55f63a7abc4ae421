"""Whether a new image fits the database that is there: its own schema counts, whatever the files on the host say."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, MIGRATE
from lago_acceptance.core.settings import Settings
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.deploy.state import HostState, PastDeploy
from lago_acceptance.facts.answers import AppliedMigrations
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago.release_changes import GOES_BACK, RESTORE, SKIPS, jump, way_back
from lago_acceptance.lago.release_table import Numbers, is_known, newest
from lago_acceptance.lago.schema_position import Position, position, rows_for
from lago_acceptance.lago.upgrades import HALF_MIGRATED
from lago_acceptance.lago.versions import tag_of, version_of
from lago_acceptance.model.deployment import Service


def errors(plan: Plan, facts: Facts, settings: Settings, despite: Collection[str] = ()) -> list[Finding]:
    """What speaks against a plan's image on the database's schema, without what ``despite`` names.

    Nothing where the schema or the image's release isn't known, or the very image runs that has made this schema.
    """
    applied = facts.database.migrations if facts.database else None
    service = _migrating(plan)
    if applied is None or service is None or _is_the_running_images(plan, facts, applied):
        return []
    at, version = position(applied.count, applied.latest), version_of(service, settings)
    if at is None or version is None:
        return []
    return [each for each in _against(at, version, applied, service) if each.id not in despite]


def unseen(plan: Plan, facts: Facts) -> Iterator[str]:
    """A sentence where a deploy changes Lago's image and the database, which is there, can't be asked for its schema."""
    service = _migrating(plan)
    volumes = _volumes(plan)
    if facts.database is not None or service is None or not volumes.intersection(plan.volumes):
        return
    same = {each.reference for each in plan.containers} & {service.image}
    if same or not plan.changed_files:
        return
    yield (
        f"the database in {', '.join(sorted(volumes))} does not answer, so its schema can't be compared with {service.image}, and an "
        "image that doesn't fit stops billing: start what was deployed last (docker compose up -d in "
        f"{plan.directory}), then deploy again"
    )


def without_dump(backup: PastDeploy, past: HostState, plan: Plan, facts: Facts, settings: Settings) -> str:
    """Why a backup without a dump can't be returned to; "" where it can: the schema is still the one of that time."""
    applied = facts.database.migrations if facts.database else None
    if backup.dump is not None or applied is None:
        return ""
    now = {"migrations": str(applied.count), "latest_migration": str(applied.latest)}
    if backup.schema:
        moved = backup.schema != now
        then = f"{backup.schema.get('migrations')} up to {backup.schema.get('latest_migration')}"
    else:
        moved = bool(errors(plan, facts, settings))
        then = f"other than {tag_of(service)}'s" if (service := _migrating(plan)) else "other than then"
    if not moved:
        return ""
    return (
        f"The backup {backup.id} has no dump, and the database's schema has changed since: {applied.count} migrations up to "
        f"{applied.latest}, then {then}. With the image alone {HALF_MIGRATED}. {_other(backup, past)} Nothing was changed."
    )


def _other(backup: PastDeploy, past: HostState) -> str:
    """Which backup has the database of that time."""
    later = [
        each for each in past.deploys if each.id > backup.id and each.has_backup and each.dump is not None
    ]
    fitting = next((each for each in later if not backup.schema or each.schema == backup.schema), None)
    if fitting:
        return f"The next dump after it is in the backup {fitting.id}: lago-acceptance rollback HOST --to {fitting.id}."
    return "No backup here has a dump of that schema: restore one of your own (docs/runbooks/restore.md)."


def _against(
    at: Position, version: Numbers, applied: AppliedMigrations, service: Service
) -> Iterator[Finding]:
    tag, schema = tag_of(service), f"{applied.count} migrations, up to {applied.latest}"
    if at.beyond:
        if is_known(version):
            yield _finding(
                GOES_BACK,
                service,
                f"the database has {schema}, which is newer than {newest().tag}, and the new image is {tag}",
                f"on the newer schema {HALF_MIGRATED}",
                RESTORE,
            )
        return
    if at.following and at.release.numbers < version:
        yield _finding(
            SKIPS,
            service,
            f"the database is between {at.release.tag} and {at.following.tag} ({schema}): a migration has failed halfway",
            f"the same migration fails again until its data is filled in; meanwhile {HALF_MIGRATED}",
            "back: lago-acceptance rollback HOST restores the dump of before, then lago-acceptance deploy HOST DIR --via walks the "
            f"stops; forward: lago-acceptance upgrade-check HOST {tag} names what is missing, lago-acceptance upgrade-path "
            f"{at.release.tag} {tag} what fills it, to be run with the new image and its worker; then deploy with --despite {SKIPS}",
        )
        return
    had, name = at.release.numbers, f"{at.release.tag} (the database's schema: {schema})"
    for id, objection in (
        (SKIPS, jump(had, version, name, tag)),
        (GOES_BACK, way_back(had, version, name, tag)),
    ):
        if objection and objection.severity is Severity.ERROR:
            yield _finding(id, service, objection.problem, objection.impact, objection.fix)


def _finding(id: str, service: Service, problem: str, impact: str, fix: str) -> Finding:
    return Finding(id=id, role=service.role, service=service.name, problem=problem, impact=impact, fix=fix)


def _migrating(plan: Plan) -> Service | None:
    """The service of the new version whose image decides about the schema."""
    return next(iter((*plan.model.of_role(MIGRATE), *plan.model.of_role(API))), None)


def _is_the_running_images(plan: Plan, facts: Facts, applied: AppliedMigrations) -> bool:
    """Whether the new version's image is the one that runs, and the database has exactly its migrations."""
    api, new = facts.running(API), next(iter(plan.model.of_role(API)), None)
    inside = facts.process(api)
    if api is None or new is None or not inside.migrations or plan.images.get(new.image) != api.image_id:
        return False
    count = rows_for(inside.migration_count or 0, inside.migrations[0])
    return (count, inside.migrations[-1]) == (applied.count, applied.latest)


def _volumes(plan: Plan) -> set[str]:
    """Docker's names of the volumes of the new version's database."""
    names = {volume.key: volume.name for volume in plan.model.volumes}
    return {
        names.get(mount.source, mount.source)
        for service in plan.model.of_role(DB)
        for mount in service.mounts
        if mount.kind == "volume"
    }
