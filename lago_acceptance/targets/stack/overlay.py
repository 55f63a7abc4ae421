"""What a run changes in a compose file so that it can run beside everything else, and nothing that is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lago_acceptance.core.roles import DB, LAGO_RUBY, REDIS
from lago_acceptance.model.deployment import Model, Mount, Service


def overlay(model: Model, images: Mapping[str, str], networks: Mapping[str, str]) -> str:
    """The YAML of the changes, for Compose to merge.

    ``images`` maps a reference to what is run instead, ``networks`` the name of an external network to this run's.
    Published ports move to free ones of 127.0.0.1, fixed container names go. Data lie in volumes of the run: neither
    an external volume nor a folder of this machine is written to.
    """
    services: dict[str, Any] = {}
    folders: dict[str, str] = {}
    for service in model.services:
        changes: dict[str, Any] = {}
        image = service.image
        if image and images.get(image, image) != image:
            changes["image"] = images[image]
        if service.pull_policy not in ("", "missing", "never", "if_not_present"):
            changes["pull_policy"] = "missing"
        if service.container_name:
            changes["container_name"] = _Tagged("!reset", None)
        if service.ports:
            changes["ports"] = _Tagged(
                "!override", [f"127.0.0.1::{port.target}/{port.protocol}" for port in service.ports]
            )
        if (name := service.labels.get("traefik.docker.network", "")) in networks:
            changes["labels"] = {"traefik.docker.network": networks[name]}
        if data := [(mount.target, _volume_for(mount, folders)) for mount in data_folders(service)]:
            changes["volumes"] = [{"type": "volume", "source": key, "target": target} for target, key in data]
        if changes:
            services[service.name] = changes
    externals = {
        network.key: {"name": networks[network.name], "external": True}
        for network in model.networks
        if network.name in networks
    }
    volumes: dict[str, Any] = {
        volume.key: {"name": _Tagged("!reset", None), "external": _Tagged("!reset", None)}
        for volume in model.volumes
        if volume.external or not volume.name.startswith(f"{model.project}_")
    }
    volumes |= {key: {} for key in folders.values()}
    parts = {"services": services, "networks": externals, "volumes": volumes}
    return _yaml({key: value for key, value in parts.items() if value})


def data_folders(service: Service) -> Iterator[Mount]:
    """The folders of this machine that the service would keep its data in."""
    for mount in service.mounts:
        if mount.kind != "bind" or mount.read_only or Path(mount.source).is_file():
            continue
        target = mount.target.rstrip("/")
        if (
            (service.role == DB and not target.startswith(("/docker-entrypoint", "/etc", "/run")))
            or (service.role == REDIS and target == "/data")
            or (service.role in LAGO_RUBY and target == "/app/storage")
        ):
            yield mount


def _volume_for(mount: Mount, folders: dict[str, str]) -> str:
    return folders.setdefault(mount.source, f"folder-{len(folders)}")


class _Tagged:
    """A value with one of Compose's merge tags."""

    def __init__(self, tag: str, value: Any):
        self.tag, self.value = tag, value


def _yaml(value: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, tagged: _Tagged) -> yaml.Node:
        node = dumper.represent_data(tagged.value)
        node.tag = tagged.tag
        return node

    Dumper.add_representer(_Tagged, represent)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False)
