"""Each check of the host is seen red and green."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.checks import host
from lago_acceptance.core.settings import Backup
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.dump import Dump
from lago_acceptance.facts.types import Disk, Image
from lago_acceptance.model.deployment import Service
from tests.support.facts import NOW, SETTINGS, container, facts, ids

BACKED_UP = msgspec.structs.replace(SETTINGS, backup=Backup("/srv/*.gz", 26))


def test_a_full_disk():
    limit = SETTINGS.limits.free_disk_mib
    assert list(host.disks_have_room(facts(disks=(Disk("/", limit),)), SETTINGS)) == []
    (found,) = host.disks_have_room(facts(disks=(Disk("/", limit - 1), Disk("/", limit - 1))), SETTINGS)
    assert found.id == "disk-full"
    with pytest.raises(Unknown):
        list(host.disks_have_room(facts(), SETTINGS))


def test_an_image_whose_name_has_moved():
    running = container("api", service=Service(name="api", image="x:1", role="api"), image_id="old")
    same, moved = Image("old", ("x:1",)), Image("new", ("x:1",))
    assert list(host.images_are_what_their_names_say(facts(running, images=(same,)))) == []
    assert ids(host.images_are_what_their_names_say(facts(running, images=(moved,)))) == ["image-moved"]
    with pytest.raises(Unknown):
        list(host.images_are_what_their_names_say(facts(running)))


def test_a_big_log():
    limit = SETTINGS.limits.log_mib * 2**20
    seen = facts(container("api"), log_sizes={"api": limit})
    assert list(host.logs_are_rotated(seen, SETTINGS)) == []
    assert ids(host.logs_are_rotated(facts(container("api"), log_sizes={"api": limit + 9}), SETTINGS)) == [
        "log-too-big"
    ]
    with pytest.raises(Unknown):
        list(host.logs_are_rotated(facts(container("api")), SETTINGS))


@pytest.mark.parametrize(("drift", "red"), [(0.0, False), (5.0, False), (6.0, True), (-6.0, True)])
def test_a_clock_that_is_wrong(drift, red):
    found = host.clock_is_right(facts(clock_drift=drift), SETTINGS)
    assert ids(found) == (["clock-drift"] if red else [])


@pytest.mark.parametrize(
    ("dumps", "words"),
    [
        ((Dump("/srv/a.gz", NOW - 3600, 9),), None),
        ((), "no file matches"),
        ((Dump("/srv/a.gz", NOW - 27 * 3600, 9),), "27 hours old"),
        ((Dump("/srv/a.gz", NOW, 0),), "is empty"),
    ],
)
def test_an_old_dump(dumps, words):
    found = list(host.last_dump_is_recent(facts(dumps=dumps), BACKED_UP))
    assert [(each.id, words in each.problem) for each in found] == ([("dump-old", True)] if words else [])


def test_dumps_that_are_not_configured_are_unknown():
    with pytest.raises(Unknown):
        list(host.last_dump_is_recent(facts(), msgspec.structs.replace(SETTINGS, backup=None)))


def test_another_stack_with_the_same_names():
    def api(name: str, alias: str):
        service = Service(name="api", image="", role="api", networks={"proxy": (alias,)})
        return container("api", id=name, name=name, service=service, addresses={"proxy": "10.0.0.2"})

    ours = facts(api("ours", "lago-api"), others=(api("theirs", "other-api"),))
    assert list(host.no_other_stack_has_its_names(ours)) == []
    (found,) = host.no_other_stack_has_its_names(
        facts(api("ours", "lago-api"), others=(api("theirs", "lago-api"),))
    )
    assert found.id == "two-lago-stacks" and "theirs" in found.problem
    for check in (host.no_other_stack_has_its_names, host.images_are_what_their_names_say):
        with pytest.raises(Blocked, match="not-brought-up"):
            list(check(facts()))
