"""The Traefik that reads the labels: the model's own, or the one in the settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from lago_acceptance.core.roles import PROXY
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.platforms import platforms

_FLAG = re.compile(r"(?:^|(?<=\s))--?(?P<name>[A-Za-z][\w.\[\]-]*)(?:=(?P<value>\S*))?")
_WHOLE_FLAG = re.compile(r"--?(?P<name>[A-Za-z][\w.\[\]-]*)(?:=(?P<value>.*))?", re.DOTALL)
_ALIAS = re.compile(r"(^|[\s,\[{])\*[\w-]", re.MULTILINE)
_VERSION = re.compile(r"(?:^|/)traefik:v?(\d+)\b")


class Flag(msgspec.Struct, frozen=True):
    """One static option of Traefik, by flag, variable or file: its name in lower case, and where it is set."""

    name: str
    value: str
    at: tuple[str | int, ...]


class ProxySettings(msgspec.Struct, frozen=True):
    """The proxy's entry points and resolvers. ``redirects``: its http entry point redirects by itself, or may do so.
    ``http`` and ``https`` are "" where it has no entry point for port 80 or 443, or none that is known.

    ``inside``: the proxy is a service of the model; otherwise it is the one in the settings, or another file's. ``complete``:
    its entry points are known. ``version`` is 2 or 3, None if it isn't known. ``flags`` are its static options, if they
    are in the model.
    """

    inside: bool
    http: str
    https: str
    entrypoints: frozenset[str]
    resolvers: frozenset[str]
    redirects: bool
    complete: bool
    version: int | None = None
    flags: tuple[Flag, ...] = ()

    def option(self, name: str) -> str:
        """The value of a static option, "" if it isn't set."""
        return next((flag.value for flag in self.flags if flag.name == name), "")


def proxy(model: Model, settings: Settings) -> ProxySettings:
    """The proxy that reads the labels: the model's own Traefik, the one in the settings, or one that nobody here knows."""
    edge = settings.edge
    for service in model.of_role(PROXY):
        flags = tuple(static_options(service, model))
        points, resolvers = {}, set()
        for flag in flags:
            part = flag.name.split(".")
            if flag.name.startswith("entrypoints.") and flag.name.endswith(".address"):
                points[part[1]] = flag.value.rpartition(":")[2].partition("/")[0]
            elif flag.name.startswith("certificatesresolvers.") and len(part) > 2:
                resolvers.add(part[1])
        by_port = {port: name for name, port in points.items()}
        return ProxySettings(
            True,
            by_port.get("80", "" if points else edge.http_entrypoint),
            by_port.get("443", "" if points else edge.https_entrypoint),
            frozenset(points),
            frozenset(resolvers),
            # Without entry points among the options, they are in a file that isn't read.
            any("redirections" in flag.name for flag in flags) or not points,
            bool(points),
            _version(service),
            flags,
        )
    shared = {name for each in model.services for key in each.networks if (name := model.network_name(key))}
    known = bool(edge.http_entrypoint and edge.https_entrypoint)
    return ProxySettings(
        False,
        edge.http_entrypoint,
        edge.https_entrypoint,
        frozenset((edge.http_entrypoint, edge.https_entrypoint)) if known else frozenset(),
        frozenset((edge.resolver,)) if edge.resolver else frozenset(),
        not known,
        known,
        next((each.proxy_version for each in platforms() if each.network in shared), None),
    )


def _version(service: Service) -> int | None:
    found = _VERSION.search(service.image)
    return min(max(int(found[1]), 2), 3) if found else None


def static_options(service: Service, model: Model) -> Iterator[Flag]:
    """What Traefik's container sets of its static options: by flags, by variables, and by files that are here."""
    for key, words in (("entrypoint", service.entrypoint), ("command", service.command)):
        for number, word in enumerate(words):
            # A word of its own may have blanks in its value; those of a shell's script may not.
            whole = _WHOLE_FLAG.fullmatch(word)
            for found in [whole] if whole else _FLAG.finditer(word):
                # A flag without a value switches something on.
                value = "true" if found["value"] is None else found["value"].strip("\"'")
                yield Flag(found["name"].lower(), value, ("services", service.name, key, number))
    for variable, value in service.environment.items():
        if variable.upper().startswith("TRAEFIK_"):
            name = variable[len("TRAEFIK_") :].replace("_", ".").lower()
            yield Flag(name, value or "", ("services", service.name, "environment", variable))
    for number, mount in enumerate(service.mounts):
        text = model.files.get(mount.source)
        if text and re.search(r"/traefik[^/]*\.(ya?ml|toml)$", mount.target):
            for name, value in _options_of(mount.target, text):
                yield Flag(name.lower(), value, ("services", service.name, "volumes", number))


def _options_of(path: str, text: str) -> list[tuple[str, str]]:
    """The options of a configuration file. One with aliases isn't read: they can make it endless."""
    try:
        if path.endswith(".toml"):
            return list(_flat(tomllib.loads(text)))
        return [] if _ALIAS.search(text) else list(_flat(yaml.load(text, yaml.CSafeLoader)))
    except (tomllib.TOMLDecodeError, yaml.YAMLError, RecursionError, ValueError):
        return []


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The options of a configuration file under the names of their flags."""
    if isinstance(value, dict):
        # A section without options switches it on, as in `api: {}`.
        if name and not value:
            yield name, "true"
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, list):
        yield name, ",".join(map(str, value))
    elif value is not None:
        yield name, str(value)
