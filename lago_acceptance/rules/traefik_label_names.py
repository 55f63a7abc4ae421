"""Rules about what Traefik understands in labels: their names, and the names that they refer to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import disabled, label_at, labels_of
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import public

# What may follow each part of a label's name; `*` is a name of one's own. What isn't listed here may be followed by anything.
_ROUTER = (
    "rule rulesyntax entrypoints middlewares service priority tls observability "
    # Of other versions than the one in which labels take them.
    "parentrefs"
)
_KINDS = (
    "addprefix basicauth buffering chain circuitbreaker compress contenttype digestauth encodedcharacters errors "
    "forwardauth grpcweb headers inflightreq ipallowlist ipwhitelist passtlsclientcert plugin ratelimit "
    "redirectregex redirectscheme replacepath replacepathregex retry stripprefix stripprefixregex"
)
_BALANCER = "sticky server servers strategy healthcheck passivehealthcheck passhostheader responseforwarding serverstransport"
_PARTS = {
    "traefik.http": "routers services middlewares serverstransports models",
    "traefik.http.routers.*": _ROUTER,
    "traefik.http.routers.*.tls": "certresolver domains options",
    "traefik.http.services.*": "loadbalancer weighted mirroring failover highestrandomweight middlewares",
    "traefik.http.services.*.loadbalancer": _BALANCER,
    "traefik.http.services.*.loadbalancer.server": "port scheme url weight preservepath",
    "traefik.http.middlewares.*": _KINDS,
    "traefik.http.middlewares.*.redirectscheme": "scheme port permanent",
    "traefik.http.middlewares.*.stripprefix": "prefixes forceslash",
    "traefik.http.middlewares.*.chain": "middlewares",
}


def _misnamed(key: str) -> tuple[str, tuple[str, ...]] | None:
    """The first part of a label's name that Traefik doesn't know there, and what it knows."""
    words = key.split(".")
    place = words[0]
    for number, word in enumerate(words[1:], 1):
        allowed = tuple(_PARTS.get(place, "").split())
        bare = re.sub(r"\[\d+\]$", "", word)
        if allowed and bare not in allowed:
            return word, allowed
        own = number == 3 and words[1] == "http"
        place += ".*" if own else f".{bare}"
    return None


@rule(phase=3)
def traefik_label_unknown(model: Model, settings: Settings) -> Iterator[Violation]:
    """Traefik knows every option in the labels of API and front.

    One label with an unknown option makes Traefik ignore all labels of the container.
    """
    for service in public(model):
        if disabled(service):
            continue
        for key in labels_of(service):
            if found := _misnamed(key):
                word, allowed = found
                near = difflib.get_close_matches(word, allowed, 1, 0.6)
                yield Violation(
                    service=service,
                    at=label_at(service, key),
                    problem=f"Traefik has no option {word} in {key}",
                    impact=f"Traefik ignores every label of the container (field not found, node: {word}): 404 at its "
                    "public name",
                    fix=f"write {near[0]}" if near else f"use one of {', '.join(allowed[:8])}",
                )


_OF_FILES = {"tls.options": "TLS options", "loadbalancer.serverstransport": "servers transport"}


@rule(phase=3)
def file_option_without_provider(model: Model, settings: Settings) -> Iterator[Violation]:
    """TLS options and servers transports are named with their provider, as in `modern@file`.

    Labels can't define them. Without a provider Traefik looks for them among the labels.
    """
    for service in public(model):
        for key, value in labels_of(service).items() if not disabled(service) else ():
            what = next((each for end, each in _OF_FILES.items() if key.endswith(f".{end}")), "")
            if not what or not value or "@" in value or unknown(value) or value == "default":
                continue
            yield Violation(
                service=service,
                at=label_at(service, key),
                problem=f"{key} is {value}, and labels can't define {what}",
                impact="Traefik finds none and drops the router: 404 at its public name",
                fix=f"write {value}@file, and define it in Traefik's dynamic configuration",
            )
