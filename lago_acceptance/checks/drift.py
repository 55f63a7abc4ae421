"""Check that the containers are what their files declare now. Secrets are compared by their masks."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from lago_acceptance.checks import availability, platforms
from lago_acceptance.checks.container_commands import recreate
from lago_acceptance.checks.declared_differences import differences
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.from_docker import own_name

_SHOWN = 5


@registry.check(phase=2, errors={"drift": "The containers are what the compose files on the host declare."})
def containers_match_their_files(facts: Facts) -> Iterator[Finding]:
    """Each container is what the files on the host declare: image, command, user, variables, mounts, privileges,
    limits, restart policy, ports, healthcheck and logging. What a file leaves to the image is not compared.
    """
    declaration = _declaration(facts)
    declared = {service.name: service for service in declaration.services}
    for container in facts.containers:
        service = declared.get(container.service.name)
        found = (
            list(differences(declaration, service, container.service))
            if service
            else ["the file no longer has this service"]
        )
        if found:
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            yield Finding(
                id="drift",
                role=container.role,
                service=container.service.name,
                problem=f"the container differs from the file: {'; '.join(found[:_SHOWN])}{more}",
                impact="the next recreate changes what runs, whenever that happens",
                fix=f"deploy what the files say ({recreate(container)}), or change the files back to what runs"
                if service
                else "deploy what the files say (docker compose up -d --remove-orphans), or put the service back",
            )


@registry.check(
    phase=2,
    errors={"off-its-network": "Each container is on the networks that its file declares, with its aliases."},
    warnings={"network-not-declared": "No container is on a network that its file does not declare."},
)
def containers_are_on_their_networks(
    facts: Facts, network: Callable[[str], str] = lambda which: ""
) -> Iterator[Finding]:
    """Each running container is on exactly the networks that its service declares, under the aliases from there.

    ``network`` gives Docker's name of the network that is shared with the ``proxy`` or the ``gateway``: that API and front are on
    these is judged by wrong-network.
    """
    declaration = _declaration(facts)
    declared = {service.name: service for service in declaration.services}
    judged_elsewhere = {(API, network("proxy")), (FRONT, network("proxy")), (API, network("gateway"))}
    for container in facts.containers:
        service = declared.get(container.service.name)
        if service is None or service.network_mode or not container.running or container.service.network_mode:
            continue
        wanted = {
            own_name(name, container.project): (key, name)
            for key in service.networks
            if (name := declaration.network_name(key))
        }
        for own, (key, name) in wanted.items():
            if own not in container.service.networks:
                if (container.role, name) not in judged_elsewhere:
                    yield _missing(declaration, container, service, key, name)
            elif lacks := _lacking(service, key, container.service.networks[own]):
                yield _nameless(container, name, lacks, _names(service, key))
        for own in container.service.networks:
            if own not in wanted:
                yield _not_declared(container, own)


def _declaration(facts: Facts) -> Model:
    if facts.declaration is None and (why := platforms.no_file(facts)):
        raise Unknown(f"no compose file to compare with: {why}", why=why)
    if facts.declaration is None:
        raise Unknown(
            "the compose file on the host could not be read: "
            f"{facts.declaration_error or 'no container names one'}",
            fix="set deployment.directory in settings.toml, and log in as a user who may read the compose file",
        )
    availability.brought_up(facts)
    return facts.declaration


def _names(service: Service, key: str) -> tuple[str, ...]:
    return (service.name, *(name for name in service.networks[key] if name != service.hostname))


def _lacking(service: Service, key: str, names: tuple[str, ...]) -> list[str]:
    # Docker adds a host name by itself, and not every version shows it.
    return [name for name in service.networks[key] if name not in names and name != service.hostname]


def _missing(declaration: Model, container: Container, service: Service, key: str, name: str) -> Finding:
    there = [each.name for each in declaration.services if key in each.networks and each.name != service.name]
    others = ", ".join(there) or "what else is there"
    return Finding(
        id="off-its-network",
        role=container.role,
        service=container.service.name,
        problem=f"it is not on the network {name}, which its file declares",
        impact=f"it can't reach {others} there, and is not reached by its names",
        fix=_connect(container, name, _names(service, key)),
    )


def _nameless(container: Container, name: str, lacks: list[str], aliases: tuple[str, ...]) -> Finding:
    return Finding(
        id="off-its-network",
        role=container.role,
        service=container.service.name,
        problem=f"on the network {name} it does not have the alias {', '.join(lacks)}, which its file declares",
        impact="what looks for it by this name finds nothing, or a stranger",
        fix=f"docker network disconnect {shlex.quote(name)} {container.name}, then: "
        f"{_connect(container, name, aliases)}",
    )


def _not_declared(container: Container, own: str) -> Finding:
    network = next((each for each in container.addresses if own_name(each, container.project) == own), own)
    return Finding(
        id="network-not-declared",
        role=container.role,
        service=container.service.name,
        severity=Severity.WARNING,
        problem=f"it is on the network {network}, which its file does not declare",
        impact="what is there reaches it, and no longer does when it is next recreated",
        fix=f"declare the network in the file, or take it off: docker network disconnect {shlex.quote(network)} {container.name}",
    )


def _connect(container: Container, network: str, aliases: tuple[str, ...]) -> str:
    words = ["docker", "network", "connect"]
    for alias in dict.fromkeys(aliases):
        words += ["--alias", alias]
    return shlex.join([*words, network, container.name])
