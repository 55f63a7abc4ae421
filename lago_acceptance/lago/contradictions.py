"""Where two sources say different things of a deployment: its settings, its variables and routers, several services of one role."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import OTHER, Settings
from lago_acceptance.core.urls import public_url
from lago_acceptance.lago.derived import (
    ENTRIES,
    HOLDERS,
    Said,
    by_variable,
    host_of,
    is_routed,
    name_of,
    own_said,
    published,
    routed,
    value_of,
)
from lago_acceptance.model.deployment import Model, Service


class Contradiction(msgspec.Struct, frozen=True):
    """Two sources of one entry that can't both be right. ``first`` is the one that is used."""

    entry: str
    first: Said
    second: Said


def contradictions(model: Model, given: Settings, source: str) -> tuple[Contradiction, ...]:
    """What contradicts each other in a deployment and in its settings; ``source`` is what messages call the latter."""
    return (*_with_settings(model, given, source), *_with_routers(model), *_of_several(model))


def _with_settings(model: Model, given: Settings, source: str) -> Iterator[Contradiction]:
    for entry in ENTRIES:
        value, own = value_of(given, entry), own_said(model, entry)
        # Without a place in the files it is a conclusion, which settings are there to correct.
        if not value or own is None or not own.at or (entry, own.value) == ("edge.proxy", OTHER):
            continue
        if not _same(entry, value, own.value):
            yield Contradiction(entry, Said(entry, value, source), own)


def _same(entry: str, one: str, other: str) -> bool:
    """Whether two values mean the same. The scheme counts where both have one."""
    if not entry.startswith("hosts."):
        return one == other
    urls = public_url(one), public_url(other)
    if urls[0] is None or urls[1] is None or ("://" in one and "://" in other):
        return urls[0] == urls[1]
    return urls[0].host == urls[1].host


def _with_routers(model: Model) -> Iterator[Contradiction]:
    """A variable whose name no router takes, where the service that is reached by it has routers."""
    for entry, (_, _, _, served) in HOLDERS.items():
        names = routed(model, entry, served)
        known = {each.value for each in names}
        for each in by_variable(model, entry):
            if not isinstance(each, Said) or not known:
                continue
            if host_of(each) not in known and not is_routed(model, host_of(each)):
                yield Contradiction(entry, names[0], each)
                break


def _of_several(model: Model) -> Iterator[Contradiction]:
    """Several services that are Lago's API, or its front, unless all of them say that they are reached at the same place."""
    for role, entries in ((API, ("hosts.api", "hosts.front")), (FRONT, ("hosts.front", "hosts.browser_api"))):
        # Containers of one service are replicas.
        services = {each.name: each for each in model.of_role(role) if model.starts(each)}
        if len(services) < 2:
            continue
        first, *others = services.values()
        for entry in entries:
            had = _said_by(model, entry, role, first)
            for other in others:
                has = _said_by(model, entry, role, other)
                if had.value != has.value if had.value and has.value else entry == entries[0]:
                    yield Contradiction(entry, had, has)


def _said_by(model: Model, entry: str, role: str, service: Service) -> Said:
    """What one service says of an entry; an empty value where it says nothing."""
    alone = msgspec.structs.replace(model, services=(service,))
    holder, _, _, served = HOLDERS[entry]
    found: list[Said] = []
    if role == holder:
        found += [each for each in by_variable(alone, entry) if isinstance(each, Said)]
    if role == served:
        found += [*routed(alone, entry, role), *published(alone, entry, role)]
    what = f"{name_of(model, service)}, another {'API' if role == API else 'front'} of Lago"
    return found[0] if found else Said(entry, "", what, ("services", service.name))
