"""Rules about container names, image versions and memory limits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, FRONT, LAGO_RUBY, PDF, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import OURS, lago, part, reference

FLOATING = ("latest", "main", "master", "edge", "nightly", "stable", "dev")
GIB = 2**30


@rule(phase=0, severity=Severity.WARNING, declared_only=True)
def hardcoded_container_name(model: Model, settings: Settings) -> Iterator[Violation]:
    """Compose chooses the names of the containers.

    A fixed container_name collides with a second stack on the host, and with what a half-removed stack left
    behind.
    """
    for service in model.of_role(*OURS):
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


def _pinned(service: Service) -> str:
    """The image of a service with an exact version, as an example."""
    repository = service.image.partition("@")[0].removesuffix(f":{_tag(service)}")
    return f"{repository}:{_EXAMPLES.get(service.role or '', 'v1.16.0')}"


_EXAMPLES = {DB: "15.6-alpine", REDIS: "7.2.5-alpine", PDF: "7.8.2"}


@rule(phase=2, severity=Severity.WARNING, declared_only=True, follows_at=("image-version-drift",))
def image_not_pinned(model: Model, settings: Settings) -> Iterator[Violation]:
    """Images are pinned to a version or a digest, Lago's to the exact version."""
    for service in model.of_role(*OURS):
        tag = _tag(service)
        lagos = service.role in (*LAGO_RUBY, FRONT) and "getlago/" in service.image
        exact = "@" in service.image or re.fullmatch(r"v?\d+\.\d+\.\d+\S*", tag)
        if (
            service.built
            or not service.image
            or service.image.endswith(":")
            or unknown(service.image)
            or (exact if lagos else tag and tag not in FLOATING)
        ):
            continue
        yield Violation(
            service=service,
            at=part(service, "image"),
            problem=f"its image {service.image} is not pinned to an exact version",
            impact="the next pull starts another version"
            + (", and its migrations can't be undone" if service.role in LAGO_RUBY else "")
            + (", which may not read the old data" if service.role == DB else ""),
            fix=f"pin the version, for example {_pinned(service)}",
        )


@rule(phase=2, declared_only=True)
def image_version_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """migrate, api, worker and clock run the same image, and the front has the same version."""
    first = reference(model)
    if first is None or first.built:
        return
    for service in (*lago(model), *model.of_role(FRONT)):
        if service is first or service.built or not service.image or unknown(service.image + first.image):
            continue
        front = service.role == FRONT
        other = _tag(service) != _tag(first) and not (front and ("@" in service.image or "@" in first.image))
        if other and (not front or "lago" in service.image):
            behind = front and version_of(service, settings) is not None
            yield Violation(
                service=service,
                at=part(service, "image"),
                severity=Severity.WARNING if behind else None,
                problem=f"it runs {_tag(service)[:24] or 'latest'}, and {first.name} runs "
                f"{_tag(first)[:24] or 'latest'}",
                impact="the front calls what this API doesn't have"
                if front
                else "code and schema don't match: jobs fail and calls answer 500",
                fix="use one version for all of them: a YAML anchor or one variable",
            )


@rule(phase=2, severity=Severity.WARNING)
def memory_limit_low(model: Model, settings: Settings) -> Iterator[Violation]:
    """Memory limits leave room for Lago: at least 1 GiB for the API and 512 MiB for the others."""
    for service in lago(model):
        least = GIB if service.role == API else GIB // 2
        if service.memory and service.memory < least:
            yield Violation(
                service=service,
                at=part(service),
                problem=f"its memory limit is {service.memory // 2**20} MiB",
                impact="the kernel kills it at boot or while it bills (exit 137)",
                fix=f"raise it: mem_limit: {'1536m' if service.role == API else '1g'}",
            )
