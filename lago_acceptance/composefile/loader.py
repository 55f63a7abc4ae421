"""Both views of a compose file: the model that Compose resolves, and the source as it is written, with lines.

Needs no daemon and no network. An error in the file itself is part of the result, never an exception.
"""

from __future__ import annotations

from pathlib import Path

from lago_acceptance.composefile.bounded_files import project_of, read_regular, unread_because
from lago_acceptance.composefile.overlays import read_overlays
from lago_acceptance.composefile.platform_keys import template_of
from lago_acceptance.composefile.reading import Folders, Reading
from lago_acceptance.composefile.sources import Source, refused
from lago_acceptance.composefile.yaml_lines import SIZE_CAP, Unusable, read

OUT_OF_MEMORY = "judging it takes more than 256 MiB of memory"


def load(
    path: Path, env_file: Path | None, directory: Path | None = None, overlays: tuple[Path, ...] = ()
) -> Source:
    """The source of one file. A fault of the file never raises: it is ``written.compose_error``.

    ``directory`` is where relative paths start, if not beside the file; ``overlays`` are files that are laid over it.
    """
    folder = (directory or path.parent).resolve()
    project = project_of(folder)
    try:
        if directory is None and unread_because(path, project) == "outside":
            raise Unusable(f"it is a link to a file outside its project {project}; name that file itself")
        data = read_regular(path, SIZE_CAP, "the file")
        parsed, above = read(data), read_overlays(overlays)
        if platform := template_of(parsed.document):
            raise Unusable(f"this is a template of {platform}'s, not a compose file")
        text = data.decode("utf-8-sig")
        reading = Reading(path, parsed, text, env_file, Folders(folder, project), above)
        document = reading.resolving.document(reading.raw, reading.parsed.twice)
        # Loaded only now, so that Compose starts earlier: the rules have loaded most of it meanwhile.
        from lago_acceptance.composefile.views import source_of

        return source_of(reading, document)
    except Unusable as error:
        return refused(path, str(error), ("line", error.line) if error.line else ())
    except RecursionError:
        return refused(path, "something in it is nested too deep")
    except MemoryError:
        return refused(path, OUT_OF_MEMORY)
