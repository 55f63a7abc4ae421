"""What a run adds to a service under test so that its proxy works here: labels, networks, options, files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lago_acceptance.targets.stack.merge_tags import OVERRIDE, Tagged


class Extra(msgspec.Struct, frozen=True):
    """What is added to one service. ``networks`` has the options by key, ``mounts`` are in Compose's long syntax, and replace those
    at the same target. ``command`` replaces the service's own, None keeps it. ``started`` is whether it is started at all.
    """

    labels: dict[str, str] = {}
    networks: dict[str, dict[str, Any]] = {}
    environment: dict[str, str] = {}
    command: tuple[str, ...] | None = None
    mounts: tuple[dict[str, Any], ...] = ()
    started: bool = True

    def changes(self, raw: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
        """A service's part of the overlay, beside what is changed in it for other reasons."""
        made: dict[str, Any] = {}
        if self.networks and not raw.get("network_mode"):
            # A service that names no network is on the default one, until it names another.
            default = {key: None for key, options in (raw.get("networks") or {}).items() if options is None}
            made["networks"] = {**default, **(changed.get("networks") or {}), **self.networks}
        if self.environment:
            made["environment"] = self.environment
        if self.command is not None:
            # Compose interpolates what it reads.
            made["command"] = Tagged(OVERRIDE, [word.replace("$", "$$") for word in self.command])
        if self.mounts:
            tagged = changed.get("volumes")
            before = tagged.value if isinstance(tagged, Tagged) else raw.get("volumes") or ()
            targets = {mount["target"] for mount in self.mounts}
            kept = [mount for mount in before if mount.get("target") not in targets]
            made["volumes"] = Tagged(OVERRIDE, [*kept, *self.mounts])
        if not self.started:
            # Compose fetches the image of a service with no replicas, but not of one that is not asked for.
            made["profiles"] = Tagged(OVERRIDE, ["lago-acceptance-left-out"])
        return made
