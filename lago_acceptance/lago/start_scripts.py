"""The start scripts of Lago's image by release, read from the tags."""

from __future__ import annotations

from functools import cache

from lago_acceptance.lago.release_table import Release, releases
from lago_acceptance.lago.workers import workers_of

# Since which tag, and before which tag ("": still there).
_SCRIPTS = {
    "start.sh": ("v1.0.0", ""),
    "start.clock.sh": ("v1.0.0", ""),
    "generate.rsa.sh": ("v1.0.0", ""),
    "generate.version.sh": ("v1.0.0", ""),
    "start.migrate.sh": ("v1.8.2", "v1.16.0"),
    "migrate.sh": ("v1.16.0", ""),
    "start.api.sh": ("v1.16.0", ""),
    "start.events.consumer.sh": ("v1.22.0", ""),
    "karafka.web.sh": ("v1.24.0", ""),
}


@cache
def scripts_of(release: Release) -> frozenset[str]:
    """The scripts in scripts/ of a release, but those for development."""
    tags = {each.tag: each for each in releases().values()}
    own = (
        name
        for name, (since, until) in _SCRIPTS.items()
        if tags[since].age <= release.age and not (until and tags[until].age <= release.age)
    )
    return frozenset((*own, *(kind.script for kind in workers_of(release).values())))
