"""What does not answer in time is asked once more, alone and with more time; what answers wrongly is not."""

from __future__ import annotations

import pytest

from lago_acceptance.facts.collect import PATIENCE, observe
from lago_acceptance.facts.late import late
from tests.support.pretended_host import ONE_SHELL

# As scripts/lago_process.rb answers with the patience that it is given: its last argument.
LATE_AT_FIRST = """
for patience; do :; done
case "$*" in
    *" ruby "*" 1") echo '{"error": "no answer within 4 s", "with_key": true}' ;;
    *" ruby "*) echo '{"health": "up", "with_key": true}' ;;
    *psql*) printf 'directory\\t"/data"\\n' ;;
esac
"""
TIMEOUT = """#!/bin/sh
echo "$@" >>{folder}/limits
exit 124
"""


def asked(lago) -> list[str]:
    """What was run in containers, in order."""
    lines = (lago.folder / "given").read_text().splitlines()
    return [line for line in lines if line.startswith("exec ")]


def test_what_was_late_is_asked_once_more_when_all_else_has_ended(lago):
    (lago.folder / "exec").write_text(LATE_AT_FIRST)
    settled = []
    facts = observe(lago, lambda: settled.append(len(asked(lago))))
    assert not late(facts) and facts.lago["api1"].health == "up"
    assert settled == [2], "the second look begins when the first has ended"
    assert len(asked(lago)) == 4


def test_a_wrong_answer_is_not_asked_for_again(lago):
    (lago.folder / "exec").write_text('echo \'{"error": "SocketError: refused"}\'\n')
    facts = observe(lago, lambda: pytest.fail("nothing was late"))
    assert facts.lago["api1"].error == "SocketError: refused"
    assert len(asked(lago)) == 2


@ONE_SHELL
def test_a_question_without_end_names_the_time_that_it_had(lago):
    (lago.tools / "timeout").unlink(missing_ok=True)
    lago.program("timeout", TIMEOUT.format(folder=lago.folder))
    facts = observe(lago)
    assert facts.lago["api1"].error == f"no answer within {15 * PATIENCE} s"
    assert f"no answer within {20 * PATIENCE} s" in facts.database_error
    assert set(late(facts)) == {"api1", "the database"}
    limits = (lago.folder / "limits").read_text()
    assert "15 docker exec api1" in limits and "45 docker exec api1" in limits
