"""Which release of Lago a service runs, with what is known of it (release_table.py)."""

from __future__ import annotations

from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.release_table import Release, is_known, nearest, newest, releases
from lago_acceptance.lago.versions import is_upstream, tag_of, version_of
from lago_acceptance.model.deployment import Model, Service

__all__ = ["Release", "is_known", "nearest", "release_of", "release_or_newest", "releases"]

# Tags of upstream's images that name no version: whichever is the newest when they are pulled.
FLOATING = ("", "latest")


def release_of(service: Service, settings: Settings) -> Release | None:
    """The release that a service's image is, or the nearest older one that is known; None for another tag."""
    version = version_of(service, settings)
    return nearest(version) if version else None


def floating(service: Service) -> bool:
    """Whether a service runs upstream's image without a version, so that a deploy gets whichever is the newest."""
    return is_upstream(service) and tag_of(service) in FLOATING and "@" not in service.image


def release_or_newest(service: Service, model: Model, settings: Settings) -> Release | None:
    """As ``release_of``; of a file whose image has no version the newest release. A container may run any older one."""
    release = release_of(service, settings)
    return newest() if release is None and not model.observed and floating(service) else release
