"""The variables of a rollout's shell: files, services, volumes, database and deadlines (shell/program.sh)."""

from __future__ import annotations

import shlex

from lago_acceptance.core.roles import API, CLOCK, DB, LAGO_RUBY, MIGRATE, REDIS, WORKER
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.urls import service_url
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.deploy.session import holder
from lago_acceptance.deploy.steps import UNDO_SECONDS
from lago_acceptance.deploy.wishes import Wishes
from lago_acceptance.facts.types import Facts

KEPT_BACKUPS = 5
# How long a migration may wait for somebody else's lock, while Lago is down.
LOCK_SECONDS = 120


def variables(
    plan: Plan, facts: Facts, deployment: Deployment, wishes: Wishes, *, id: str, folder: str, stops: bool
) -> dict[str, str]:
    """Those of the deploy ``id``, whose notes are in ``folder`` on the host. ``stops``: whether the old version is stopped."""
    model = plan.model
    api = next(iter(model.of_role(API)), None)
    url = service_url(api.value("DATABASE_URL")) if api else None
    old_url = service_url(next((each.service.value("DATABASE_URL") for each in facts.of_role(API)), ""))
    writers = [role for role in LAGO_RUBY if role != MIGRATE and stops]
    return {
        **_files(plan, deployment, folder),
        "deploy_id": id,
        "deploy_tag": id.replace("-", "_"),
        "who": holder("deploy", id),
        "directory": plan.directory,
        "project": plan.project,
        "pull_policy": wishes.pull,
        "drain_seconds": str(wishes.drain_seconds),
        "up_seconds": str(wishes.up_seconds),
        "lock_seconds": str(LOCK_SECONDS),
        "undo_seconds": str(UNDO_SECONDS),
        "kept_backups": str(KEPT_BACKUPS),
        "worker_services": " ".join(_running(facts, WORKER)),
        "stopped_services": " ".join(_running(facts, *writers)),
        "store_services": " ".join(_running(facts, DB, REDIS)),
        "migrating_services": " ".join(_declared(plan, MIGRATE)),
        "new_services": " ".join(_declared(plan, *writers)),
        "new_store_services": " ".join(_declared(plan, DB, REDIS)),
        "answering_services": " ".join(answering(plan)),
        "added_services": " ".join(
            sorted({each.name for each in model.services} - {each.service for each in plan.containers})
        ),
        "new_volumes": " ".join(plan.new_volumes),
        "remounted_services": " ".join(sorted(plan.remounted)),
        "api_service": api.name if api else "",
        "db_service": next(iter(_running(facts, DB)), ""),
        "redis_service": next(iter(_running(facts, REDIS)), ""),
        "database": old_url.database if old_url else "",
        "new_user": url.user if url else "",
        "new_password": url.password if url else "",
        "new_database": url.database if url else "",
    }


def answering(plan: Plan) -> list[str]:
    """Services of the new version that don't work on jobs."""
    return sorted(
        each.name for each in plan.model.services if each.role not in (WORKER, CLOCK) and not each.profiles
    )


def _running(facts: Facts, *roles: str) -> list[str]:
    return sorted({each.service.name for each in facts.of_role(*roles)})


def _declared(plan: Plan, *roles: str) -> list[str]:
    return sorted(each.name for each in plan.model.of_role(*roles))


def _files(plan: Plan, deployment: Deployment, folder: str) -> dict[str, str]:
    """Words of Compose for the files in place, those that are coming, and those that the running containers were made from."""
    has_env_file = deployment.env_file in plan.new or deployment.env_file in plan.old
    named = {
        place: _words(
            [f"{place}/{deployment.compose_file}"], [f"{place}/{deployment.env_file}"] * has_env_file
        )
        for place in (plan.directory, f"{folder}/new")
    }
    labelled = next((each for each in plan.containers if each.files), None)
    old = (
        _words(list(labelled.files), list(labelled.env_files))
        if labelled
        else _words(
            [f"{plan.directory}/{deployment.compose_file}"], [f"{plan.directory}/{deployment.env_file}"]
        )
    )
    return {
        "new_words": named[plan.directory],
        "coming_words": named[f"{folder}/new"],
        "old_words": old,
        "kept_files": "\n".join(sorted({*plan.new, *plan.old})),
    }


def _words(files: list[str], env_files: list[str]) -> str:
    words = [word for path in files for word in ("-f", path)]
    words += [word for path in env_files for word in ("--env-file", path)]
    return shlex.join(words)
