"""The REST routes that config/routes.rb declares, read without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_PREFIX = "/api/v1"
_STATEMENT = re.compile(
    r"(namespace|scope|resources?|get|post|put|patch|delete|collection|member|if|unless|\w+)\b(.*)", re.DOTALL
)
_FIRST = re.compile(r"""\s*\(?\s*(?::(\w+)|["']([^"']+)["'])""")
_LIST = re.compile(r"\b(only|except): (?:%i\[([^\]]*)\]|\[([^\]]*)\]|:(\w+))")
_PARAM = re.compile(r"\bparam: :(\w+)")
_ON = re.compile(r"\bon: :(\w+)")
_PATH = re.compile(r"""\bpath: ["':](\w+)""")
_VERBS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "delete": "DELETE"}
_ACTIONS = {
    "index": ("GET", False),
    "create": ("POST", False),
    "show": ("GET", True),
    "update": ("PUT", True),
    "destroy": ("DELETE", True),
}


class _Block(msgspec.Struct, frozen=True):
    """What a block is within: the path of what is nested in it, of its collection and of one member."""

    nested: str
    collection: str
    member: str


def paths(text: str) -> set[tuple[str, str]]:
    """Method and path of each route below /api/v1, with :names for what varies."""
    found: set[tuple[str, str]] = set()
    blocks = [_Block("", "", "")]
    for statement in _statements(text):
        if statement == "end":
            if len(blocks) > 1:
                blocks.pop()
            continue
        opens = bool(re.search(r"\bdo(\s*\|[^|]*\|)?$", statement)) or statement.startswith(
            ("if ", "unless ")
        )
        matched = _STATEMENT.match(statement)
        word, rest = (matched[1], matched[2]) if matched else ("", "")
        routes, inner = _understood(word, rest, blocks[-1])
        found.update(routes)
        if opens:
            blocks.append(inner)
    return {(method, path.removeprefix(_PREFIX)) for method, path in found if path.startswith(f"{_PREFIX}/")}


def _understood(word: str, rest: str, block: _Block) -> tuple[list[tuple[str, str]], _Block]:
    """The routes of a statement, and what is within its block."""
    name = _FIRST.match(rest)
    first = (name[1] or name[2]) if name else ""
    if word == "namespace":
        inner = f"{block.nested}/{first}"
        return [], _Block(inner, inner, inner)
    if word == "scope" and first:
        inner = f"{block.nested}/{first.strip('/')}"
        return [], _Block(inner, inner, inner)
    if word in ("resources", "resource") and first:
        return _resource(word == "resources", first, rest, block)
    if word in _VERBS and first:
        on = _ON.search(rest)
        base = {"member": block.member, "collection": block.collection}.get(on[1] if on else "", block.nested)
        return [(_VERBS[word], f"{base}/{first.strip('/')}".rstrip("/"))], block
    if word in ("collection", "member"):
        base = block.collection if word == "collection" else block.member
        return [], _Block(base, base, base)
    return [], block


def _resource(many: bool, name: str, rest: str, block: _Block) -> tuple[list[tuple[str, str]], _Block]:
    path, param = _PATH.search(rest), _PARAM.search(rest)
    collection = f"{block.nested}/{path[1] if path else name}"
    member = f"{collection}/:{param[1] if param else 'id'}" if many else collection
    actions = set(_ACTIONS) if many else set(_ACTIONS) - {"index"}
    for kind, *lists in _LIST.findall(rest):
        named = set(re.findall(r"\w+", " ".join(lists)))
        actions = actions & named if kind == "only" else actions - named
    routes = [(_ACTIONS[each][0], member if _ACTIONS[each][1] else collection) for each in sorted(actions)]
    return routes, _Block(member, collection, member)


def _statements(text: str) -> Iterator[str]:
    """The statements of the file, each in one piece."""
    piece = ""
    for line in text.splitlines():
        piece = f"{piece} {line.strip()}".strip()
        if piece and not piece.endswith(",") and piece.count("(") == piece.count(")"):
            yield piece
            piece = ""
