"""What deploys and runs containers on a host (platforms.toml): how it is recognised, its proxy, what can't be judged there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec


class Platform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One platform. A container with one of the ``labels``, or on one of the ``networks``, is of it.

    ``labels`` are names or NAME=VALUE, with * for any text. ``network`` is the one on which its own ``proxy`` finds its
    targets ("" where it brings none); ``proxy_version`` is Traefik's main version, None where it isn't fixed. ``files`` says
    why the compose file behind a container may not be on the host. ``not_judged`` maps the ids of rules and checks to the
    reason why they are unknown there.
    """

    name: str
    labels: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    network: str = ""
    proxy: str = ""
    proxy_version: int | None = None
    http_entrypoint: str = ""
    https_entrypoint: str = ""
    resolver: str = ""
    files: str = ""
    not_judged: dict[str, str] = {}

    def fits(self, labels: Mapping[str, str], networks: Iterable[str]) -> bool:
        """Whether a container with these labels, on networks of these names (Docker's), is of this platform."""
        return any(_has(labels, wanted) for wanted in self.labels) or not set(self.networks).isdisjoint(
            networks
        )


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    platform: tuple[Platform, ...]


@cache
def platforms() -> tuple[Platform, ...]:
    """All platforms, the most particular first."""
    text = (files("lago_acceptance.model") / "platforms.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=_Table).platform


def platforms_of_labels(labels: Mapping[str, str], networks: Iterable[str]) -> tuple[Platform, ...]:
    """All platforms that a container shows, the most particular first: Dokploy's applications are Swarm services too."""
    names = tuple(networks)
    return tuple(each for each in platforms() if each.fits(labels, names))


def platform_of_labels(labels: Mapping[str, str], networks: Iterable[str]) -> Platform | None:
    """The platform of a container with these labels, on these networks; None where it was started by hand."""
    return next(iter(platforms_of_labels(labels, networks)), None)


def _has(labels: Mapping[str, str], wanted: str) -> bool:
    name, equals, value = wanted.partition("=")
    return any(
        fnmatchcase(label, name) and (not equals or fnmatchcase(text, value))
        for label, text in labels.items()
    )
