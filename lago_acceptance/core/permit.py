"""The right to change a target."""

from __future__ import annotations

from lago_acceptance.core.verdicts import Unknown


class Permit:
    """The right to change a target. Created only for the option that requests the change."""

    def __init__(self, option: str):
        self.option = option


def not_given() -> Unknown:
    """What is said of a check that would change a live deployment without the option that permits it."""
    return Unknown(
        "this writes into Lago, which needs --allow-writes on a live deployment",
        why="it writes into Lago",
        fix="give --allow-writes (docs/writes.md)",
    )
