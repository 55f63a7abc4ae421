"""Traefik's labels of a test stack, under a name that no Traefik reads but the stack's own.

Any Traefik on the same daemon obeys the labels of every container that it sees. So the containers under test have them
with a prefix; testbed/edge/docker_view.py takes it away for the stack's own Traefik, and ``as_written`` for the rules.
"""

from __future__ import annotations

from collections.abc import Mapping

HIDING = "lago-acceptance."
MARK = f"{HIDING}labels"
_TRAEFIK, _SWITCH = "traefik.", "traefik.enable"


def hidden(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a container of a test stack, in place of those in its compose file.

    They switch the container off for every other Traefik: it may serve containers without labels, or those of an image.
    """
    renamed = {f"{HIDING}{key}" if _is_traefiks(key) else key: value for key, value in labels.items()}
    return renamed | {_SWITCH: "false", MARK: "hidden"}


def is_hidden(labels: Mapping[str, str]) -> bool:
    """Whether no Traefik but the stack's own obeys the labels."""
    visible = {key: value for key, value in labels.items() if _is_traefiks(key)}
    return MARK in labels and visible == {_SWITCH: "false"}


def as_written(labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels as a compose file gives them, of a container whose labels may be hidden."""
    if MARK not in labels:
        return labels
    own = {key: value for key, value in labels.items() if key not in (_SWITCH, MARK)}
    shown = ((key.removeprefix(HIDING), key) for key in own)
    return {name if _is_traefiks(name) else key: own[key] for name, key in shown}


def _is_traefiks(key: str) -> bool:
    return key.lower().startswith(_TRAEFIK)
