"""A compose file before interpolation and merging."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

import msgspec


class UnreadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a compose file names, and that is neither opened here nor by Compose.

    ``key`` is what names it: include, extends, label_file, env_file or .env. ``why`` is "address" (it would be fetched),
    "outside" (it is not in the file's project) or "special" (a device, a pipe, a socket, or something of the kernel).
    ``named`` is its name as it is written, ``via`` the local file that names it ("" for the compose file itself).
    """

    key: str
    why: str
    named: str
    via: str = ""
    service: str = ""
    line: int | None = None


class CutValue(msgspec.Struct, frozen=True, kw_only=True):
    """A variable of an environment file whose value Compose changes when it reads the file.

    ``why`` is "unset" (it names a variable that nothing sets: ``unset``), "comment" (what follows a # is dropped), "tail"
    (what follows the closing quote is dropped), "lines" (the closing quote is missing, and the next lines belong to it) or
    "escape" (a backslash and a letter become a control character). ``users`` are the services that get the variable by
    their env_file; none for a file of interpolation.
    """

    path: str
    name: str
    line: int
    why: str
    unset: str = ""
    users: tuple[str, ...] = ()


class ComposeSource(msgspec.Struct, frozen=True, kw_only=True):
    """A compose file before interpolation and merging.

    ``document`` has the texts before interpolation. ``unset`` are the variables that nothing sets;
    ``blank`` are those that Compose replaces by nothing, with the YAML paths where they are used (none: in a file that this
    one includes or extends), ``refused_blank`` whether Compose refuses the file for one of them. ``cut_values`` are values of environment files that Compose changes.
    ``environment_known`` is whether there was an environment file to look into. ``env_files`` are the
    env_file entries by service, ``missing_files`` those that don't exist, ``env_texts`` the texts of the
    others by path. ``env_variables`` are the variables that each environment file writes, by its path: names and
    values, as often as they are written. ``repeated`` are the YAML paths of keys, or of names in a list of
    variables, that are there twice. ``lines`` are the line numbers by YAML path, ``pem_lines`` those where the
    PEM of a private key begins. ``committed`` are those of its files that are in a git repository.
    ``unread`` are the files that it names and that must not be opened. ``overlays`` are the files that are laid over it, in
    order, each with its lines; ``parts`` are the services of a file that is not whole without another. ``compose_error`` is why Compose rejects the
    file, else "".
    """

    path: str
    document: dict[str, Any]
    unset: frozenset[str] = frozenset()
    blank: dict[str, tuple[tuple[str | int, ...], ...]] = {}
    refused_blank: bool = False
    cut_values: tuple[CutValue, ...] = ()
    environment_known: bool = False
    interpolation_files: tuple[str, ...] = ()
    env_files: dict[str, tuple[str, ...]] = {}
    missing_files: dict[str, tuple[str, ...]] = {}
    env_texts: dict[str, str] = {}
    env_variables: dict[str, tuple[tuple[str, str], ...]] = {}
    repeated: tuple[tuple[str | int, ...], ...] = ()
    lines: dict[tuple[str | int, ...], int] = {}
    pem_lines: tuple[int, ...] = ()
    committed: tuple[str, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    overlays: tuple[tuple[str, dict[tuple[str | int, ...], int]], ...] = ()
    parts: tuple[str, ...] = ()
    compose_error: str = ""
    error_at: tuple[str | int, ...] = ()

    def line(self, at: tuple[str | int, ...]) -> int | None:
        """The line (1-based) of a YAML path, or of its deepest known part; ("line", n) is line n."""
        return self.place(at)[1]

    def place(self, at: tuple[str | int, ...]) -> tuple[str, int | None]:
        """The file and the line of a YAML path: where it is set last, else where its deepest known part is first.

        ("file", path, n) is a line of another file.
        """
        if at[:1] == ("line",):
            return self.path, int(at[1])
        if at[:1] == ("file",):
            return self._beside(str(at[1])), int(at[2])
        path, found = self.path, _deepest(self.lines, at)
        for other, lines in self.overlays:
            known = _deepest(lines, at)
            if len(known) > len(found) or (len(known) == len(found) and len(at) > 2 and _is_whole(known, at)):
                path, found = other, known
        lines = self.lines if path == self.path else dict(self.overlays)[path]
        return path, lines.get(found)

    def _beside(self, path: str) -> str:
        """A file's path as it is written beside the compose file's."""
        folder = PurePath(self.path).parent
        try:
            return str(folder / PurePath(path).relative_to(Path(folder).resolve()))
        except ValueError:
            return path

    def text(self, service: str, name: str) -> str | None:
        """A service's variable before interpolation, None if the file doesn't set it."""
        environment = (self.document.get("services", {}).get(service) or {}).get("environment")
        if isinstance(environment, dict):
            value = environment.get(name)
            return None if value is None else str(value)
        for entry in environment if isinstance(environment, list) else ():
            key, equals, value = str(entry).partition("=")
            if key == name and equals:
                return value
        return None


def _deepest(lines: dict[tuple[str | int, ...], int], at: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The deepest part of a YAML path that has a line."""
    if at[2:3] == ("labels",) and at not in lines:
        swarm = (*at[:2], "deploy", *at[2:])
        at = swarm if swarm in lines else at
    while at and at not in lines:
        at = at[:-1]
    return at


def _is_whole(known: tuple[str | int, ...], at: tuple[str | int, ...]) -> bool:
    return len(known) >= len(at)
