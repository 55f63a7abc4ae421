"""Which of a host's projects is judged, be it Compose's, Swarm's or nobody's. A host without it ends the run: there is nothing to say about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from lago_acceptance.core.roles import FRONT, LAGO_RUBY
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.instead import sentence
from lago_acceptance.facts.types import Facts

# A host may have hundreds; a sentence names a few.
_NAMED = 5


def must_be_there(facts: Facts, host: str, named: str, wanted: Deployment) -> None:
    """Unreachable where the project ``named`` by --project ("" for none) has no container of Lago's own on a host, or
    where several have and none is named.
    """
    if not facts.project and len(facts.lagos) > 1:
        which = "several are" if wanted.directory in facts.lagos.values() else "none is"
        where = f"; {which} in {wanted.directory} (deployment.directory)" if wanted.directory else ""
        raise Unreachable(
            f"{len(facts.lagos)} Lago stacks are on {host}: {_listed(facts)}{where}; say which one is meant with "
            "--project NAME"
        )
    if facts.project in facts.lagos or facts.of_role(*LAGO_RUBY, FRONT):
        return
    if not named and (why := sentence(host, facts.instead, (*facts.containers, *facts.others))):
        raise Unreachable(why)
    what = f"the project {named}" if named else "any project"
    remedy = _remedy(facts, named, wanted)
    raise Unreachable(
        f"no container of Lago on {host} belongs to {what}{_remains(facts, named, wanted)}; {remedy}"
    )


def _remains(facts: Facts, named: str, wanted: Deployment) -> str:
    """What there is instead: other containers of the project, or its volumes."""
    if facts.containers:
        return f", which has only {_some(each.name for each in facts.containers)}"
    if volumes := _volumes(facts, named, wanted):
        return f", but its volumes exist ({_some(volumes)})"
    return ""


def _remedy(facts: Facts, named: str, wanted: Deployment) -> str:
    if named and facts.lagos:
        return f"Lago is there as {_listed(facts)}: name one of these with --project NAME, or start {named}"
    if facts.containers or _volumes(facts, named, wanted):
        return f"start it there: {wanted.start}"
    return f"give the right host, or start Lago there: {wanted.start}"


def _volumes(facts: Facts, named: str, wanted: Deployment) -> list[str]:
    """The volumes that Compose made for the project: without a name, for that of the deployment's folder."""
    project = named or PurePosixPath(wanted.directory).name.lower()
    return [each for each in facts.volumes if project and each.startswith(f"{project}_")]


def _listed(facts: Facts) -> str:
    return _some(f"{name} ({folder or 'no folder'})" for name, folder in facts.lagos.items())


def _some(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if found[_NAMED:] else "")
