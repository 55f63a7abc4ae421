"""Rules about how containers run: names, ports, images, limits and rights."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, FRONT, LAGO_RUBY
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
    """Containers get their names from Compose.

    A fixed container_name collides with a second stack on the host, and after a half-removed one the same
    name resolves to several containers.
    """
    for service in model.of_role(*OURS):
        if service.container_name:
            yield Violation(
                service=service,
                at=part(service, "container_name"),
                problem=f"its container name is fixed: {service.container_name}",
                impact="a second stack, or the remains of the last one, stops the deploy: name "
                "already in use",
                fix="take container_name out; the service's name resolves on its networks as it is",
            )


def _tag(service: Service) -> str:
    name, _, digest = service.image.partition("@")
    return digest or (name.rpartition(":")[2] if ":" in name.rsplit("/", 1)[-1] else "")


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def image_not_pinned(model: Model, settings: Settings) -> Iterator[Violation]:
    """Images are named by a version or a digest; Lago's by the exact version."""
    for service in model.of_role(*OURS):
        tag = _tag(service)
        lagos = service.role in (*LAGO_RUBY, FRONT) and "getlago/" in service.image
        exact = "@" in service.image or re.fullmatch(r"v?\d+\.\d+\.\d+\S*", tag)
        if (
            service.built
            or not service.image
            or unknown(service.image)
            or (exact if lagos else tag and tag not in FLOATING)
        ):
            continue
        yield Violation(
            service=service,
            at=part(service, "image"),
            problem=f"its image {service.image} names no exact version",
            impact="the next pull runs another version, whose migrations can't be taken back",
            fix="name the version: getlago/api:v1.16.0",
        )


@rule(phase=2, declared_only=True)
def image_version_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """migrate, api, worker and clock are one image, and the front is of the same version."""
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
                problem=f"it is {_tag(service)[:24] or 'latest'}, and {first.name} is "
                f"{_tag(first)[:24] or 'latest'}",
                impact="the page asks for what the API doesn't have"
                if front
                else "schema and code don't fit: jobs and calls answer 500",
                fix="one version for all, by an anchor or one variable",
            )


@rule(phase=2, severity=Severity.WARNING)
def memory_limit_low(model: Model, settings: Settings) -> Iterator[Violation]:
    """Memory limits are such that Lago fits in: 1 GiB at least for the API, half of it for the others."""
    for service in lago(model):
        least = GIB if service.role == API else GIB // 2
        if service.memory and service.memory < least:
            yield Violation(
                service=service,
                at=part(service),
                problem=f"its memory limit is {service.memory // 2**20} MiB",
                impact="the kernel kills it while it boots or bills (exit 137)",
                fix=f"mem_limit: {'1536m' if service.role == API else '1g'}",
            )
