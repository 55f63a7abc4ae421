"""What deploys a compose file, as far as the file shows it: Compose, a swarm, or a platform that changes it first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lago_acceptance.model.deployment import Model
from lago_acceptance.model.interpolation import MADE_BY_COOLIFY
from lago_acceptance.model.once import once


class Deployer(msgspec.Struct, frozen=True):
    """``orders``: it honours depends_on. ``names``: it honours container_name. ``restarts``: it restarts every service."""

    name: str
    orders: bool = True
    names: bool = True
    restarts: bool = False


COMPOSE = Deployer("Docker Compose")
# https://docs.docker.com/reference/cli/docker/stack/deploy/: a stack ignores both, and restarts by default.
SWARM = Deployer("Docker Swarm", orders=False, names=False, restarts=True)
# Its services are a swarm's (docs/one-click-apps.md of caprover/caprover-website).
CAPROVER = Deployer("CapRover", orders=False, names=False, restarts=True)
# bootstrap/helpers/parsers.php of coollabsio/coolify: `restart: unless-stopped` where a service has none.
COOLIFY = Deployer("Coolify", restarts=True)

_OF_COOLIFY = re.compile(rf"(?<!\w)({MADE_BY_COOLIFY.pattern})")
# Of a service's `deploy`: what Compose ignores.
_ONLY_SWARM = frozenset(("placement", "update_config", "rollback_config", "mode", "endpoint_mode"))


@once
def deployer(model: Model) -> Deployer:
    """What deploys the file of a model; Compose where nothing in it shows another."""
    if any(network.name == "captain-overlay-network" for network in model.networks):
        return CAPROVER
    source = model.source
    if source is None:
        return COMPOSE
    services = source.document.get("services") or {}
    deploys = [each.get("deploy") or {} for each in services.values() if isinstance(each, dict)]
    known = [each for each in deploys if isinstance(each, dict)]
    if (
        any(_ONLY_SWARM & each.keys() for each in known)
        or _overlay(source.document)
        or _labelled_for_swarm(model)
    ):
        return SWARM
    if len(known) > 1 and all("replicas" in each for each in known):
        return SWARM
    if any(_OF_COOLIFY.search(text) for text in _texts(services)):
        return COOLIFY
    return COMPOSE


def _labelled_for_swarm(model: Model) -> bool:
    """Whether all labels for the proxy are under `deploy`: beside others, one that is there is a mistake."""
    own = [
        each for each in model.services if any(label.lower().startswith("traefik.") for label in each.labels)
    ]
    return bool(own) and all(each.labels_for_swarm for each in own)


def _overlay(document: dict[str, Any]) -> bool:
    networks = document.get("networks")
    return isinstance(networks, dict) and any(
        isinstance(each, dict) and each.get("driver") == "overlay" for each in networks.values()
    )


def _texts(part: object) -> Iterator[str]:
    """All keys and values of a part of a document."""
    if isinstance(part, dict):
        for key, each in part.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)
    elif part is not None:
        yield str(part)
