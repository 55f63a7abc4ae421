"""What the proxy needs of its host: a Docker that speaks with it, and a file of certificates that it accepts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import PROXY
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts

Version = tuple[int, ...]

# Traefik up to these speaks version 1.24 of Docker's API and no other; Docker 29 speaks 1.44 and later.
_SPOKEN: Version = (1, 24)
_NEGOTIATES: dict[int, Version] = {2: (2, 11, 31), 3: (3, 6, 1)}
_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
_LABEL = "org.opencontainers.image.version"


@registry.check(
    phase=3,
    errors={"traefik-too-old": "Traefik speaks a version of Docker's API that the host's Docker knows."},
)
def proxy_speaks_with_docker(facts: Facts) -> Iterator[Finding]:
    """A Traefik that reads containers' labels is new enough for the host's Docker.

    Traefik before 3.6.1, and 2 before 2.11.31, asks in version 1.24 of the API, which Docker 29 refuses. Its version is
    taken from its image's label, else from the tag.
    """
    if not any(name.startswith("traefik.") for each in facts.containers for name in each.service.labels):
        return
    proxies = list(_proxies(facts))
    if not proxies:
        return
    if facts.engine is None:
        raise Unknown(
            "whether the proxy is new enough for Docker: Docker did not say which API versions it speaks",
            why="Docker did not say which API versions it speaks",
            fix="look by hand: docker version",
        )
    oldest = tuple(int(each) for each in facts.engine.oldest_api.split("."))
    for proxy in proxies:
        version = _version_of(proxy)
        if oldest <= _SPOKEN or version is None or version >= _NEGOTIATES.get(version[0], (3,)):
            continue
        said = ".".join(map(str, version))
        yield Finding(
            id="traefik-too-old",
            role=PROXY,
            place=Place(proxy.name),
            problem=f"Traefik {said} asks in version 1.24 of Docker's API, and Docker {facts.engine.version} speaks "
            f"{facts.engine.oldest_api} and later only",
            impact="Traefik sees no container: every public name of Lago answers 404, at the latest after its next start",
            fix="run traefik:v3.6.1 or later (2.11.31 of version 2); until then let Docker speak the old version: "
            '"min-api-version": "1.24" in /etc/docker/daemon.json, then: systemctl restart docker',
        )


@registry.check(
    phase=3, errors={"acme-file-refused": "Traefik accepts the file that it keeps its certificates in."}
)
def proxy_accepts_its_certificate_file(facts: Facts) -> Iterator[Finding]:
    """acme.json, where a proxy mounts it or the folder that it is in, is a file that its owner alone may read."""
    stores = [each for each in facts.certificate_stores if each.kind != "closed"]
    closed = [each.path for each in facts.certificate_stores if each.kind == "closed"]
    if not stores and closed:
        raise Unknown(
            f"who may read the proxy's acme.json: this user may not look into {closed[0]}",
            why="this user may not look into what the proxy mounts",
            fix="log in as root, or look by hand: ls -l acme.json",
        )
    proxy = next((each.name for each in _proxies(facts)), "the proxy")
    for store in stores:
        path = shlex.quote(store.path)
        if store.kind == "folder":
            problem = f"{store.path} is a folder: Docker made it, because the file was not there"
            fix = f"rmdir {path} && touch {path} && chmod 600 {path}, then recreate {proxy}"
        elif store.mode.isdigit() and int(store.mode, 8) & 0o077:
            problem = f"{store.path} has mode {store.mode}, and Traefik refuses any but 600"
            fix = f"chmod 600 {path}, then: docker restart {proxy}"
        else:
            continue
        yield Finding(
            id="acme-file-refused",
            role=PROXY,
            place=Place(proxy),
            problem=problem,
            impact="from its next start on Traefik leaves the certificate resolver out: nothing is issued or renewed, and its default "
            "certificate is served",
            fix=fix,
        )


def _proxies(facts: Facts) -> Iterator[Container]:
    """The running proxies that share a network with the deployment, or all where none does."""
    running = [each for each in (*facts.containers, *facts.others) if each.role == PROXY and each.running]
    networks = {network for each in facts.containers for network in each.addresses}
    near = [each for each in running if networks & each.addresses.keys()]
    yield from near or running


def _version_of(proxy: Container) -> Version | None:
    """Of its image's label, which says the whole version, else of the tag."""
    for text in (proxy.service.labels.get(_LABEL, ""), proxy.service.image.rpartition(":")[2]):
        if found := _VERSION.fullmatch(text):
            return tuple(int(each) for each in found.groups())
    return None
