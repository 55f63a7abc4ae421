"""Rules about container names and image versions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, FRONT, LAGO_RUBY, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.release_table import newest
from lago_acceptance.lago.versions import is_all_in_one, is_upstream, version_of
from lago_acceptance.model.deployer import deployer
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, lago, part, reference
from lago_acceptance.rules.helpers.data_stores import services_of, stores

FLOATING = ("latest", "main", "master", "edge", "nightly", "stable", "dev")
_EXACT = re.compile(r"v?\d+\.\d+\.\d+\S*")
# A tag of a database that names its major version: 16, v16.2, pg16, 0.8.0-pg16, latest-pg16, but not alpine3.20.
_MAJOR = re.compile(r"v?\d|(?:.*-)?(?:pg|postgres|valkey|redis)-?\d|sha256:")


@rule(phase=0, severity=Severity.WARNING, declared_only=True)
def hardcoded_container_name(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose chooses the names of the containers.

    A fixed container_name collides with a second stack on the host, and with what a half-removed stack left
    behind. Swarm and CapRover ignore it.
    """
    for service in services_of(model, *OURS) if deployer(model).names else ():
        if service.container_name:
            yield Violation(
                service=service,
                at=part(service, "container_name"),
                problem="its container name is fixed",
                impact="with a second stack, or leftovers of the last one, the deploy stops: name already "
                "in use",
                fix="remove container_name; other services reach it by its service name anyway",
            )


def _tag(service: Service) -> str:
    name, _, digest = service.image.partition("@")
    return digest or (name.rpartition(":")[2] if ":" in name.rsplit("/", 1)[-1] else "")


@rule(phase=2, severity=Severity.WARNING, declared_only=True, follows_at=("image-version-drift",))
def image_not_pinned(model: Model, settings: Settings) -> Iterator[Violation]:
    """Images are pinned to a version or a digest, Lago's to the exact version, databases at least to the major one.

    A tag such as `postgres:alpine` names no version: one day a pull brings the next major version.
    """
    others = [
        (service, service.role or "") for service in model.of_role(*OURS) if service.role not in (DB, REDIS)
    ]
    whole = [(service, API) for service in model.services if is_all_in_one(service)]
    for service, role in (*others, *whole, *stores(model)):
        if (
            service.built
            or not service.image
            or service.image.endswith(":")
            or unknown(service.image)
            or _is_pinned(service, role)
        ):
            continue
        name = service.image.partition("@")[0].removesuffix(f":{_tag(service)}")
        impact, fix = _IF_NOT_PINNED.get(
            role,
            (
                "the next pull may start another version, which nobody has tried with this Lago",
                "pin the version that runs now",
            ),
        )
        lagos = role in (*LAGO_RUBY, FRONT)
        yield Violation(
            service=service,
            at=part(service, "image"),
            problem=f"its image {service.image} is not pinned to "
            f"{'a' if role in (DB, REDIS) else 'an exact'} version",
            impact="the next pull starts another version, and its migrations can't be undone"
            if lagos
            else impact,
            fix=f"pin the exact version{_exact_version(model, service, name)}" if lagos else fix,
        )


_IF_NOT_PINNED = {
    DB: (
        "a pull brings the next major version of PostgreSQL, which refuses the old data directory: no service of "
        "Lago starts",
        "pin the major version that wrote the data (cat PG_VERSION in the data directory), as in postgres:14",
    ),
    REDIS: (
        "a pull brings the next major version of Redis; an older one can't read what it has saved, so there is "
        "no way back",
        "pin the major version that runs now (redis-cli info server), as in redis:7",
    ),
}


def _numbers(tag: str) -> str:
    """A tag without what an image of one's own appends to the version."""
    found = re.match(r"v?(\d+\.\d+\.\d+)", tag)
    return found[1] if found else tag


def _exact_version(model: Model, service: Service, name: str) -> str:
    """The exact version that another of Lago's services has; else what the version that runs now may be called."""
    tags = (_tag(each) for each in (*lago(model), *model.of_role(FRONT)) if "@" not in each.image)
    if tag := next((tag for tag in tags if _EXACT.fullmatch(tag)), ""):
        return f", {name}:{tag} as the others have"
    # No older one may be named: a schema has no way back.
    return f" that runs now (such as {name}:{newest().tag})" if is_upstream(service) else " that runs now"


def _is_pinned(service: Service, role: str) -> bool:
    tag = _tag(service)
    if role in (DB, REDIS):
        return bool(_MAJOR.match(tag))
    if role in (*LAGO_RUBY, FRONT) and "getlago/" in service.image:
        return "@" in service.image or bool(_EXACT.fullmatch(tag))
    return bool(tag) and tag not in FLOATING


@rule(phase=2, declared_only=True, follows=("migrates-twice",))
def image_version_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """migrate, api, worker and clock run the same image, and the front has the same version."""
    for service in (*lago(model), *model.of_role(FRONT)):
        first = reference(model, service)
        if first is None or first.built:
            continue
        if service is first or service.built or not service.image or unknown(service.image + first.image):
            continue
        front = service.role == FRONT
        one, another = (_numbers(_tag(each)) if front else _tag(each) for each in (service, first))
        other = one != another and not (front and ("@" in service.image or "@" in first.image))
        if other and (not front or "lago" in service.image):
            if front and version_of(service, settings) == version_of(first, settings) is not None:
                # Another tag of the same release.
                continue
            behind = front and version_of(service, settings) is not None
            yield Violation(
                service=service,
                at=part(service, "image"),
                severity=Severity.WARNING if behind else None,
                problem=f"it runs {_tag(service)[:24] or 'latest'}, and {first.name} runs "
                f"{_tag(first)[:24] or 'latest'}",
                impact="the front calls what this API doesn't have"
                if front
                else "code and schema don't match: calls answer 500, and jobs of the newer version die in the older worker (NameError)",
                fix="use one version for all of them: a YAML anchor or one variable",
            )
