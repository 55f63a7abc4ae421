"""A conversation with a program on a host."""

from __future__ import annotations

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.local import LocalHost
from tests.support.patience import PATIENCE

PERMIT = Permit("--deploy")


def _open(script: str):
    return LocalHost().open("a program", ("sh", "-c", script), PERMIT)


def test_lines_go_both_ways():
    channel = _open('while read -r line; do echo "heard $line"; done; echo over')
    channel.send("one")
    assert channel.receive(PATIENCE) == "heard one"
    channel.close()
    assert channel.receive(PATIENCE) == "over"
    assert channel.ended(PATIENCE)


def test_the_end_of_the_program_is_said_with_its_last_words():
    channel = _open("echo 'no such thing' >&2; exit 3")
    with pytest.raises(Unreachable, match="a program ended on this machine: no such thing"):
        channel.receive(PATIENCE)
    with pytest.raises(Unreachable, match="no such thing"):
        channel.receive(PATIENCE)
    channel.ended(PATIENCE)


def test_an_answer_that_does_not_come_is_not_waited_for():
    channel = _open("read -r line")
    with pytest.raises(Unreachable, match="no answer came within 0 s"):
        channel.receive(0.05)
    assert channel.ended(PATIENCE)


def test_nothing_can_be_sent_to_a_program_that_has_ended():
    channel = _open("exit 0")
    with pytest.raises(Unreachable):
        channel.receive(PATIENCE)
    with pytest.raises(Unreachable):
        channel.send("anybody?")
    channel.ended(PATIENCE)


def test_a_program_that_goes_on_is_said_to_go_on():
    channel = _open("trap '' HUP; read -r line; echo up; sleep 30 </dev/null & wait; exit 0")
    channel.close()
    assert not channel.ended(0.05)
    channel._process.kill()


def test_whoever_has_no_permit_opens_nothing():
    with pytest.raises(TypeError, match="needs a permit"):
        LocalHost().open("a program", ("true",), None)


def test_a_program_that_is_not_there_is_a_sentence():
    with pytest.raises(Unreachable, match="/nowhere/program can't be run on this machine"):
        LocalHost().open("a program", ("/nowhere/program",), PERMIT)
