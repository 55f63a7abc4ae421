"""A settings file of a deployment as text: what is known, each line with its source, and what nothing says as comments."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import TRAEFIK, Backup, Gateway, Settings, problems
from lago_acceptance.lago.contradictions import Contradiction
from lago_acceptance.lago.derived import ENTRIES, Derived, Said, with_entries

Placed = Callable[[Said], str]
"""Where something is said, such as ``docker-compose.yml:45``; "" where that has no place in a file."""

# What to write where nothing says an entry, and why it may be left out.
_NOBODY_SAYS = {
    "deployment.directory": ("/srv/lago", "a compose file doesn't say in which folder of the host it lies"),
    "deployment.compose_file": ("docker-compose.yml", "nothing says which file Compose was started from"),
    "deployment.env_file": (".env", "nothing says which file has the deploy's variables"),
    "deployment.version": ("v1.16.0", "no image has the tag of a release: write the release that runs"),
    "hosts.front": (
        "https://billing.example.com",
        "no URL, router or published port says it: set LAGO_FRONT_URL of the API, or write it here",
    ),
    "hosts.api": (
        "https://billing-api.example.com",
        "no URL, router or published port says it: set LAGO_API_URL of the API, or write it here",
    ),
    "hosts.gateway": (
        "https://api.example.com",
        "no gateway is named, and none is judged; write where customers reach it, if there is one",
    ),
}
# Entries that mean nothing to other proxies.
_TRAEFIKS = {
    "edge.http_entrypoint": ("web", "no router says which entry point takes port 80"),
    "edge.https_entrypoint": ("websecure", "no router says which entry point takes port 443"),
    "edge.resolver": ("letsencrypt", "no router names a certificate resolver"),
    "edge.proxy_network": ("proxy", "no label says which network the proxy shares with API and front"),
}


def text(
    found: Derived,
    contradictions: tuple[Contradiction, ...],
    *,
    of: str,
    source: str,
    placed: Placed,
    remark: str = "",
    everything: bool = False,
) -> str:
    """The text of a file that ``core.settings.load`` accepts.

    ``of`` is the deployment in words, ``source`` what the given settings are called. ``everything``: the defaults as well, as
    comments.
    """
    lines = [_comment(f"The settings of {of}. What it says of itself may be left out.")]
    lines += [_comment(remark)] if remark else []
    said = {each.entry: each for each in found.said}
    usable, refused = _usable(said)
    unclear = {each.entry: each.why for each in found.unclear}
    against: dict[str, list[Contradiction]] = {}
    for each in contradictions:
        against.setdefault(each.entry, []).append(each)
    for table in ("deployment", "hosts", "edge"):
        lines += ["", f"[{table}]"]
        for entry in _entries(table):
            lines += [_contradiction(each, source, placed) for each in against.get(entry, ())]
            if entry in usable:
                lines.append(_line(entry, said[entry], source, placed))
            elif entry in refused:
                lines.append(_comment(f"{_by(said[entry], source, placed)} can't be used: {refused[entry]}"))
            elif entry in unclear:
                example = {**_NOBODY_SAYS, **_TRAEFIKS}.get(entry, ("…", ""))[0]
                lines.append(
                    f"# {_key(entry)} = {_toml(example)}  {_comment(f'{unclear[entry]}: write it here')}"
                )
            elif hint := _hint(entry, found.settings):
                lines.append(f"# {_key(entry)} = {_toml(hint[0])}  {_comment(hint[1])}")
        lines += _rest(table, getattr(found.settings, table), source, everything)
    for table in ("limits", "signs", "reports", "backup", "gateway"):
        rest = _table(table, getattr(found.settings, table), source, everything)
        lines += ["", *rest] if rest else []
    for version, schema in found.settings.schema.items():
        lines += ["", f"[schema.{_toml(version)}]", *_rest("schema", schema, source, everything)]
    return "\n".join(lines) + "\n"


def _usable(said: dict[str, Said]) -> tuple[set[str], dict[str, str]]:
    """The entries that a settings file may have, and why the others can't be in one."""
    usable: list[Said] = []
    refused: dict[str, str] = {}
    for entry, each in said.items():
        if redact(each.value) != each.value:
            refused[entry] = "it holds a secret"
        elif problem := next(problems(with_entries(Settings(), [*usable, each])), ""):
            refused[entry] = problem
        else:
            usable.append(each)
    return {each.entry for each in usable}, refused


def _entries(table: str) -> Iterator[str]:
    return (each for each in ENTRIES if each.startswith(f"{table}."))


def _hint(entry: str, settings: Settings) -> tuple[str, str] | None:
    if entry in _TRAEFIKS and settings.edge.proxy == TRAEFIK:
        return _TRAEFIKS[entry]
    return _NOBODY_SAYS.get(entry)


def _line(entry: str, said: Said, source: str, placed: Placed) -> str:
    return f"{_key(entry)} = {_toml(said.value)}  {_comment(_by(said, source, placed))}"


def _by(said: Said, source: str, placed: Placed) -> str:
    """What says something, and where."""
    if said.by == "the settings":
        return source
    place = placed(said)
    return f"{said.by} ({place})" if place else said.by


def _contradiction(each: Contradiction, source: str, placed: Placed) -> str:
    one, other = (
        f"{_by(said, source, placed)} says {said.value or 'nothing'}" for said in (each.first, each.second)
    )
    return _comment(f"contradiction: {one}, and {other}: correct the one that is wrong")


def _rest(table: str, values: msgspec.Struct, source: str, everything: bool) -> Iterator[str]:
    """The entries of a table that nobody derives: those that are given, and the defaults where all are wanted."""
    for field in msgspec.structs.fields(values):
        if f"{table}.{field.name}" in ENTRIES:
            continue
        value = getattr(values, field.name)
        if value != field.default:
            yield f"{field.encode_name} = {_toml(value)}  {_comment(source)}"
        elif everything and value not in ("", ()):
            yield f"# {field.encode_name} = {_toml(value)}  # default"


_EXAMPLES: dict[str, msgspec.Struct] = {
    "backup": Backup("/var/backups/lago/*.sql.gz"),
    "gateway": Gateway(env_file="/root/gateway/.env", variable="LAGO_API_KEY"),
}


def _table(table: str, values: msgspec.Struct | None, source: str, everything: bool) -> list[str]:
    """A table of its own, with its head where it has a line. Of an optional one, an example where all is wanted."""
    if values is None:
        if not everything:
            return []
        lines = list(_rest(table, _EXAMPLES[table], "an example", everything))
        return [_comment(line) for line in (f"[{table}]", *(line.removeprefix("# ") for line in lines))]
    lines = list(_rest(table, values, source, everything))
    return [f"[{table}]", *lines] if lines else []


def _key(entry: str) -> str:
    return entry.partition(".")[2]


def _comment(words: str) -> str:
    return f"# {one_line(redact(words))}"


def _toml(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # DEL is the one character that JSON lets through and TOML doesn't.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)
