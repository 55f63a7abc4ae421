"""One compose file to check, as a model and with its lines."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lago_acceptance.composefile.yaml_lines import YamlPath
from lago_acceptance.core.secrets import redact
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.source import ComposeSource


class Source(msgspec.Struct, frozen=True):
    """One compose file to check: the path as it was given, its model and its lines.

    ``notes`` say what could not be checked; ``overlaid`` are the lines of the files that are laid over it, by path.
    """

    path: str
    model: Model
    text: tuple[str, ...]
    notes: tuple[str, ...] = ()
    overlaid: dict[str, tuple[str, ...]] = {}

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The lines of each of its files, by path."""
        return {self.path: self.text, **self.overlaid}

    @property
    def written(self) -> ComposeSource:
        assert self.model.source is not None
        return self.model.source


def refused(path: Path, reason: str, at: YamlPath = ()) -> Source:
    """The source of a file that can't be judged, and why."""
    written = ComposeSource(path=str(path), document={}, compose_error=redact(reason), error_at=at)
    return Source(str(path), Model(observed=False, project="", source=written), ())
