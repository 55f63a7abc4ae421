"""Which image each service runs: the one named in the environment, else upstream's, else a stand-in built here."""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lago_acceptance.core.awaited import Board
from lago_acceptance.core.options import Images
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.images import standins
from lago_acceptance.images.pull import PullRefused, Registries, RegistryAway
from lago_acceptance.images.standins import NoImage

if TYPE_CHECKING:
    from docker import APIClient
    from requests import PreparedRequest, Response

Origin = Literal["explicit", "upstream", "stand-in"]

VARIABLES = {
    "getlago/api": "LAGO_API_IMAGE",
    "getlago/front": "LAGO_FRONT_IMAGE",
    "getlago/lago-gotenberg": "LAGO_PDF_IMAGE",
    "postgres": "POSTGRES_IMAGE",
    "redis": "REDIS_IMAGE",
    "traefik": "TRAEFIK_IMAGE",
    "caddy": "CADDY_IMAGE",
    "nginx": "NGINX_IMAGE",
    "letsencrypt/pebble": "PEBBLE_IMAGE",
    "letsencrypt/pebble-challtestsrv": "PEBBLE_IMAGE",
    "brain-gateway": "BRAIN_GATEWAY_IMAGE",
}
"""Environment variables that replace the image of a repository."""


@dataclass(frozen=True)
class StandIn:
    """A stand-in, and the upstream versions that it behaves like: as text and as a pattern of tags."""

    name: str
    versions: str
    pattern: str


_RELEASES = standins.releases("lago-api")
_LAGO = f"{', '.join(_RELEASES[:-1])} and {_RELEASES[-1]}"
_LAGO_PATTERN = "|".join(re.escape(each) for each in _RELEASES)
# Not the variants that have more in them: -perl, -otel.
_NGINX_SYSTEM = r"(alpine(\d+\.\d+)?(-slim)?|bookworm|bullseye|buster|trixie)"
_NGINX_PATTERN = rf"(1(\.\d+){{0,2}}|latest|mainline|stable)(-{_NGINX_SYSTEM})?|{_NGINX_SYSTEM}"

STAND_INS = {
    "getlago/api": StandIn("lago-api", _LAGO, _LAGO_PATTERN),
    "getlago/front": StandIn("lago-front", _LAGO, _LAGO_PATTERN),
    "getlago/lago-gotenberg": StandIn("lago-pdf", "7.8", r"7(\.8(\..*)?)?"),
    "postgres": StandIn("postgres", "14 and 15", r"1[45]([.-].*)?"),
    "redis": StandIn("redis", "7", r"7([.-].*)?"),
    "traefik": StandIn("traefik", "3", r"v?3([.-].*)?"),
    "caddy": StandIn("caddy", "2 (it is 2.11)", r"2(\.\d+){0,2}(-alpine)?|latest|alpine"),
    "nginx": StandIn("nginx", "1 (it is 1.31)", _NGINX_PATTERN),
    "letsencrypt/pebble": StandIn("pebble", "all versions", r".*"),
    "letsencrypt/pebble-challtestsrv": StandIn("pebble", "all versions", r".*"),
    "brain-gateway": StandIn("brain-gateway", "the one of February 2026", r".*"),
    "python": StandIn("python", "3.11", r"3\.11([.-].*)?"),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResolvedImage:
    """The image that replaces a reference of a compose file, and its origin."""

    reference: str
    origin: Origin


def resolve(
    references: Iterable[str], mode: Images, environment: Mapping[str, str]
) -> dict[str, ResolvedImage]:
    """The image for each reference: the one that its variable names, else upstream's, else the stand-in.

    ``upstream`` never uses a stand-in; ``standins`` uses one wherever one exists. Raises NoImage if there is no image.
    """
    with _engine(environment) as engine:
        registries = Registries(engine)
        return {
            reference: _resolve(reference, mode, environment, registries)
            for reference in dict.fromkeys(references)
        }


def stand_in(name: str, release: str = "") -> str:
    """The tag of a stand-in, or of its image for a release, built first if it is missing.

    Raises NoImage if it can't be built.
    """
    with _engine(os.environ) as engine:
        return standins.build(name, engine, release)


def _resolve(
    reference: str, mode: Images, environment: Mapping[str, str], registries: Registries
) -> ResolvedImage:
    repository, version = _split(reference)
    variable = VARIABLES.get(repository)
    if variable and (explicit := environment.get(variable)):
        try:
            registries.obtain(explicit)
        except (RegistryAway, PullRefused) as error:
            raise NoImage(
                f"{variable} names {explicit}, which is not on this machine and can't be pulled ({error}); "
                "correct the variable or unset it."
            ) from None
        return ResolvedImage(explicit, "explicit")

    known = STAND_INS.get(repository)
    if mode != "standins" or not known:
        try:
            registries.obtain(reference)
            return ResolvedImage(reference, "upstream")
        except (RegistryAway, PullRefused) as error:
            if mode == "upstream":
                raise NoImage(
                    f"{reference} is not on this machine and can't be pulled ({error}); `--images upstream` allows "
                    "no stand-in: make the registry reachable, load the image with `docker load`"
                    f"{f', or name another with {variable}' if variable else ''}."
                ) from None
            if not known:
                raise NoImage(
                    f"{reference} is not on this machine and can't be pulled ({error}), and there is no stand-in "
                    f"for it: make the registry reachable or load the image with `docker load`"
                    f"{f', or name another with {variable}' if variable else ''}."
                ) from None
    if not re.fullmatch(known.pattern, version):
        raise NoImage(
            f"{reference} can't be had, and its stand-in imitates {known.versions} only, so it says nothing about "
            f"this version: make the registry reachable{f', or name an image with {variable}' if variable else ''}."
        )
    release = version if version in standins.releases(known.name) else ""
    built = standins.tag(known.name, release)
    if built not in registries.present:
        log.info("building a stand-in for %s, which can't be pulled; this happens only once", reference)
        with Board.shared.waiting(standins.BASE_SECONDS, {f"stand-in for {reference}": "being built"}):
            standins.build(known.name, registries.engine, release)
    return ResolvedImage(built, "stand-in")


def _split(reference: str) -> tuple[str, str]:
    """Repository, without the registry's host, and tag: ``getlago/api``, ``v1.16.0``."""
    import docker.auth
    import docker.errors
    import docker.utils

    name, version = docker.utils.parse_repository_tag(reference)
    try:
        _, repository = docker.auth.resolve_repository_name(name)
    except docker.errors.InvalidRepository:
        raise NoImage(f"“{reference}” is not an image name; correct it in the compose file.") from None
    return repository.removeprefix("library/"), version or "latest"


@contextlib.contextmanager
def _engine(environment: Mapping[str, str]) -> Iterator[APIClient]:
    """The engine that the docker command uses. Raises Unreachable if it doesn't answer."""
    import docker
    import requests
    from docker.context import ContextAPI

    class Engine(docker.APIClient):
        def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
            """The SDK has no timeout for pulls and imports."""
            return super().send(request, *arguments, **{**options, "timeout": self.timeout})

    address = environment.get("DOCKER_HOST") or ContextAPI.get_current_context().Host
    try:
        engine = Engine(base_url=address, version="auto", timeout=standins.BASE_SECONDS)
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise Unreachable(
            f"The Docker Engine at {address} doesn't answer ({standins.reason(error)}); start it, or run bin/setup."
        ) from None
    with contextlib.closing(engine):
        yield engine
