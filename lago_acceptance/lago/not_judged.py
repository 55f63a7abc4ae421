"""What no rule can say of a deployment: its routes where its proxy has them elsewhere, and its UI where there is none."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import (
    CADDY,
    NGINX,
    NGINX_PROXY,
    NO_PROXY,
    OTHER,
    TRAEFIK,
    TUNNEL,
    Settings,
)
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.front_proxy import FrontProxy, front_proxy
from lago_acceptance.model.proxy_files import proxy_files
from lago_acceptance.model.traefik_labels import labels_of

_NAMES = {CADDY: "Caddy", NGINX: "nginx"}


def not_judged(model: Model, given: Settings) -> Iterator[str]:
    """One line for each, for people."""
    if not model.of_role(API):
        return
    if not model.of_role(FRONT):
        yield "there is no front here: what the UI needs is not judged"
    if why := _routes_elsewhere(model, front_proxy(model, given)):
        yield f"routes not judged: {why}"


def _routes_elsewhere(model: Model, front: FrontProxy) -> str:
    """Why the routes to UI and API can't be judged, "" where they are, or where there are none."""
    labelled = any(labels_of(each) for each in model.of_role(API, FRONT))
    if front.kind in (NO_PROXY, NGINX_PROXY) or front.kind == TRAEFIK and (labelled or not front.platform):
        return ""
    if front.platform:
        return f"{front.platform} adds them when it deploys"
    if front.kind == TUNNEL:
        return "the proxy is a Cloudflare Tunnel, and they are at Cloudflare"
    if front.kind == OTHER and not front.at and not front.service:
        return "nothing here says how browsers come in"
    if front.kind == OTHER:
        own = (
            f"the proxy {front.service.name} is not known here"
            if front.service
            else "their proxy is not in this file"
        )
        return own
    files = proxy_files(model, front.service) if front.service else None
    name = _NAMES[front.kind]
    if files is None:
        return f"the proxy is {name}, and its configuration is not in a file here"
    return (
        "" if files.whole else f"the proxy is {name}, and a part of its configuration is not in a file here"
    )
