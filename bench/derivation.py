"""The time that deriving the settings of a deployment takes, without reading its files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench._measuring import line, machine, seconds
from lago_acceptance.composefile.loader import load
from lago_acceptance.core.resources import SHIPPED_COMPOSE_FILE
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.contradictions import contradictions
from lago_acceptance.lago.derived import derived
from lago_acceptance.model.deployment import Model

ROUNDS = 20
PROMISED = 0.05
# Services beside those of the shipped file, each with labels of its own.
MANY = 200


def main(folder: Path) -> None:
    """Prints the time for the shipped file, and for one with many more services."""
    model = load(SHIPPED_COMPOSE_FILE, None).model
    api = next(each for each in model.services if each.role == "api")
    others = [msgspec.structs.replace(api, name=f"other-{number}", role=None) for number in range(MANY)]
    large = msgspec.structs.replace(model, services=(*model.services, *others))

    def derive(of: Model) -> None:
        # A model keeps its answers, so each round has one of its own, with services of its own.
        own = msgspec.structs.replace(of, services=tuple(map(msgspec.structs.replace, of.services)))
        derived(own, Settings())
        contradictions(own, Settings(), "settings.toml")

    machine()
    small, much = seconds(lambda: derive(model), lambda: derive(large), rounds=ROUNDS)
    line("the shipped file", f"{small * 1000:.1f} ms", f"at most {PROMISED * 1000:.0f} ms")
    line(f"with {MANY} more services", f"{much * 1000:.1f} ms")
