"""The register of finding ids: their meaning, their severity, and where they can be seen.

The code that reports a finding registers its id: a rule with ``rule``, a check or scenario with ``check``, a table with
``register``. Findings, ``Blocked``, waivers, ``--explain``, SARIF and docs/checks.md read this register and nothing else.
"""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeVar

import msgspec

PHASES = {
    0: "Before the deploy",
    1: "RSA key",
    2: "Services",
    3: "Traefik, DNS and TLS",
    4: "Gateway",
    5: "Validation",
    6: "Plans",
    7: "Rollback",
    8: "Upgrade",
}
# Rooms whose modules register ids. They are loaded by name, since core may not import them.
ROOMS = ("core", "lago", "rules", "checks", "clients", "scenarios", "deploy")
# Ids of earlier releases that waivers may still use, with their new names.
ALIASES: dict[str, str] = {
    "api-key-refused": "api-refuses-its-key",
    "healthcheck-absent": "missing-healthcheck",
    "version-differs-from-settings": "settings-contradict",
}

Function = TypeVar("Function", bound=Callable[..., object])


class Severity(enum.StrEnum):
    """``error``: won't start, loses data, leaks secrets or breaks billing. ``warning``: will cause trouble later, or
    is less secure than it could be.
    """

    ERROR = "error"
    WARNING = "warning"


class Vantage(enum.StrEnum):
    """Where something can be seen: in a compose file, in a stack on this machine, on a live host."""

    GATE = "gate"
    STACK = "stack"
    LIVE = "live"


EVERYWHERE = tuple(Vantage)
RUNNING = (Vantage.STACK, Vantage.LIVE)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One id, in kebab-case: one for each kind of defect.

    ``title`` is one line, ``page`` the explanation below it ("" if the title is enough). ``severity`` is the default of
    its findings. ``needs_base``: it can only be seen by comparing two versions.
    """

    id: str
    phase: int
    severity: Severity
    title: str
    page: str = ""
    vantage: tuple[Vantage, ...] = RUNNING
    needs_base: bool = False


_entries: dict[str, Entry] = {}


def register(*entries: Entry) -> None:
    """Add ids. ValueError if one is already registered with another meaning."""
    for entry in entries:
        if _entries.setdefault(entry.id, entry) != entry:
            raise ValueError(f"{entry.id} is registered twice, with two meanings")


def check(
    *,
    phase: int,
    errors: Mapping[str, str] | None = None,
    warnings: Mapping[str, str] | None = None,
    vantage: tuple[Vantage, ...] = RUNNING,
) -> Callable[[Function], Function]:
    """Register the ids of a function's findings, each with its title. The function's docstring is their page."""

    def registered(function: Function) -> Function:
        page = inspect.cleandoc(function.__doc__ or "")
        for severity, titles in ((Severity.ERROR, errors), (Severity.WARNING, warnings)):
            for id, title in (titles or {}).items():
                register(
                    Entry(id=id, phase=phase, severity=severity, title=title, page=page, vantage=vantage)
                )
        return function

    return registered


def known(id: str) -> Entry | None:
    """The entry of an id that a loaded module registered, or None."""
    return _entries.get(id)


@cache
def entries() -> dict[str, Entry]:
    """Every id of the project, by phase and name. Loads all rooms that register any.

    Their modules import heavy libraries on demand, so this works where only the gate's dependencies are installed.
    """
    import pkgutil

    for room in ROOMS:
        package = importlib.import_module(f"lago_acceptance.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return dict(sorted(_entries.items(), key=lambda item: (item[1].phase, item[0])))


def find(id: str) -> Entry | None:
    """The entry of an id or of its new name; None if there is none."""
    id = ALIASES.get(id, id)
    return known(id) or entries().get(id)


def unknown(id: str) -> str:
    """The error message for an id that is not registered, with similar ids."""
    import difflib

    near = difflib.get_close_matches(id, entries(), 3, 0.4)
    return f"there is no finding {id!r}" + (f"; did you mean {' or '.join(near)}?" if near else "")
