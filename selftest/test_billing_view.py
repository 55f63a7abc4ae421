"""What gateway and API answer inside of their containers arrives whole, however much they say at one time."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import pytest

from lago_acceptance.billing_view import view_of
from lago_acceptance.errors import Unknown, Unreachable
from lago_acceptance.host import LocalHost, Reading

NOBODY = SimpleNamespace(containers=(), others=())
PLANS = [{"code": f"plan-{number}", "name": "x" * 400} for number in range(400)]
# Runs here what would be run in a container.
DOCKER = """#!/bin/sh
shift 2
while [ "$1" = -e ]; do export "$2"; shift 2; done
shift
exec env LAGO_API_KEY=key "$@"
"""
CURL = """#!/bin/sh
cat >/dev/null
cat {body}
printf '\\n200'
"""


# What it was told by its arguments and by its configuration.
ECHO = """#!/bin/sh
printf '%s %s\\n200' "$*" "$(cat)"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Call it with the texts of docker and curl: what readings/billing.sh prints."""

    def output(docker: str, curl: str) -> str:
        for name, text in (("docker", docker), ("curl", curl)):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        text = (files("lago_acceptance") / "readings" / "billing.sh").read_text("utf-8")
        variables = {"gateway": "g", "api": "a", "stranger": "nobody"}
        return LocalHost().read(Reading("view of billing", text, variables, 30))

    return output


@pytest.fixture
def output(tmp_path: Path, run) -> str:
    """What it prints where every answer is long."""
    (tmp_path / "body").write_text(json.dumps({"plans": PLANS}))
    return run(DOCKER, CURL.format(body=tmp_path / "body"))


@pytest.mark.parametrize(
    ("environment", "port", "key"),
    [
        ("LAGO_API_KEY=first LAGO_ORG_API_KEY=second", 3000, "first"),
        ("LAGO_ORG_API_KEY=second PORT=4000", 4000, "second"),
    ],
)
def test_the_api_is_asked_at_its_own_port_and_with_the_key_that_it_was_seeded_with(
    environment, port, key, run
):
    view = view_of(NOBODY, run(DOCKER.replace("LAGO_API_KEY=key", environment), ECHO))
    assert view.has_key("api")
    asked = view.answers["api-organization"].text
    assert f"http://127.0.0.1:{port}/api/v1/organizations" in asked and f"Bearer {key}" in asked


def test_long_answers_side_by_side_arrive_whole(output):
    view = view_of(NOBODY, output)
    whole = {"gateway-health", "gateway-organization", "gateway-stranger"}
    whole |= {"api-health", "api-organization", "api-plans", "api-metrics"}
    assert set(view.answers) == whole
    assert all(answer.status == 200 and answer.document["plans"] == PLANS for answer in view.answers.values())
    assert view.listed("api-plans", "plans") == PLANS


def test_an_answer_that_is_cut_is_no_verdict(output):
    lines = [line for line in output.splitlines() if line.startswith("api-plans ")]
    with pytest.raises(Unreachable, match="api-plans did not arrive whole"):
        view_of(NOBODY, "\n".join([*lines[:-1], lines[-1][:-3]]))


def test_dockers_own_words_are_no_answer():
    view = view_of(NOBODY, "containers - -\nOCI runtime exec failed: no sh\n")
    with pytest.raises(Unknown, match="no API container runs"):
        view.listed("api-plans", "plans")
