"""A deployment's files, changed to run another release of Lago."""

from __future__ import annotations

from collections.abc import Mapping

from lago_acceptance.composefile.release_commands import move_commands
from lago_acceptance.composefile.release_images import move_images
from lago_acceptance.composefile.release_key import move_key
from lago_acceptance.composefile.written_places import WrittenFiles
from lago_acceptance.composefile.written_services import services_of
from lago_acceptance.lago.release_table import Release, releases, same_schema


class ReleaseEdits:
    """Moves the files of one deployment, which it reads once, to any release. UsageError where they can't be read."""

    def __init__(self, written: WrittenFiles):
        self._written, self._services = written, services_of(written)

    def moved(self, had: Release, has: Release) -> dict[str, bytes]:
        """As ``moved`` below, always from the files as they are."""
        written = self._written
        written.forget()
        there = releases().get(move_images(written, self._services, has)[0], had)
        # The files may be at another release than what runs.
        old, new = same_schema(there), same_schema(has)
        move_commands(written, self._services, old, new)
        move_key(written, self._services, old, new)
        return written.changed()


def moved(
    files: Mapping[str, bytes], compose_file: str, env_file: str, had: Release, has: Release
) -> dict[str, bytes]:
    """The files that differ where ``has`` runs instead of ``had``, by their paths; all else in them stays, comments included.

    ``compose_file`` and ``env_file`` are the paths of those two in ``files``; the latter may be missing. Beside the images'
    tags it is what the release needs: the workers' configuration files, the variable of the seeded API key, the seeding of
    roles, queues. UsageError where a file can't be changed, with what to do.
    """
    return ReleaseEdits(WrittenFiles(files, compose_file, env_file)).moved(had, has)
