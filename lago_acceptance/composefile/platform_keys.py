"""Keys that only a deploy platform knows. Compose refuses a file with them; the platform takes them out first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lago_acceptance.composefile.yaml_lines import YamlPath

# By platform: its keys in each kind of mapping.
_KEYS: dict[str, dict[str, frozenset[str]]] = {
    "Coolify": {
        "service": frozenset({"exclude_from_hc"}),
        "mount": frozenset({"content", "is_directory", "isDirectory"}),
        "volume": frozenset({"content", "is_directory", "isDirectory"}),
    },
    "CapRover": {
        "top": frozenset({"captainVersion", "caproverOneClickApp"}),
        "service": frozenset({"caproverExtra"}),
    },
    # Umbrel gives this service its image.
    "Umbrel": {"services": frozenset({"app_proxy"})},
    "Cosmos": {"top": frozenset({"cosmos-installer"}), "service": frozenset({"routes", "post_install"})},
}
# Platforms whose keys begin with their names.
_NAMES = {
    name.lower(): name
    for name in (
        "CapRover",
        "CasaOS",
        "Coolify",
        "Cosmos",
        "Dockge",
        "Dokku",
        "Dokploy",
        "Easypanel",
        "Elestio",
        "Komodo",
        "Portainer",
        "Railway",
        "Render",
        "Runtipi",
        "Umbrel",
        "Yacht",
        "Zeabur",
    )
}
# A variable that CapRover fills in before it makes services of a template.
_OF_CAPROVER = "$$cap_"
_REFUSED = re.compile(r"(?:^|[\s:])([\w.\[\]-]*)\s*additional properties ((?:'[^']*'(?:, )?)+) not allowed")
_NO_IMAGE = re.compile(r'service "(app_proxy)" has neither an image nor a build')
_FALSE_SCHEMA = re.compile(
    r"\b((?:services|networks|volumes|configs|secrets)\.[\w.-]+)\.([^\s.]+) false schema"
)


class Refusal(NamedTuple):
    """The keys that Compose doesn't know in one mapping of a file."""

    place: YamlPath
    keys: tuple[str, ...]


def refused_keys(reason: str) -> Refusal | None:
    """The unknown keys that Compose's error names; None if it names none."""
    if found := _NO_IMAGE.search(reason):
        return Refusal(("services",), (found[1],))
    if found := _FALSE_SCHEMA.search(reason):
        return Refusal(_steps(found[1]), (found[2],))
    if found := _REFUSED.search(reason):
        return Refusal(_steps(found[1]), tuple(re.findall(r"'([^']*)'", found[2])))
    return None


def _steps(place: str) -> YamlPath:
    return tuple(int(step) if step.isdigit() else step for step in re.split(r"[.\[\]]+", place) if step)


def platform_of(place: YamlPath, key: str) -> str:
    """The platform that knows a key there; "" if none is known to."""
    kind = _kind(place)
    known = next((name for name, keys in _KEYS.items() if key in keys.get(kind, ())), "")
    return known or _NAMES.get(re.split(r"[-_.]", key.lower())[0], "")


def template_of(document: dict[str, Any]) -> str:
    """The platform whose template a file is, which no Compose is ever given; "" for a compose file."""
    services = document.get("services")
    is_template = isinstance(services, dict) and any(_OF_CAPROVER in str(name) for name in services)
    return "CapRover" if is_template else ""


def platform_keys(document: dict[str, Any]) -> Iterator[Refusal]:
    """The platforms' keys of a file, by the mapping that has them."""
    for place, mapping in _mappings(document):
        if keys := tuple(key for key in mapping if platform_of(place, key)):
            yield Refusal(place, keys)


def _mappings(document: dict[str, Any]) -> Iterator[tuple[YamlPath, dict[str, Any]]]:
    found: list[tuple[YamlPath, Any]] = [((), document)]
    for part in ("services", "volumes", "networks"):
        entries = document.get(part)
        found += (
            [((part, name), entry) for name, entry in entries.items()] if isinstance(entries, dict) else []
        )
    for place, entry in tuple(found):
        mounts = entry.get("volumes") if place[:1] == ("services",) and isinstance(entry, dict) else None
        for number, mount in enumerate(mounts if isinstance(mounts, list) else ()):
            found.append(((*place, "volumes", number), mount))
    yield from ((place, entry) for place, entry in found if isinstance(entry, dict))


def _kind(place: YamlPath) -> str:
    match place:
        case ():
            return "top"
        case ("services",):
            return "services"
        case ("services", _):
            return "service"
        case ("services", _, "volumes", _):
            return "mount"
        case ("volumes", _):
            return "volume"
    return ""
