"""What scripts/lago_process.rb tells: the key that Lago has loaded, also from the file that a newer one reads by itself
(docs/lago-facts.md, section 7), and what Lago answers in its own container."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import Container, running
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.docker

FILE = "mkdir -p /app/config/keys && openssl genrsa -out /app/config/keys/private.pem 2048"
NEWER = "echo '# %s' >>/app/config/initializers/rsa_keys.rb"
# A wrapper that gives what it starts another key than the one that is configured.
WRAPPED = "LAGO_RSA_PRIVATE_KEY=$(base64 -w0 /app/config/keys/private.pem) sleep 200 >/dev/null 2>&1 &"


@pytest.fixture
def lago() -> Iterator[Container]:
    """A container of Lago's image without a key in its environment, and with a file where newer ones look."""
    with running(resolve.stand_in("lago-api"), "sleep", "300") as container:
        assert container.execute("sh", "-c", FILE).returncode == 0
        yield container


# Answers every request with what it was asked with.
ECHO = """
require "socket"
require "json"
server = TCPServer.new("127.0.0.1", ENV["PORT"].to_i)
loop do
  Thread.new(server.accept) do |client|
    until (head = client.take_while { |line| line != "\\r\\n" }.join).empty?
      body = JSON.generate(asked: head)
      client.write("HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: #{body.bytesize}\\r\\n\\r\\n#{body}")
    end
  end
end
"""


def told(container: Container, *words: str, environment: dict[str, str] | None = None) -> dict:
    """What the reading says, asked as a worker of its key or as ``words`` say."""
    text = (files("lago_acceptance.facts") / "scripts" / "lago_process.rb").read_text("utf-8")
    ended = container.execute(
        "ruby", "--disable-gems", "-e", text, *(words or ("worker",)), environment=environment
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("spelling", ["config/keys/private.pem", 'join("config", "keys", "private.pem")'])
def test_a_lago_that_reads_the_file_has_its_key(spelling, lago):
    assert lago.execute("sh", "-c", NEWER % spelling).returncode == 0
    facts = told(lago)
    assert facts["exec"] and facts["key"]["private"] and facts["key"]["consistent"]
    assert facts["key"]["bits"] == 2048


def test_a_lago_that_does_not_read_it_has_none(lago):
    facts = told(lago)
    assert not facts["exec"] and "NoMethodError" in facts["key"]["error"]


def test_the_key_of_what_a_wrapper_starts_is_lagos():
    configured = ("--env=LAGO_RSA_PRIVATE_KEY=no-key-at-all",)
    with running(resolve.stand_in("lago-api"), "sleep", "300", options=configured) as container:
        assert "error" in told(container)["key"]
        assert container.execute("sh", "-c", f"{FILE} && {WRAPPED}").returncode == 0
        assert told(container)["key"]["private"]


def test_names_that_are_not_ascii_hide_no_key():
    options = ("--env=LAGO_ORG_NAME=Bücher", "--env=LANG=", "--env=LAGO_RSA_PRIVATE_KEY=no-key-at-all")
    with running(resolve.stand_in("lago-api"), "sleep", "300", options=options) as container:
        assert told(container)["key"]["present"]


@pytest.mark.parametrize(
    ("port", "environment", "key"),
    [
        ("3000", {"LAGO_API_KEY": "first", "LAGO_ORG_API_KEY": "second"}, "first"),
        ("4000", {"LAGO_API_KEY": "", "LAGO_ORG_API_KEY": "second"}, "second"),
        ("3000", {}, None),
    ],
)
def test_the_api_is_asked_at_its_own_port_and_with_the_key_that_it_was_seeded_with(port, environment, key):
    options = (f"--env=PORT={port}", "--env=LAGO_RSA_PRIVATE_KEY=no-key-at-all")
    with running(resolve.stand_in("lago-api"), "ruby", "-e", ECHO, options=options) as container:
        assert until(lambda: told(container, "api", "inside")["inside"]["health"][0] == 200, PATIENCE)
        facts = told(container, "api", "inside", environment=environment)
    asked = {
        name: json.loads(body)["asked"] for name, (status, body) in facts["inside"].items() if status == 200
    }
    assert facts["with_key"] == (key is not None)
    assert asked.keys() == ({"health", "organization", "plans", "metrics"} if key else {"health"})
    assert all(f"authorization: bearer {key}" in head.lower() for head in asked.values()) or key is None
    assert facts["answers"]["/health"]["status"] == 200


def test_an_api_that_does_not_answer_is_told_and_takes_no_longer_than_its_deadline():
    with running(resolve.stand_in("lago-api"), "sleep", "300") as container:
        facts = told(container, "api", "inside", environment={"LAGO_API_KEY": "key"})
    assert facts["inside"]["health"][0] == 0 and "ECONNREFUSED" in facts["inside"]["health"][1]
    assert "ECONNREFUSED" in facts["error"]
