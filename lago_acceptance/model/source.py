"""A compose file as it was written: what interpolation and merging take away."""

from __future__ import annotations

from typing import Any

import msgspec


class ComposeSource(msgspec.Struct, frozen=True, kw_only=True):
    """A compose file as it was written: what interpolation and merging take away.

    ``document`` holds the texts before interpolation. ``unset`` are the variables that nothing sets;
    ``environment_known`` tells whether there was an environment file to look into at all. ``env_files`` are
    the env_file entries by service, ``missing_files`` those that don't exist, ``env_texts`` the others by
    path; ``repeated`` are the keys of a mapping, or names of a list environment, that stand twice, each as
    the way to it. ``lines`` tells where each way leads, ``pem_lines`` where a private key's PEM begins;
    ``committed`` are those of its files that are in a git repository. ``compose_error`` is why Compose
    refuses the file, "" where it doesn't.
    """

    path: str
    document: dict[str, Any]
    unset: frozenset[str] = frozenset()
    environment_known: bool = False
    interpolation_files: tuple[str, ...] = ()
    env_files: dict[str, tuple[str, ...]] = {}
    missing_files: dict[str, tuple[str, ...]] = {}
    env_texts: dict[str, str] = {}
    repeated: tuple[tuple[str | int, ...], ...] = ()
    lines: dict[tuple[str | int, ...], int] = {}
    pem_lines: tuple[int, ...] = ()
    committed: tuple[str, ...] = ()
    compose_error: str = ""
    error_at: tuple[str | int, ...] = ()

    def line(self, at: tuple[str | int, ...]) -> int | None:
        """The line (1-based) at which the way leads, as far as it can be followed; ("line", n) is line n."""
        if at[:1] == ("line",):
            return int(at[1])
        if at[2:3] == ("labels",) and at not in self.lines:
            swarm = (*at[:2], "deploy", *at[2:])
            at = swarm if swarm in self.lines else at
        while at:
            if at in self.lines:
                return self.lines[at]
            at = at[:-1]
        return None

    def text(self, service: str, name: str) -> str | None:
        """A service's environment variable before interpolation, None where the file doesn't write it."""
        environment = (self.document.get("services", {}).get(service) or {}).get("environment")
        if isinstance(environment, dict):
            value = environment.get(name)
            return None if value is None else str(value)
        for entry in environment if isinstance(environment, list) else ():
            key, equals, value = str(entry).partition("=")
            if key == name and equals:
                return value
        return None
