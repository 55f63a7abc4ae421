"""Hosts that are named: each once, and with files that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet.target import Target, checked, part_of

REFUSED = {
    "no scheme; write ssh://b": [Target(address="b")],
    "ssh://a is named twice; leave one out": [Target(address="ssh://a"), Target(address="ssh://a/")],
    "would share the folder of reports a_1": [Target(address="ssh://a:1"), Target(address="ssh://a_1")],
    "the settings of ssh://a, /nowhere, does not exist": [
        Target(address="ssh://a", settings=Path("/nowhere"))
    ],
    "the private key of ssh://a, /, is a folder": [Target(address="ssh://a", identity=Path("/"))],
}


@pytest.mark.parametrize("words", REFUSED)
def test_hosts_that_can_not_be_used(words):
    with pytest.raises(UsageError, match=words):
        checked(REFUSED[words])


def test_a_host_may_have_two_projects():
    both = [Target(address="ssh://a", project="one"), Target(address="ssh://a", project="two")]
    assert [each.folder for each in checked(both)] == ["a_one", "a_two"]


def test_parts_are_all_hosts_once():
    targets = checked(Target(address=f"ssh://h{number}") for number in range(7))
    parts = [part_of(targets, f"{number}/3") for number in range(3)]
    assert [len(part) for part in parts] == [3, 2, 2]
    assert {each for part in parts for each in part} == set(targets)


@pytest.mark.parametrize("part", ["3/3", "1", "a/b", "-1/3", "0/0", "1/3/3", "٣/٤"])
def test_a_part_that_is_none(part):
    with pytest.raises(UsageError, match="is not a part"):
        part_of(checked([Target(address="ssh://a")]), part)


def test_a_part_without_a_host():
    with pytest.raises(UsageError, match=r"there are more parts than hosts \(1\)"):
        part_of(checked([Target(address="ssh://a")]), "1/2")
