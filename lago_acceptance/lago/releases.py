"""Which release of Lago a service runs, with what is known of it (release_table.py)."""

from __future__ import annotations

from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.release_table import Release, is_known, nearest, releases
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Service

__all__ = ["Release", "is_known", "nearest", "release_of", "releases"]


def release_of(service: Service, settings: Settings) -> Release | None:
    """The release that a service's image is, or the nearest older one that is known; None for another tag."""
    version = version_of(service, settings)
    return nearest(version) if version else None
