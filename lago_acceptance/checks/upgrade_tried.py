"""What a stack doesn't show: that the deployment's own database survives a change of Lago's release."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.lago.release_table import Numbers, releases, same_schema
from lago_acceptance.lago.versions import numbers_in


def is_tried(stack_runs: str, deployed: str) -> Iterator[Finding]:
    """Nothing where a stack runs the release that is deployed. Unknown where it runs another.

    A stack starts with an empty database, on which migrations succeed that fail on data. ``stack_runs`` is the tag of Lago's
    image in the compose file, ``deployed`` the tag of what runs now, "" where that has none.
    """
    yield from ()
    had, has = _trusted(deployed), _trusted(stack_runs)
    if stack_runs == deployed or (had is not None and had == has):
        return
    if had and has and has < had:
        raise Unknown(
            f"going back from {_plain(deployed)} to {_plain(stack_runs)} not tried: the database was empty",
            fix="a database doesn't go back with the image: lago-acceptance rollback HOST restores its dump",
        )
    raise Unknown(
        f"upgrade from {_plain(deployed)} not tried: the database was empty",
        fix=f"rehearse it on a dump: lago-acceptance rehearse HOST --to {stack_runs}"
        if has
        else "use an image whose tag is a release of Lago, and rehearse it on a dump (lago-acceptance rehearse HOST --to VERSION)",
    )


def _trusted(tag: str) -> Numbers | None:
    """The numbers of a tag, corrected where they say too little: v1.16.1 is v1.26.1."""
    numbers = numbers_in(tag)
    release = releases().get(numbers) if numbers else None
    return same_schema(release).numbers if release else numbers


def _plain(tag: str) -> str:
    return tag.removeprefix("v") or "what runs"
