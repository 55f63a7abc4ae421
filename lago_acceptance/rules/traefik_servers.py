"""Rules about how Traefik reaches a container: its port and its protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.ports import listens_on, shown_ports
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_labels import disabled, label_at, labels_of, routers
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, public

_SERVICE = "traefik.http.services."
_ADDRESSED = re.compile(r"\.loadbalancer\.servers?(\[0\])?\.(port|url)$")
_PROTOCOL = re.compile(r"\.loadbalancer\.servers?(\[0\])?\.scheme$")
_URL = re.compile(r"\.loadbalancer\.servers?(\[0\])?\.url$")
_OFFICIAL = re.compile(r"(^|/)getlago/(api|front)\b")


def _official(service: Service) -> bool:
    """Whether a service runs Lago's own image, whose ports and protocol are known."""
    return not service.built and bool(_OFFICIAL.search(service.image))


@rule(phase=3)
def router_port_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """A label says which port Traefik connects to, unless the container exposes the right one.

    Without such a label Traefik takes the lowest port that the container exposes. The image of Lago's API exposes none, that
    of the front 80. Other images aren't judged.
    """
    for service in public(model):
        mine, labels = routers(service), labels_of(service)
        if not any(router.rule for router in mine) or not _official(service) or disabled(service):
            continue
        named = {key.split(".")[3] for key in labels if key.startswith(_SERVICE)}
        addressed = {key.split(".")[3] for key in labels if _ADDRESSED.search(key)}
        if service.labels_for_swarm or (addressed and not named - addressed):
            continue
        wanted, exposed = listens_on(service, model), shown_ports(service)
        if wanted is None or exposed[:1] == [wanted]:
            continue
        name = min(named - addressed) if named else service.name
        yield Violation(
            service=service,
            at=part(service, "labels"),
            problem=f"no label says which port Traefik connects to, and it exposes {exposed[0]} first"
            if exposed
            else "no label says which port Traefik connects to, and its image exposes none",
            impact="502 Bad Gateway at its public name"
            if exposed
            else "Traefik drops the container (port is missing): 404 at its public name",
            fix=f'add the label {_SERVICE}{name}.loadbalancer.server.port: "{wanted}"',
        )


@rule(phase=3)
def router_wrong_scheme(model: Model, settings: Settings) -> Iterator[Violation]:
    """Traefik speaks plain http to API and front: neither has TLS or HTTP/2 of its own.

    Only judged for Lago's own images.
    """
    for service in public(model):
        for key, value in labels_of(service).items():
            scheme = value.strip().lower()
            if _URL.search(key):
                scheme = scheme.partition("://")[0]
            elif not _PROTOCOL.search(key):
                continue
            if key.startswith(_SERVICE) and scheme in ("https", "h2c") and not disabled(service):
                yield Violation(
                    service=service,
                    at=label_at(service, key),
                    severity=None if _official(service) else Severity.WARNING,
                    problem=f"Traefik speaks {scheme} to it, but Lago speaks plain http",
                    impact="500 or 502 at its public name, with every request",
                    fix=f"remove {key}; TLS for the outside is the router's tls.certresolver",
                )
