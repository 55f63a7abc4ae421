"""Logs and states of containers that aren't well, as files without secrets."""

from __future__ import annotations

import json
import secrets
import stat

import pytest

from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.plugin.container_logs import LINES, write
from tests.support.facts import container, facts, lago

DEAD = {"running": False, "status": "exited", "exit_code": 3}


@pytest.fixture
def secret() -> str:
    """A secret that the suite knows."""
    made = f"s{secrets.token_hex(12)}"
    Redactor.shared.learn(made)
    return made


def test_the_last_lines_and_the_state_of_what_is_not_well(tmp_path):
    log = "\n".join(f"line {number}" for number in range(1000))
    write(
        tmp_path / "logs", facts(*lago(WORKER), container(WORKER, **DEAD), logs={"worker": log, "api": log})
    )
    assert sorted(each.name for each in (tmp_path / "logs").iterdir()) == [
        "lago-worker-1.json",
        "lago-worker-1.log",
    ]
    lines = (tmp_path / "logs" / "lago-worker-1.log").read_text().splitlines()
    assert len(lines) == LINES and lines[-1] == "line 999"
    state = json.loads((tmp_path / "logs" / "lago-worker-1.json").read_text())
    assert (state["role"], state["status"], state["exit_code"]) == ("worker", "exited", 3)
    for each in (tmp_path / "logs").iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600


def test_nothing_is_written_where_all_are_well(tmp_path):
    write(tmp_path / "logs", facts(*lago()))
    assert list(tmp_path.iterdir()) == []


def test_they_hold_no_secret_and_nothing_that_acts(tmp_path, secret):
    hostile = f"\x1b[31m{secret}\n::error::forged \u202e"
    dead = container(WORKER, error=f'{{"a": "{secret}"}}\n', health_output=hostile, **DEAD)
    write(tmp_path / "logs", facts(dead, logs={"worker": hostile}))
    for each in (tmp_path / "logs").iterdir():
        text = each.read_text("utf-8")
        assert secret not in text and "<secret>" in text
        assert "\x1b" not in text and "\u202e" not in text and "\n::" not in text
    json.loads((tmp_path / "logs" / "lago-worker-1.json").read_text("utf-8"))


def test_names_of_the_host_lead_nowhere_else(tmp_path):
    first = container(WORKER, name="../../../evil", **DEAD)
    second = container(WORKER, name="/..-..-evil", id="0123abcd", **DEAD)
    write(tmp_path / "reports" / "logs", facts(first, second))
    written = sorted(each.name for each in (tmp_path / "reports" / "logs").iterdir())
    assert len(written) == 4 and [each.name for each in tmp_path.iterdir()] == ["reports"]
    assert all("/" not in name and not name.startswith(".") for name in written)


def test_two_names_that_become_one_are_two_files(tmp_path):
    one, other = (container(WORKER, name=name, id=id, **DEAD) for name, id in (("a.b", "0a"), ("a:b", "0b")))
    write(tmp_path / "logs", facts(one, other, logs={"0a": "of one", "0b": "of other"}))
    texts = {each.name: each.read_text() for each in (tmp_path / "logs").glob("*.log")}
    assert texts == {"a_b.log": "of one\n", "a_b-0b.log": "of other\n"}
