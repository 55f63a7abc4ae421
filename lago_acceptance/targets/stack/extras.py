"""What a run adds to a service under test so that its proxy works here: labels, networks, options, files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lago_acceptance.model.deployment import HEALTHY
from lago_acceptance.targets.stack.merge_tags import OVERRIDE, Tagged, literal


class Extra(msgspec.Struct, frozen=True):
    """What is added to one service. ``networks`` has the options by key, ``mounts`` are in Compose's long syntax, and replace those
    at the same target. ``command`` replaces the service's own, None keeps it. ``started`` is whether it is started at all,
    ``waits_for`` are services that have to be healthy first.
    """

    labels: dict[str, str] = {}
    networks: dict[str, dict[str, Any]] = {}
    environment: dict[str, str] = {}
    command: tuple[str, ...] | None = None
    mounts: tuple[dict[str, Any], ...] = ()
    started: bool = True
    waits_for: tuple[str, ...] = ()

    def with_more(self, more: Extra) -> Extra:
        """What both add; a command and mounts are ``more``'s where it has any."""
        return Extra(
            labels=self.labels | more.labels,
            networks=self.networks | more.networks,
            environment=self.environment | more.environment,
            command=self.command if more.command is None else more.command,
            mounts=more.mounts or self.mounts,
            started=self.started and more.started,
            waits_for=(*self.waits_for, *more.waits_for),
        )

    def changes(self, raw: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
        """A service's part of the overlay, beside what is changed in it for other reasons."""
        made: dict[str, Any] = {}
        if self.networks and not raw.get("network_mode"):
            # A service that names no network is on the default one, until it names another.
            default = {key: None for key, options in (raw.get("networks") or {}).items() if options is None}
            made["networks"] = {**default, **(changed.get("networks") or {}), **self.networks}
        if self.environment:
            made["environment"] = literal(self.environment)
        if self.command is not None:
            made["command"] = Tagged(OVERRIDE, literal(list(self.command)))
        if self.mounts:
            tagged = changed.get("volumes")
            before = tagged.value if isinstance(tagged, Tagged) else raw.get("volumes") or ()
            targets = {mount["target"] for mount in self.mounts}
            kept = [mount for mount in before if mount.get("target") not in targets]
            made["volumes"] = Tagged(OVERRIDE, [*kept, *self.mounts])
        if self.waits_for:
            made["depends_on"] = {name: {"condition": HEALTHY} for name in self.waits_for}
        if not self.started:
            # Compose fetches the image of a service with no replicas, but not of one that is not asked for.
            made["profiles"] = Tagged(OVERRIDE, ["lago-acceptance-left-out"])
        return made


def together(*extras: Mapping[str, Extra]) -> dict[str, Extra]:
    """What several parts of a run add, by service."""
    found: dict[str, Extra] = {}
    for part in extras:
        for name, extra in part.items():
            found[name] = found[name].with_more(extra) if name in found else extra
    return found
