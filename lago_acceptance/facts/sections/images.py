"""The images that the deployment's containers name."""

from __future__ import annotations

from lago_acceptance.facts.sections import section
from lago_acceptance.facts.types import Image

# An image that has been removed is left out, and the others are printed all the same.
_SHELL = """
[ -z "$references" ] || docker image inspect \\
    --format '{{.Id}}{{range .RepoTags}} {{.}}{{end}}{{range .RepoDigests}} {{.}}{{end}}' -- $references 2>/dev/null
"""


@section("images", shell=_SHELL)
def images(text: str) -> tuple[Image, ...]:
    """The images that the names in the deployment's containers stand for now, each once."""
    lines = (line.split() for line in text.splitlines() if line.strip())
    return tuple(dict.fromkeys(Image(id, tuple(names)) for id, *names in lines))
