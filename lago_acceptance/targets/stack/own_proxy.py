"""A proxy that is a service of the file under test: it runs as the file says, with the run's own certificate authority.

No container may have certificates of a public authority here, nor can that authority reach it. Everything else of it stays.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lago_acceptance.composefile.cli import Project, Resolved
from lago_acceptance.core import report_files
from lago_acceptance.core.settings import CADDY, NGINX, TRAEFIK
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_proxy import Flag, static_options
from lago_acceptance.targets.stack.edge import AUTHORITY, CERTIFICATE, KEY
from lago_acceptance.targets.stack.extras import Extra
from lago_acceptance.targets.stack.mounts import Places, read_only_mount

EDGE_KEY = "lago-acceptance-edge"
"""The network on which the proxy is reached, and reaches its certificate authority."""
DIRECTORY = "https://pebble:14000/dir"
"""The directory of that authority."""
PLACEHOLDER = "192.0.2.254"
"""The proxy's address on that network before there is one."""
_ADDRESS = "LAGO_ACCEPTANCE_PROXY_ADDRESS"
ROOT = "/run/lago-acceptance/ca.pem"
"""The root of the authority's own address, in the container."""

_LARGEST = 2**20
# Traefik's storage needs a file of its own that it may write to.
_STORAGE = "/tmp/lago-acceptance-acme.json"
_CHALLENGES = ("dnschallenge", "httpchallenge", "tlschallenge")


class OwnProxy(msgspec.Struct, frozen=True):
    """What is added to the proxy's service, a line for each thing that is not as in production, and whether it serves certificates
    of the run's own instead of the authority's.
    """

    extra: Extra
    told: tuple[str, ...] = ()
    own_certificates: bool = False


def own_proxy(kind: str, service: Service, model: Model, places: Places, folder: Path) -> OwnProxy:
    """A file's own proxy on a stack. ``folder`` is that of the edge.

    A kind that is not known gets the network alone.
    """
    adapted: dict[str, Callable[[_Files], OwnProxy]] = {TRAEFIK: _traefik, CADDY: _caddy, NGINX: _nginx}
    made = adapted.get(kind, _as_it_is)(_Files(service, model, places, folder))
    joined = msgspec.structs.replace(made.extra, networks={EDGE_KEY: {"ipv4_address": f"${{{_ADDRESS}}}"}})
    return msgspec.structs.replace(made, extra=joined)


Given = TypeVar("Given", Project, Resolved)


def with_address(given: Given, address: str) -> Given:
    """A project with the proxy's address on the edge's network, or what Compose made of one with ``PLACEHOLDER``."""
    if isinstance(given, Project):
        return msgspec.structs.replace(given, variables={**given.variables, _ADDRESS: address})
    document = json.loads(json.dumps(given.document).replace(f'"{PLACEHOLDER}"', f'"{address}"'))
    return msgspec.structs.replace(given, document=document)


class _Files:
    """The proxy's service with the files that it mounts, and copies of them that are changed for the run."""

    def __init__(self, service: Service, model: Model, places: Places, folder: Path):
        self.service, self.model, self._places, self._folder = service, model, places, folder

    def text(self, target: str) -> str | None:
        """The text of a file that is mounted at a path of the container; None where it can't be read here."""
        path = self._source(target)
        if path is None or not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        return path.read_text("utf-8", "replace")

    def below(self, target: str) -> Iterator[tuple[str, str]]:
        """Path in the container and text of each mounted file at or below a path."""
        for mount in self.service.mounts:
            source = Path(mount.source)
            if mount.kind != "bind" or not self._places.readable(mount.source):
                continue
            if mount.target == target or mount.target.startswith(f"{target}/"):
                paths = sorted(source.rglob("*")) if source.is_dir() else [source]
                for path in paths:
                    inner = path.relative_to(source)
                    at = f"{mount.target}/{inner}" if str(inner) != "." else mount.target
                    if (text := self.text(at)) is not None:
                        yield at, text

    def copy(self, target: str, text: str) -> dict[str, Any]:
        """The mount of a changed text at a path of the container."""
        path = self._folder / "proxy" / re.sub(r"\W", "-", target).strip("-")
        path.parent.mkdir(exist_ok=True)
        report_files.write(path, text.encode("utf-8", "surrogateescape"))
        # The proxy may run as any user.
        os.chmod(path, 0o644)
        return read_only_mount(target, path)

    def root(self) -> dict[str, Any]:
        """The mount of the root of the authority's own address."""
        return read_only_mount(ROOT, self._folder / AUTHORITY)

    def beside(self, target: str, source: Path) -> dict[str, Any]:
        """The mount of a file of the run at a path of the container.

        In a folder of the project that is mounted, the file is put into a copy of the folder: Docker would make it there.
        """
        mount = self.service.mount_at(target)
        folder = Path(mount.source) if mount else Path()
        if (
            mount is None
            or mount.target == target
            or not (folder.is_dir() and self._places.readable(mount.source))
        ):
            return read_only_mount(target, source)
        copy = self._folder / "proxy" / re.sub(r"\W", "-", mount.target).strip("-")
        if not copy.exists():
            shutil.copytree(folder, copy, ignore=_links)
        inner = copy / target[len(mount.target.rstrip("/")) + 1 :]
        inner.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, inner)
        return read_only_mount(mount.target, copy)

    def value(self, use: re.Match[str]) -> str:
        """The value of a variable that is used in a template, as it is written where the service has none."""
        return self.service.value(use[1]) or use[0]

    def own(self, name: str) -> Path:
        """A file of the edge's folder."""
        return self._folder / name

    def _source(self, target: str) -> Path | None:
        mount = self.service.mount_at(target)
        if mount is None or mount.kind != "bind" or not self._places.readable(mount.source):
            return None
        inner = target[len(mount.target.rstrip("/")) :].lstrip("/")
        path = Path(mount.source, inner) if inner else Path(mount.source)
        return path if self._places.readable(str(path)) else None


def _links(folder: str, names: list[str]) -> list[str]:
    """What is not copied of a folder: a link may lead out of the project, and what is written through it would too."""
    return [name for name in names if os.path.islink(os.path.join(folder, name))]


def _as_it_is(files: _Files) -> OwnProxy:
    return OwnProxy(Extra())


# --- Traefik ---


def _traefik(files: _Files) -> OwnProxy:
    service = files.service
    mounted = {each.source: text for each in service.mounts if (text := files.text(each.target)) is not None}
    model = msgspec.structs.replace(files.model, files={**files.model.files, **mounted})
    flags = tuple(static_options(service, model))
    resolvers = sorted(
        {
            flag.name.split(".")[1]
            for flag in flags
            if flag.name.startswith("certificatesresolvers.") and ".acme" in flag.name
        }
    )
    if not resolvers:
        return OwnProxy(Extra())
    by_hand = any(".acme.dnschallenge" in flag.name for flag in flags)
    told = (
        f"{service.name}: certificates come from the run's own authority"
        + (", by the TLS challenge instead of DNS" if by_hand else ""),
    )
    extra = Extra(environment={"LEGO_CA_CERTIFICATES": ROOT}, mounts=(files.root(),))
    places = {
        flag.at[2] for flag in flags if flag.name.startswith("certificatesresolvers.") and len(flag.at) > 2
    }
    options = {name: _acme(name, flags, by_hand) for name in resolvers}
    if "volumes" in places:
        return OwnProxy(_in_file(files, extra, options, flags), told)
    if "environment" in places:
        added = {
            f"TRAEFIK_CERTIFICATESRESOLVERS_{name.upper()}_{key.replace('.', '_').upper()}": value
            for name, keys in options.items()
            for key, value in keys.items()
        }
        return OwnProxy(msgspec.structs.replace(extra, environment={**extra.environment, **added}), told)
    kept = tuple(word for word in service.command if not _replaced(word, options, by_hand))
    added_words = tuple(
        f"--certificatesresolvers.{name}.{key}={value}"
        for name, keys in options.items()
        for key, value in keys.items()
    )
    return OwnProxy(msgspec.structs.replace(extra, command=(*kept, *added_words)), told)


def _acme(name: str, flags: tuple[Flag, ...], by_hand: bool) -> dict[str, str]:
    """The options of a resolver that are the run's own."""
    prefix = f"certificatesresolvers.{name}.acme."
    asked = any(flag.name.startswith(prefix + each) for flag in flags for each in _CHALLENGES)
    changed = {"acme.caserver": DIRECTORY, "acme.storage": _STORAGE}
    return changed | ({"acme.tlschallenge": "true"} if by_hand or not asked else {})


def _replaced(word: str, options: dict[str, dict[str, str]], by_hand: bool) -> bool:
    name = word.lstrip("-").partition("=")[0].lower()
    _, _, rest = name.partition("certificatesresolvers.")
    resolver, _, key = rest.partition(".")
    if resolver not in options:
        return False
    return key in options[resolver] or by_hand and key.startswith("acme.dnschallenge")


def _in_file(
    files: _Files, extra: Extra, options: dict[str, dict[str, str]], flags: tuple[Flag, ...]
) -> Extra:
    """The options of a configuration file. Traefik reads options from one place only."""
    number = next(
        int(flag.at[3])
        for flag in flags
        if flag.name.startswith("certificatesresolvers.") and flag.at[2:3] == ("volumes",)
    )
    target = files.service.mounts[number].target
    text = files.text(target) or ""
    changed = _in_toml(text, options) if target.endswith(".toml") else _in_yaml(text, options)
    return msgspec.structs.replace(extra, mounts=(*extra.mounts, files.copy(target, changed)))


def _in_yaml(text: str, options: dict[str, dict[str, str]]) -> str:
    import yaml

    document = yaml.safe_load(text)
    resolvers = next(value for key, value in document.items() if key.lower() == "certificatesresolvers")
    for name, resolver in resolvers.items():
        acme = next((value for key, value in resolver.items() if key.lower() == "acme"), None)
        if acme is None or name.lower() not in options:
            continue
        own = options[name.lower()]
        taken = {key.partition(".")[2] for key in own} | {"dnschallenge"}
        kept = {key: value for key, value in acme.items() if key.lower() not in taken}
        acme.clear()
        acme |= kept | {"caServer": own["acme.caserver"], "storage": own["acme.storage"]}
        if "acme.tlschallenge" in own:
            acme["tlsChallenge"] = {}
    return yaml.safe_dump(document, sort_keys=False)


def _in_toml(text: str, options: dict[str, dict[str, str]]) -> str:
    """Line by line: nothing here writes TOML, and the rest of the file is to stay as it is."""
    made, inside = [], False
    for line in text.splitlines():
        if table := re.fullmatch(r"\s*\[(?P<name>[^\[\]]+)\]\s*(#.*)?", line):
            parts = [part.strip().strip("\"'").lower() for part in table["name"].split(".")]
            resolver = parts[:1] == ["certificatesresolvers"] and len(parts) > 2 and parts[1] in options
            inside = resolver and parts[2:] == ["acme"]
            if resolver and parts[2:] == ["acme", "dnschallenge"]:
                line = line.replace(table["name"], f"{'.'.join(table['name'].split('.')[:3])}.tlsChallenge")
            made.append(line)
            if inside:
                made += [f'caServer = "{DIRECTORY}"', f'storage = "{_STORAGE}"']
            continue
        if not (inside and re.match(r"\s*(caserver|storage)\s*=", line, re.IGNORECASE)):
            made.append(line)
    return "\n".join(made) + "\n"


# --- Caddy ---

_CADDYFILE = "/etc/caddy/Caddyfile"
# Of a site's or the global options' own: another authority, and challenges that nobody here answers.
_OF_AUTHORITY = re.compile(
    r"^\s*(acme_ca|acme_ca_root|acme_dns|acme_eab|ca|ca_root|dns)\b(?!.*\{\s*$).*$", re.MULTILINE
)


def _caddy(files: _Files) -> OwnProxy:
    target = next(
        (word for option, word in _pairs(files.service.command) if option in ("--config", "-c", "-config")),
        _CADDYFILE,
    )
    text = files.text(target)
    if text is None:
        return OwnProxy(Extra())
    options = f"\tacme_ca {DIRECTORY}\n\tacme_ca_root {ROOT}\n"
    bare = _OF_AUTHORITY.sub("", text)
    begin = re.match(r"(\s*(#[^\n]*)?\n)*\s*\{[ \t]*\n", bare)
    changed = bare[: begin.end()] + options + bare[begin.end() :] if begin else f"{{\n{options}}}\n{bare}"
    told = f"{files.service.name}: certificates come from the run's own authority"
    return OwnProxy(Extra(mounts=(files.root(), files.copy(target, changed))), (told,))


def _pairs(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for word, following in zip(words, [*words[1:], ""], strict=False):
        option, equals, value = word.partition("=")
        yield (option, value) if equals else (word, following)


# --- nginx ---

_CERTIFICATE = re.compile(
    r"^\s*(ssl_certificate(?:_key)?|ssl_trusted_certificate)\s+[\"']?(/[^\s;\"'$]+)", re.MULTILINE
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def _nginx(files: _Files) -> OwnProxy:
    """Its certificates are files: those of this run take their place."""
    wanted = {
        path: KEY if directive.endswith("_key") else CERTIFICATE
        for _, text in files.below("/etc/nginx")
        for directive, path in _CERTIFICATE.findall(_VARIABLE.sub(files.value, text))
    }
    if not wanted:
        return OwnProxy(Extra())
    mounts: dict[str, dict[str, Any]] = {}
    for path, name in wanted.items():
        mount = files.beside(path, files.own(name))
        mounts[mount["target"]] = mount
    told = f"{files.service.name}: its certificates are the run's own"
    return OwnProxy(Extra(mounts=tuple(mounts.values())), (told,), own_certificates=True)
