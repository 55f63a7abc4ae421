"""A deployment's files, changed to run another release of Lago."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lago_acceptance.lago.release_table import Release


def moved(
    files: Mapping[str, bytes], compose_file: str, env_file: str, had: Release, has: Release
) -> dict[str, bytes]:
    """The files that differ where ``has`` runs instead of ``had``, by their paths; all else in them stays, comments included.

    ``compose_file`` and ``env_file`` are the paths of those two in ``files``; the latter may be missing.
    """
    old = files[compose_file].decode("utf-8")
    pattern = re.compile(rf"(\bimage:\s*[\"']?\S*?(?:api|front)):{re.escape(had.tag)}\b")
    new = pattern.sub(rf"\g<1>:{has.tag}", old)
    return {compose_file: new.encode("utf-8")} if new != old else {}
