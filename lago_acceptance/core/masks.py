"""Secrets of a Docker host, of which only the mask arrives here: ``<secret:CLASS:SHAPE:LENGTH>``.

facts/scripts/mask.awk makes the masks. Within one observation, two secrets are equal exactly if their classes are.
"""

from __future__ import annotations

import re

_MASKED = re.compile(r"<secret:(\d+):([a-z0-9-]+):(\d+)>(raw)?")


class MaskedSecret(str):
    """A secret seen on a host, of which only the mask is known."""

    __slots__ = ()

    @property
    def shape(self) -> str:
        """How it is written: plain, empty, pem, pem-mangled, base64, base64-twice, base64-mangled, der, default, …"""
        found = _MASKED.search(self)
        return found[2] if found else "plain"


def is_masked(value: str | None) -> bool:
    """Whether a value is or contains a masked secret."""
    return bool(value and _MASKED.search(value))


def masked_part(value: str) -> MaskedSecret | None:
    """The first masked secret in a value such as a database URL."""
    found = _MASKED.search(value)
    return MaskedSecret(found[0]) if found else None
