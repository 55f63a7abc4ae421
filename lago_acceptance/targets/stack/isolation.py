"""Takes from the services under test what would reach beyond their containers: the host's data, devices, namespaces.

What is not known to be harmless is taken away, so that an option of a later Compose is too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.stock_images import DEFAULT_CAPABILITIES
from lago_acceptance.targets.stack.merge_tags import OVERRIDE, RESET, Tagged
from lago_acceptance.targets.stack.mounts import (
    DROP,
    KEEP,
    READ_ONLY,
    SOCKET,
    VOLUME,
    Places,
    fate,
    read_only_mount,
)

# Of a service: what stays inside its container, what Compose itself has already worked in, what up --no-build ignores,
# and what overlay.py changes (ports, names, images).
_HARMLESS = """
attach build cap_drop command container_name cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset
depends_on develop dns dns_opt dns_search domainname entrypoint env_file environment expose extends extra_hosts
group_add healthcheck hostname image init label_file labels links mac_address mem_limit mem_reservation
mem_swappiness memswap_limit pids_limit platform ports profiles pull_policy read_only restart scale shm_size
stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits user working_dir
"""
HARMLESS = frozenset(_HARMLESS.split())
DOCUMENT = frozenset(("name", "services", "networks", "volumes", "secrets", "configs"))
SECURITY = ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true")
LOGGING = ("", "json-file", "local", "none")

Changes = dict[str, Any]


class Isolation(msgspec.Struct, frozen=True):
    """What an overlay changes, by service and by section of the document; ``told`` says each change in one line."""

    services: dict[str, Changes]
    sections: dict[str, Any]
    told: tuple[str, ...]


def isolation(document: Mapping[str, Any], places: Places) -> Isolation:
    """The changes after which nothing in Compose's resolved ``document`` reaches the host.

    UsageError where a service is a program of the repository instead of a container.
    """
    services: dict[str, Changes] = {}
    sections: dict[str, Any] = {}
    told: dict[str, list[str]] = {}
    folders: dict[str, str] = {}
    for name, raw in document["services"].items():
        if raw.get("provider"):
            raise UsageError(
                f"{name} has a provider, which Compose would run as a program on this machine; a test stack starts "
                f"containers only: remove provider from the service, or give it an image"
            )
        for key, value, line in (*_options(raw), *_mounts(raw, places, folders)):
            services.setdefault(name, {})[key] = value
            for each in line.splitlines():
                told.setdefault(each, []).append(name)
    lines = [f"{', '.join(dict.fromkeys(names))}: {line}" for line, names in told.items()]
    for section, key, change, line in _sections(document, places):
        if key:
            sections.setdefault(section, {})[key] = change
        else:
            sections[section] = change
        lines.append(line)
    if folders:
        sections["volumes"] = {key: {} for key in folders.values()} | sections.get("volumes", {})
    return Isolation(services, sections, tuple(lines))


# --- services ---


def _options(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for key, value in raw.items():
        if key in HARMLESS or key == "volumes" or key.startswith("x-") or value in (None, False, [], {}):
            continue
        kept = PARTLY[key](value) if key in PARTLY else None
        if kept == value:
            continue
        if kept is None:
            yield key, RESET, f"{key} is left out"
        else:
            yield key, kept if key in _NESTED else Tagged(OVERRIDE, kept), f"part of {key} is left out"


def _namespace(value: str) -> str | None:
    return value if value in ("private", "shareable", "none") or value.startswith("service:") else None


def _network_mode(value: str) -> str | None:
    return value if value == "none" or value.startswith("service:") else None


def _capabilities(value: list[str]) -> list[str] | None:
    return [each for each in value if each.upper().removeprefix("CAP_") in DEFAULT_CAPABILITIES] or None


def _logging(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return value if value.get("driver", "") in LOGGING else {"driver": "json-file"}


def _hooks(value: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: part for key, part in hook.items() if key != "privileged"} for hook in value]


def _deploy(value: Mapping[str, Any]) -> Mapping[str, Any]:
    resources = value.get("resources") or {}
    taken = {
        kind: {key: RESET for key in ("devices", "generic_resources") if part and key in part}
        for kind, part in resources.items()
    }
    taken = {kind: keys for kind, keys in taken.items() if keys}
    return {"resources": taken} if taken else value


def _networks(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fixed addresses go with the networks' own ranges."""
    fixed = ("ipv4_address", "ipv6_address", "link_local_ips", "driver_opts")
    taken = {
        network: {key: RESET for key in fixed if key in (options or {})} for network, options in value.items()
    }
    taken = {network: keys for network, keys in taken.items() if keys}
    return taken or value


# What may stay in part, or with some values: a function that gives what stays, the value itself if all of it may.
PARTLY: dict[str, Callable[[Any], Any]] = {
    "cap_add": _capabilities,
    "cgroup": _namespace,
    "configs": lambda value: value,
    "deploy": _deploy,
    "ipc": _namespace,
    "logging": _logging,
    "network_mode": _network_mode,
    "networks": _networks,
    "pid": _namespace,
    "post_start": _hooks,
    "pre_stop": _hooks,
    "secrets": lambda value: value,
    "security_opt": lambda value: [each for each in value if each in SECURITY] or None,
    "userns_mode": _namespace,
    "uts": _namespace,
    "volumes_from": lambda value: [each for each in value if not each.startswith("container:")] or None,
}
_NESTED = ("deploy", "networks")


def _mounts(
    raw: Mapping[str, Any], places: Places, folders: dict[str, str]
) -> Iterator[tuple[str, Any, str]]:
    mounts, lines = [], []
    for mount in raw.get("volumes") or ():
        kind, source, target = (mount.get(key) or "" for key in ("type", "source", "target"))
        decided = fate(mount, places) if kind == "bind" else KEEP if kind in ("volume", "tmpfs") else DROP
        if decided == KEEP:
            mounts.append(mount)
        elif decided == READ_ONLY:
            mounts.append({"type": kind, "source": source, "target": target, "read_only": True})
            lines.append(f"{source} is mounted at {target} read-only")
        elif decided == SOCKET and places.docker_socket:
            mounts.append(read_only_mount(target, places.docker_socket))
            lines.append("the Docker socket shows this run's containers only, and changes none")
        elif decided == VOLUME:
            key = folders.setdefault(source, f"folder-{len(folders)}")
            mounts.append({"type": "volume", "source": key, "target": target})
            lines.append(f"an empty volume is mounted at {target} instead of {source}{_way_out(source)}")
        else:
            lines.append(f"{source} is not mounted at {target}{_way_out(source)}")
    if lines:
        yield "volumes", Tagged(OVERRIDE, mounts), "\n".join(lines)


def _way_out(source: str) -> str:
    return f" (to mount it: --allow-mount {source})" if source.startswith("/") and source != "/" else ""


# --- networks, volumes, secrets, configs ---


def _sections(document: Mapping[str, Any], places: Places) -> Iterator[tuple[str, str, Any, str]]:
    for section in document:
        if section not in DOCUMENT and not section.startswith("x-"):
            yield section, "", RESET, f"{section} are left out"
    for key, raw in (document.get("networks") or {}).items():
        if taken := _taken(raw, {"driver": ("bridge",), "driver_opts": (), "ipam": ()}):
            yield "networks", key, taken, f"network {key}: {', '.join(taken)} left out"
    for key, raw in (document.get("volumes") or {}).items():
        own = {
            "driver": ("local",),
            "driver_opts": (),
            "external": (),
            "name": (f"{document['name']}_{key}",),
        }
        if taken := _taken(raw, own):
            yield (
                "volumes",
                key,
                taken,
                f"volume {key}: an empty one of the run ({', '.join(taken)} left out)",
            )
    for section in ("secrets", "configs"):
        for key, raw in (document.get(section) or {}).items():
            file = (raw or {}).get("file", "")
            if file and file != str(places.empty_file) and not places.readable(file):
                line = f"{section}: {key} is empty instead of {file}{_way_out(file)}"
                yield section, key, {"file": str(places.empty_file)}, line


def _taken(raw: Mapping[str, Any] | None, own: Mapping[str, tuple[Any, ...]]) -> Changes:
    """What is reset of a network or volume: each key of ``own`` whose value is none of the harmless ones."""
    given = raw or {}
    return {key: RESET for key, kept in own.items() if given.get(key) and given[key] not in kept}
