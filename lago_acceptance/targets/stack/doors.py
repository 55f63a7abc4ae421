"""Where the ports of a stack are: each public URL without a proxy names one that the host publishes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.model.deployment import Model


def doors(
    host: Host, project: str, model: Model, urls: Mapping[str, PublicUrl]
) -> dict[str, tuple[str, int]]:
    """Address and port by role: those of the container whose published port a URL names. A role without one is left out."""
    published = {
        int(port.published): (service.name, port.target)
        for service in model.services
        for port in service.ports
        if port.published.isdigit()
    }
    wanted = {role: published[url.port] for role, url in urls.items() if url.port in published}
    addresses = _addresses(host, project)
    return {
        role: (addresses[service], port) for role, (service, port) in wanted.items() if service in addresses
    }


def _addresses(host: Host, project: str) -> dict[str, str]:
    """An address of each running service by name."""
    text = (
        'docker ps --quiet --filter "label=com.docker.compose.project=$project" | xargs -r docker inspect --format '
        "'{{json .Config.Labels}} {{json .NetworkSettings.Networks}}'"
    )
    found = {}
    for line in host.read(ReadCommand("addresses of the stack", text, {"project": project})).splitlines():
        decoder = json.JSONDecoder()
        labels, end = decoder.raw_decode(line)
        networks = json.loads(line[end:])
        address = next(filter(None, (each["IPAddress"] for each in networks.values())), "")
        if address:
            found[labels["com.docker.compose.service"]] = address
    return found
