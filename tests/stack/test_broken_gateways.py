"""A gateway that hangs, answers with web pages, redirects or fails: each gets a finding of its own, and none is an
error of the suite."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from lago_acceptance.images import resolve
from tests.support.containers import docker
from tests.support.suite_run import Result, run

# Two minutes, for one of its answers never comes; unit tests have each of them.
pytestmark = [pytest.mark.stack, pytest.mark.docker, pytest.mark.exhaustive]

# Its description and its health are well; what belongs to a customer is not.
GATEWAY = """
import http.server, json, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.say(200, {"status": "healthy"})
        elif self.path == "/openapi.json":
            get, post = {"get": {}}, {"post": {"parameters": [{"name": "plan_slug", "in": "query"}]}}
            paths = {"plans": get, "subscribe": post, "subscription": get, "invoices": get, "usage": get}
            self.say(200, {"paths": {"/api/billing/" + name: each for name, each in paths.items()}})
        elif self.path == "/api/billing/plans":
            time.sleep(60)
        elif self.headers["Authorization"]:
            self.say(500, {"detail": "Internal Server Error"})
        else:
            self.say(200, "<title>Brain</title>", "text/html")
    def do_POST(self):
        self.say(307, "", "text/html", {"Location": "https://elsewhere.example.test/"})
    def say(self, status, body, kind="application/json", more={}):
        text = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(text)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def bad_gateway() -> Iterator[str]:
    """The name of an image that is such a gateway."""
    name, container = f"selftest/bad-gateway:{secrets.token_hex(4)}", f"selftest-{secrets.token_hex(4)}"
    docker("create", "--name", container, resolve.stand_in("python"))
    command = json.dumps(["python3", "-c", GATEWAY])
    docker("commit", "--change", f"CMD {command}", container, name)
    docker("rm", container)
    yield name
    docker("rmi", name)


@pytest.fixture(scope="module")
def judged(bad_gateway, tmp_path_factory) -> Result:
    """A run of phase 4 against it."""
    return run(tmp_path_factory.mktemp("reports"), "-m", "phase4", BRAIN_GATEWAY_IMAGE=bad_gateway)


def _reds(result: Result, name: str) -> set[str]:
    checks = [
        check for check in result.summary["checks"] if name in check["name"] and check["outcome"] == "failed"
    ]
    return {finding["id"] for check in checks for finding in check["findings"]}


@pytest.mark.parametrize(
    "check, id",
    [
        ("test_the_gateways_plans_are_lagos", "gateway-slow"),
        ("test_without_a_token_the_gateway_refuses", "gateway-html"),
        ("test_the_gateway_takes_a_good_token", "gateway-refused"),
        ("test_what_the_gateway_says_it_created_exists_in_lago", "gateway-redirect"),
    ],
)
def test_what_is_no_answer_is_red_by_its_own_name(check, id, judged):
    assert judged.code == 1, judged.output
    assert _reds(judged, check) == {id}


def test_a_gateway_that_hangs_is_waited_for_once(judged):
    (check,) = [each for each in judged.summary["checks"] if "lists_a_plan_that_only" in each["name"]]
    assert check["outcome"] == "blocked"
    assert "because of gateway-slow" in check["reason"]


def test_what_is_well_is_not_red(judged):
    assert len([name for name in judged.checks("passed") if "test_the_gateway_offers" in name]) == 5
    assert {"test_lago_accepts_the_gateways_key", "test_the_gateway_is_healthy"} <= set(
        judged.checks("passed")
    )
    assert "Traceback" not in judged.output
