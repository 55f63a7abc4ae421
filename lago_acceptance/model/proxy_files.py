"""What a Caddyfile, or nginx's configuration, sends where: as far as it is in a mounted file and can be read for certain."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once

_CADDY = re.compile(r"/Caddyfile$|\.caddy(file)?$")
_NGINX = re.compile(r"^/etc/nginx/(nginx\.conf|(conf\.d|http\.d|sites-enabled|templates)/[^/]+)$")
_WORD = re.compile(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|\S+")
# What nginx includes in every image, and what has neither a name nor a target.
_PLAIN_INCLUDE = re.compile(r"(mime\.types|(fastcgi|scgi|uwsgi|proxy)_params|options-ssl-nginx\.conf)$")
_CATCH_ALL = ""


class Target(msgspec.Struct, frozen=True):
    """One place that requests are sent to, and the line that says so. ``port`` is the scheme's own where none is written."""

    host: str
    port: int
    path: str
    line: int


class ProxyFiles(msgspec.Struct, frozen=True):
    """The names that a proxy's files serve, in lower case ("" is any), and where they send requests.

    ``whole``: nothing of them lies in other files, or depends on what is only known to the proxy.
    """

    names: frozenset[str]
    targets: tuple[Target, ...]
    whole: bool
    places: tuple[tuple[str, int], ...]

    def serves(self, host: str) -> bool:
        """Whether one of the names is a host's."""
        wildcards = {f"*.{host.partition('.')[2]}", f".{host}", f".{host.partition('.')[2]}"}
        return bool({_CATCH_ALL, host, *wildcards} & self.names)


class _Read(msgspec.Struct):
    names: set[str] = msgspec.field(default_factory=set)
    targets: list[Target] = msgspec.field(default_factory=list)
    places: list[tuple[str, int]] = msgspec.field(default_factory=list)
    whole: bool = True


@once
def proxy_files(model: Model, service: Service) -> ProxyFiles | None:
    """What the configuration of a Caddy or an nginx says, None where none is mounted, or where it can't be read from here."""
    read, found = _Read(), False
    for mount in service.mounts:
        text = model.files.get(mount.source)
        caddy, nginx = _CADDY.search(mount.target), _NGINX.match(mount.target)
        if text is None:
            # A folder, or a file that isn't here: it may hold more of the configuration.
            read.whole &= not re.match(r"/etc/(caddy|nginx)(/|$)", mount.target) or "cert" in mount.target
        elif caddy:
            found = True
            _read_caddy(mount.source, text, read)
        elif nginx:
            found = True
            _read_nginx(mount.source, text, read)
    if not found:
        return None
    return ProxyFiles(frozenset(read.names), tuple(read.targets), read.whole, tuple(read.places))


def _read_caddy(path: str, text: str, read: _Read) -> None:
    """A Caddyfile. Of its directives only those that send requests on are of interest."""
    depth, addresses, in_sites = 0, [], True
    passing = 0
    for number, line in enumerate(text.splitlines(), 1):
        words = [word.strip('"`') for word in _words(line)]
        if not words:
            continue
        if "<<" in line or words[0] == "import":
            read.whole = False
        opens, closes = words[-1] == "{", words[0] == "}"
        if closes:
            depth -= 1
            passing = passing if depth >= passing else 0
            continue
        if depth == 0 and in_sites:
            names = words[:-1] if opens else words
            addresses += names
            if opens or not line.rstrip().endswith(","):
                if addresses and not addresses[0].startswith("("):
                    _add_sites(path, number, addresses, read)
                # Without braces the first line names the only site.
                in_sites = opens
                addresses = []
        elif words[0] == "reverse_proxy" or passing and words[0] == "to":
            _add_targets(path, number, [word for word in words[1:] if word != "{"], read)
            passing = depth + 1 if opens and words[0] == "reverse_proxy" else passing
        depth += opens


def _add_sites(path: str, number: int, addresses: list[str], read: _Read) -> None:
    for address in ",".join(addresses).split(","):
        if not address:
            continue
        if "{" in address or unknown(address):
            read.whole = False
            continue
        host = address.partition("://")[2] if "://" in address else address
        read.names.add(host.partition("/")[0].partition(":")[0].lower())
        read.places.append((path, number))


def _add_targets(path: str, number: int, words: list[str], read: _Read) -> None:
    if words and words[0].startswith(("/", "@", "*")):
        words = words[1:]
    if not words:
        return
    for word in words:
        target = _target(word, path, number)
        if target:
            read.targets.append(target)
        else:
            read.whole = False


def _target(text: str, path: str, number: int) -> Target | None:
    """Where a text such as http://api:3000 leads, None for what isn't a host with a port."""
    scheme, separator, rest = text.partition("://")
    address = (rest if separator else text).partition("/")[0]
    found = re.fullmatch(r"([A-Za-z0-9][\w.-]*)(?::(\d+))?", address)
    other = text.startswith("unix/") or bool(separator) and scheme not in ("http", "https")
    if not found or unknown(text) or other:
        return None
    port = int(found[2]) if found[2] else 443 if scheme == "https" else 80
    return Target(found[1].lower(), port, path, number)


def _words(line: str) -> Iterator[str]:
    for word in _WORD.findall(line):
        if word.startswith("#"):
            return
        yield word


def _read_nginx(path: str, text: str, read: _Read) -> None:
    """nginx's configuration: servers with their names, and what they and their upstreams lead to."""
    bare = re.sub(r"(?m)(^|(?<=[\s;{}]))#.*$", "", text)

    def line(at: int) -> int:
        return bare.count("\n", 0, at) + 1

    upstreams = {}
    for block in re.finditer(r"\bupstream\s+(\S+)\s*\{([^}]*)\}", bare):
        upstreams[block[1]] = [
            (server[1], line(block.start(2) + server.start()))
            for server in re.finditer(r"\bserver\s+([^\s;]+)", block[2])
        ]
    used: set[str] = set()
    for found in re.finditer(r"\bproxy_pass\s+([^\s;]+)", bare):
        scheme, separator, rest = found[1].partition("://")
        name = rest.partition("/")[0]
        if name in upstreams:
            used.add(name)
        elif target := _target(f"{scheme}{separator}{rest}", path, line(found.start())):
            read.targets.append(target)
        else:
            read.whole = False
    for name in used:
        for server, number in upstreams[name]:
            if target := _target(server, path, number):
                read.targets.append(target)
            else:
                read.whole = False
    for start in re.finditer(r"(?m)(?:^|(?<=[\s;{}]))server\s*\{", bare):
        body = _block(bare, start.end())
        names = re.search(r"\bserver_name\s+([^;]+);", body)
        each = names[1].split() if names else ["_"]
        if any("$" in name or unknown(name) for name in each):
            read.whole = False
        else:
            plain = (name.lower().strip("\"'") for name in each)
            read.names.update(_CATCH_ALL if name == "_" or name.startswith("~") else name for name in plain)
        if "default_server" in body:
            read.names.add(_CATCH_ALL)
        read.places.append((path, line(start.start())))
    for found in re.finditer(r"(?m)^\s*include\s+([^\s;]+)", bare):
        read.whole &= bool(_PLAIN_INCLUDE.search(found[1])) or found[1].startswith("/etc/nginx/conf.d/")


def _block(text: str, start: int) -> str:
    """What is between an opening brace, which ends before ``start``, and its closing one."""
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return text[start:at]
    return text[start:]
