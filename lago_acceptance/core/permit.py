"""The right to change a target."""

from __future__ import annotations


class Permit:
    """The right to change a target. Created only for the option that requests the change."""

    def __init__(self, option: str):
        self.option = option
