"""What gateway and API answer inside of their containers arrives whole, however much they say at one time."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import pytest

from lago_acceptance.checks import gateway_inside, inside
from lago_acceptance.core.roles import API
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.facts.answers import LagoProcess, decode
from lago_acceptance.facts.inside import InsideView, view_of
from tests.support.patience import PATIENCE

READINGS = files("lago_acceptance.facts") / "scripts"
PRICE = {"amount_cents": 0, "amount_currency": "USD"}
PLANS = [
    {"lago_id": f"{number}", "code": f"plan-{number}", "name": "x" * 400, **PRICE} for number in range(400)
]
CURL = """#!/bin/sh
cat >/dev/null
cat {body}
printf '\\n200'
"""


def seen(gateway: str, lago: dict | None = None) -> InsideView:
    """The view that is made of a gateway's output, and of what Lago says in its own container."""
    api = SimpleNamespace(id="a", role=API)
    facts = SimpleNamespace(
        load_text=lambda: "",
        containers=(api,),
        others=(),
        gateways={"g": gateway},
        logs={},
        process=lambda container: decode(LagoProcess, lago),
        running=lambda role: api if role == API and lago is not None else None,
    )
    return view_of(facts)


@pytest.fixture
def output(tmp_path: Path) -> str:
    """What scripts/gateway_view.sh prints where every answer is long."""
    (tmp_path / "body").write_text(json.dumps({"plans": PLANS}))
    (tmp_path / "curl").write_text(CURL.format(body=tmp_path / "body"))
    (tmp_path / "curl").chmod(0o755)
    given = {"stranger": "nobody", "fallback": "http://127.0.0.1:1", "LAGO_API_KEY": "key"}
    return subprocess.run(
        ["sh", "-c", (READINGS / "gateway_view.sh").read_text("utf-8")],
        env={**os.environ, **given, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


def test_long_answers_side_by_side_arrive_whole(output):
    view = seen(output)
    assert set(view.answers) == {"gateway-health", "gateway-organization", "gateway-stranger"}
    assert all(answer.status == 200 and answer.document["plans"] == PLANS for answer in view.answers.values())
    assert view.url == "http://127.0.0.1:1" and view.has_key("gateway")
    assert "nobody" not in output and "key" not in output.replace("has-key", "")


def test_an_answer_that_is_cut_is_no_verdict(output):
    lines = [line for line in output.splitlines() if line.startswith("health ")]
    with pytest.raises(Unreachable, match="gateway-health arrived incomplete"):
        seen("\n".join([*lines[:-1], lines[-1][:-3]]))


def test_dockers_own_words_are_no_answer():
    view = seen("asked\nOCI runtime exec failed: no sh\n")
    assert not view.answers
    with pytest.raises(Unknown, match="no API container runs"):
        inside.listed(view, "api-plans", "plans")
    with pytest.raises(Unknown, match="nothing could be run inside the gateway's container"):
        list(gateway_inside.invalid_key_is_refused(view))
    with pytest.raises(Unknown, match="nothing could be run inside the gateway's container"):
        list(gateway_inside.key_is_accepted(view))
    with pytest.raises(Unknown, match="nothing could be run inside the gateway's container"):
        list(gateway_inside.finds_lago(view, "brain-network"))


def test_what_lago_says_of_itself_is_read_with_its_status():
    told = {
        "with_key": True,
        "inside": {"plans": [200, json.dumps({"plans": PLANS})], "metrics": [0, "late"]},
    }
    view = seen("", told)
    assert inside.listed(view, "api-plans", "plans") == PLANS
    assert view.answers["api-metrics"].said == "no answer: late"
    with pytest.raises(Unknown, match="no Lago container has LAGO_API_KEY"):
        inside.listed(seen("", {"with_key": False, "inside": {}}), "api-plans", "plans")
    with pytest.raises(Unknown, match="did not answer a request for its plans inside its container in time"):
        inside.listed(seen("", {"error": "killed"}), "api-plans", "plans")


def test_a_key_with_permissions_says_nothing_of_what_it_may_not_read():
    view = seen("", {"with_key": True, "inside": {"plans": [403, "{}"]}})
    with pytest.raises(Unknown, match="no permission to read the plans"):
        inside.listed(view, "api-plans", "plans")
