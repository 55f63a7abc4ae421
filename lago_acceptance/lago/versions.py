"""Which Lago a service runs."""

from __future__ import annotations

import re

from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.release_table import Numbers, releases, same_schema
from lago_acceptance.model.deployment import Service

_TAG = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_ALL_IN_ONE = re.compile(r"(^|/)getlago/lago([:@]|$)")
_UPSTREAM = re.compile(r"(^|/)getlago/[\w-]+([:@]|$)")


def tag_of(service: Service) -> str:
    """The tag of a service's image, "" if it has none."""
    tag = service.image.partition("@")[0].rpartition(":")[2]
    return "" if "/" in tag or tag == service.image else tag


def is_upstream(service: Service) -> bool:
    """Whether a service runs one of Lago's own images, also from a mirror of the registry."""
    return bool(_UPSTREAM.search(service.image)) and not service.built


def is_all_in_one(service: Service) -> bool:
    """Whether a service runs upstream's image with database, Redis, API, worker, clock and front in one container."""
    return bool(_ALL_IN_ONE.search(service.image)) and not service.built


def written_version(service: Service, settings: Settings) -> Numbers | None:
    """The numbers in the image's tag, or in the settings for a stand-in; None if there are none.

    The tag of somebody's own image counts if it can be one of Lago.
    """
    numbers = numbers_in(tag_of(service))
    if numbers and ("getlago/" in service.image or numbers[0] == 1):
        return numbers
    return numbers_in(settings.deployment.version) if "lago-acceptance/" in service.image else None


def version_of(service: Service, settings: Settings) -> Numbers | None:
    """Lago's version as its number should be: (1, 26, 1) for v1.16.1; None if it isn't known."""
    numbers = written_version(service, settings)
    release = releases().get(numbers) if numbers else None
    return same_schema(release).numbers if release else numbers


def before(service: Service, settings: Settings, version: Numbers) -> bool:
    """Whether the service's Lago is known to be older than a version."""
    own = version_of(service, settings)
    return own is not None and own < version


def stock_image(service: Service) -> bool:
    """Whether a service runs Lago's own API image, or a stand-in for it: what is in it is known."""
    name = service.image.partition("@")[0]
    name = name.rpartition(":")[0] if ":" in name.rsplit("/", 1)[-1] else name
    return not service.built and (name.endswith("getlago/api") or "lago-acceptance/" in name)


def numbers_in(tag: str) -> Numbers | None:
    """The numbers of a tag such as v1.16.0, None if it has none."""
    found = _TAG.match(tag)
    return tuple(int(part or 0) for part in found.groups()) if found else None
