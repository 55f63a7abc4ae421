"""Which Lago a service runs."""

from __future__ import annotations

import re

from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Service


def version_of(service: Service, settings: Settings) -> tuple[int, ...] | None:
    """Lago's version from the image's tag, or from the settings for a stand-in; None if it isn't known."""
    name, _, tag = service.image.partition("@")[0].rpartition(":")
    if "/" in tag or not name:
        name, tag = service.image, ""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", tag)
    if found:
        return tuple(int(part or 0) for part in found.groups())
    if "getlago/" in service.image:
        return None
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", settings.deployment.version)
    return (
        tuple(int(part or 0) for part in found.groups())
        if found and "lago-acceptance/" in service.image
        else None
    )


def before(service: Service, settings: Settings, version: tuple[int, ...]) -> bool:
    """Whether the service's Lago is known to be older than a version."""
    own = version_of(service, settings)
    return own is not None and own < version


def stock_image(service: Service) -> bool:
    """Whether a service runs Lago's own API image, or a stand-in for it: what is in it is known."""
    name = service.image.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rsplit("/", 1)[-1] else name
    return not service.built and (name.endswith("getlago/api") or "lago-acceptance/" in name)
