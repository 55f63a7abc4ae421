"""The right to change a target."""

from __future__ import annotations


class Permit:
    """The right to change a target. Only the option that asks for a change makes one."""

    def __init__(self, option: str):
        self.option = option
