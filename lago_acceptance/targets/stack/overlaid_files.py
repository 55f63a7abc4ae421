"""The projects of a run with their overlays: what Compose is given, and what the reports keep of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.bounded_files import project_of
from lago_acceptance.composefile.cli import Project, Resolved
from lago_acceptance.core import report_files
from lago_acceptance.core.run import Run
from lago_acceptance.core.secrets import redact
from lago_acceptance.targets.stack.extras import Extra
from lago_acceptance.targets.stack.mounts import Places
from lago_acceptance.targets.stack.overlay import overlay, verify


def places_of(file: Path, run: Run, allowed: tuple[Path, ...], docker_socket: Path | None = None) -> Places:
    """What the containers of a compose file may see of this machine; ``docker_socket`` is what they get for Docker's."""
    places = Places(project_of(file.resolve().parent), run.private, allowed, docker_socket)
    places.empty_file.touch(0o600)
    return places


class OverlaidFiles:
    """Gives projects their overlays. ``told`` has a line for each thing that was taken away from the one under test.

    ``images`` maps a reference to what is run instead, ``docker`` has the variables by which Compose finds Docker.
    """

    def __init__(self, run: Run, images: Mapping[str, str], docker: Mapping[str, str]):
        self._run, self._images, self._docker = run, images, docker
        self.told: tuple[str, ...] = ()

    def under_test(
        self,
        project: Project,
        declared: Resolved,
        networks: Mapping[str, str],
        places: Places,
        extras: Mapping[str, Extra] | None = None,
        added: Mapping[str, dict[str, Any]] | None = None,
    ) -> tuple[Project, Resolved]:
        """The deployment under test, and what Compose makes of it. UsageError if that would reach this machine."""
        changes = overlay(declared, self._images, networks, places, extras, added)
        self.told = changes.told
        whole = self._written("overlay.yml", project, changes.text)
        return whole, verify(whole, networks, places, extras)

    def of_testbed(self, name: str, project: Project, declared: Resolved) -> Project:
        """One of the testbed's own projects; ``name`` is its overlay's."""
        return self._written(name, project, overlay(declared, self._images, {}).text)

    def _written(self, name: str, project: Project, text: str) -> Project:
        # Labels hold values of the deploy.
        copy = redact(text).encode("utf-8", "surrogateescape")
        try:
            report_files.write(self._run.reports / name, copy)
        except report_files.NotWritten as error:
            self.told = (*self.told, str(error))
        path = self._run.private / name
        report_files.write(path, text.encode("utf-8", "surrogateescape"))
        found = msgspec.structs.replace(project, variables={**project.variables, **self._docker})
        return found.with_file(path)
