"""Parts of a log that a CI server folds away. Elsewhere they have no marks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping


def grouped(title: str, lines: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """The lines as a group of GitHub Actions or GitLab CI, where the log is one of theirs."""
    content = list(lines)
    if not content:
        return []
    if environment.get("GITHUB_ACTIONS") == "true":
        return [f"::group::{title}", *content, "::endgroup::"]
    if environment.get("GITLAB_CI") == "true":
        now, name = int(time.time()), re.sub(r"\W+", "_", title.lower())
        begin = f"\x1b[0Ksection_start:{now}:lago_{name}[collapsed=true]\r\x1b[0K{title}"
        return [begin, *content, f"\x1b[0Ksection_end:{now}:lago_{name}\r\x1b[0K"]
    return content
