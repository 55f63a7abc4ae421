"""The key file that a newer Lago reads by itself (Lago sheet, section 7), as readings/lago.rb tells of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

import pytest

from lago_acceptance import images
from selftest.containers import Container, running

pytestmark = pytest.mark.docker

FILE = "mkdir -p /app/config/keys && openssl genrsa -out /app/config/keys/private.pem 2048"
NEWER = "echo '# %s' >>/app/config/initializers/rsa_keys.rb"
# A wrapper that gives what it starts another key than the one that is configured.
WRAPPED = "LAGO_RSA_PRIVATE_KEY=$(base64 -w0 /app/config/keys/private.pem) sleep 200 >/dev/null 2>&1 &"


@pytest.fixture
def lago() -> Iterator[Container]:
    """A container of Lago's image without a key in its environment, and with a file where newer ones look."""
    with running(images.stand_in("lago-api"), "sleep", "300") as container:
        assert container.execute("sh", "-c", FILE).returncode == 0
        yield container


def told(container: Container) -> dict:
    """What the reading says of the key."""
    text = (files("lago_acceptance") / "readings" / "lago.rb").read_text("utf-8")
    ended = container.execute("ruby", "--disable-gems", "-e", text, "worker")
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
    with running(images.stand_in("lago-api"), "sleep", "300", options=configured) as container:
        assert "error" in told(container)["key"]
        assert container.execute("sh", "-c", f"{FILE} && {WRAPPED}").returncode == 0
        assert told(container)["key"]["private"]


def test_names_that_are_not_ascii_hide_no_key():
    options = ("--env=LAGO_ORG_NAME=Bücher", "--env=LANG=", "--env=LAGO_RSA_PRIVATE_KEY=no-key-at-all")
    with running(images.stand_in("lago-api"), "sleep", "300", options=options) as container:
        assert told(container)["key"]["present"]
