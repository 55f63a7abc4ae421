"""What a run changes in a compose file so that it can run beside everything else, and nothing that is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from lago_acceptance.composefile.cli import Project, Resolved
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.hidden_labels import hidden, is_hidden
from lago_acceptance.targets.stack.extras import Extra
from lago_acceptance.targets.stack.isolation import Isolation, isolation
from lago_acceptance.targets.stack.merge_tags import OVERRIDE, RESET, Tagged, dump, literal
from lago_acceptance.targets.stack.mounts import Places

_NETWORK = "traefik.docker.network"
_NOTHING = Isolation({}, {}, ())


class Overlay(msgspec.Struct, frozen=True):
    """The YAML of the changes, for Compose to merge. ``told`` has a line for each thing that was taken away."""

    text: str
    told: tuple[str, ...]


def overlay(
    resolved: Resolved,
    images: Mapping[str, str],
    networks: Mapping[str, str],
    places: Places | None = None,
    extras: Mapping[str, Extra] | None = None,
    added: Mapping[str, dict[str, Any]] | None = None,
) -> Overlay:
    """The changes to a project.

    ``images`` maps a reference to what is run instead, ``networks`` the name of a network to this run's.
    Published ports move to free ones of 127.0.0.1, fixed names go. With ``places``, nothing of this machine but
    what is in them reaches a container, and data lie in volumes of the run; without, the file is one of the testbed.
    ``extras`` are added to services, by name; their networks are among ``networks``, under the same keys. ``added`` are whole
    services of the run, each with a volume of its name.
    """
    model = resolved.model
    apart = isolation(resolved.document, places) if places else _NOTHING
    services = {}
    for service in model.services:
        raw, extra = resolved.document["services"][service.name], (extras or {}).get(service.name, Extra())
        changes = (
            _beside_others(service, images)
            | _labels(raw, networks, extra.labels)
            | apart.services.get(service.name, {})
        )
        services[service.name] = changes | extra.changes(raw, changes)
    services |= {
        name: {**literal(raw), "image": images.get(raw["image"], raw["image"])}
        for name, raw in (added or {}).items()
    }
    sections = apart.sections
    if added:
        sections = sections | {"volumes": {key: {} for key in added} | sections.get("volumes", {})}
    joined = sections.get("networks", {}) | {
        key: {each: RESET for each in raw} | {"name": networks[raw["name"]], "external": True}
        for key, raw in (resolved.document.get("networks") or {}).items()
        if raw.get("name") in networks
    }
    joined |= {
        key: {"name": networks[key], "external": True}
        for extra in (extras or {}).values()
        for key in extra.networks
    }
    parts = {"services": services, **sections, "networks": joined}
    head = [
        "# What this run changed in the compose file, and nothing else.",
        *(f"# {line}" for line in apart.told),
    ]
    return Overlay(
        "\n".join(head) + "\n" + dump({key: value for key, value in parts.items() if value}), apart.told
    )


def _beside_others(service: Service, images: Mapping[str, str]) -> dict[str, Any]:
    """What lets a service run beside others of its name, ports and image."""
    changes: dict[str, Any] = {}
    if service.image and images.get(service.image, service.image) != service.image:
        changes["image"] = images[service.image]
    if service.pull_policy not in ("", "missing", "never", "if_not_present"):
        changes["pull_policy"] = "missing"
    if service.container_name:
        changes["container_name"] = RESET
    if service.ports:
        changes["ports"] = Tagged(
            OVERRIDE, [f"127.0.0.1::{port.target}/{port.protocol}" for port in service.ports]
        )
    return changes


def _labels(raw: Mapping[str, Any], networks: Mapping[str, str], more: Mapping[str, str]) -> dict[str, Any]:
    """A container's labels and more, hidden, and with this run's network for Traefik. Those for a swarm are no container's."""
    labels = {key: str(value) for key, value in (raw.get("labels") or {}).items()} | dict(more)
    if (named := labels.get(_NETWORK, "")) in networks:
        labels[_NETWORK] = networks[named]
    return {"labels": Tagged(OVERRIDE, hidden(labels))}


def verify(
    project: Project,
    networks: Mapping[str, str],
    places: Places,
    extras: Mapping[str, Extra] | None = None,
) -> Resolved:
    """What Compose makes of the file under test with its overlay. UsageError if it would reach this machine."""
    made = resolve(project)
    left = [
        *isolation(_without(made.document, extras or {}), places).told,
        *_shared(made.model, networks),
        *_visible(made.document),
    ]
    if left:
        raise UsageError(
            f"{project.files[0]} can't be brought up safely on this machine: {left[0]}; remove that from the file, "
            f"or check it with lago-gate, which starts nothing"
        )
    return made


def _without(document: dict[str, Any], extras: Mapping[str, Extra]) -> dict[str, Any]:
    """A document without the networks that extras have joined: their addresses are the run's own."""
    services = dict(document["services"])
    for name, extra in extras.items():
        # One that is left out is not there.
        if name not in services:
            continue
        joined = services[name].get("networks") or {}
        services[name] = services[name] | {
            "networks": {key: each for key, each in joined.items() if key not in extra.networks}
        }
    return document | {"services": services}


def _shared(model: Model, networks: Mapping[str, str]) -> Iterator[str]:
    """What the deployment would share with the machine although an overlay should have replaced it."""
    for service in model.services:
        if service.container_name:
            yield f"{service.name} has the fixed name {service.container_name}"
        for port in service.ports:
            if not port.loopback or port.published.strip("0"):
                yield f"{service.name} publishes port {port.target} as {port.address}:{port.published}"
    for network in model.networks:
        if network.name not in networks.values() and (
            network.external or network.name != f"{model.project}_{network.key}"
        ):
            yield f"network {network.key} is {network.name}, which is not this run's"


def _visible(document: Mapping[str, Any]) -> Iterator[str]:
    for name, raw in document["services"].items():
        if not is_hidden(raw.get("labels") or {}):
            yield f"the labels of {name} can be seen by every Traefik on this daemon"


def binds(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The host's paths that the services of a document see."""
    mounts = (mount for raw in document["services"].values() for mount in raw.get("volumes") or ())
    return tuple(dict.fromkeys(mount["source"] for mount in mounts if mount["type"] == "bind"))
