"""The organization of the suite's own: made by a change with a permit, told from every other one, its key
kept apart.
"""

from __future__ import annotations

import contextlib
import os

import httpx
import pytest
import respx

from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.base import CommandResult, WriteCommand
from lago_acceptance.hosts.ssh import SshHost
from lago_acceptance.images import resolve
from lago_acceptance.scenarios import dedicated_organization
from tests.support import containers
from tests.support.patience import PATIENCE

PERMIT = Permit("--allow-writes")
BASE = "https://lago.example.test"


class Answering:
    """A host on which each change ends the same way."""

    def __init__(self, outcome: CommandResult):
        self.outcome = outcome

    def change(self, change, permit):
        assert isinstance(permit, Permit)
        return self.outcome


class Api:
    """As much of a container as is asked for."""

    id = "0123456789ab"


@pytest.mark.parametrize(
    "outcome, said",
    [
        (
            CommandResult(1, "rake aborted!\nNoMethodError: undefined method `unpack1' for nil"),
            "undefined method `unpack1'",
        ),
        (CommandResult(0, '"ending seeding environment"\n'), "ending seeding environment"),
        (CommandResult(124, "", "making it did not end within 60 s"), "did not end within 60 s"),
        (CommandResult(127, ""), "exit code 127"),
    ],
)
def test_an_organization_that_lago_does_not_make_is_unknown_with_the_reason(outcome, said):
    with pytest.raises(Unknown, match="nothing is written") as raised:
        dedicated_organization.key(Answering(outcome), Api(), PERMIT)
    assert said in str(raised.value)


@respx.mock
def test_a_key_of_another_organization_is_not_written_with():
    route = respx.route().mock(return_value=httpx.Response(200, json={"organization": {"name": "Bizoholic"}}))
    with pytest.raises(Unknown, match="nothing is written.*'Bizoholic'"):
        dedicated_organization.must_be_own(Lago(Connection("api", BASE), Secret("a-key-of-this-test")))
    assert [call.request.method for call in route.calls] == ["GET"]


@pytest.mark.docker
@pytest.mark.parametrize("how", ["wrapped by the entrypoint", "loaded by RUBYOPT"])
def test_seeding_has_the_rsa_key_however_it_is_mounted(how, tmp_path):
    image = resolve.resolve({"getlago/api:v1.16.0"}, "auto", os.environ)["getlago/api:v1.16.0"].reference
    stub = tmp_path / "bundle"
    stub.write_text(
        "#!/usr/bin/env ruby\n"
        "names = %w[LAGO_RSA_PRIVATE_KEY LAGO_CREATE_ORG LAGO_ORG_NAME LAGO_ORG_API_KEY LAGO_API_KEY]\n"
        'puts (ENV.values_at(*names) + ARGV).join(" ")\n'
    )
    stub.chmod(0o755)
    (tmp_path / "rsa_key.rb").write_text('ENV["LAGO_RSA_PRIVATE_KEY"] = "bG9hZGVk"\n')
    options = ["--volume", f"{stub}:/usr/local/sbin/bundle:ro", "--env", "SECRET_KEY_BASE=of-this-test"]
    if how.startswith("loaded"):
        options += [
            "--volume",
            f"{tmp_path / 'rsa_key.rb'}:/run/lago/rsa_key.rb:ro",
            "--env",
            "RUBYOPT=-r/run/lago/rsa_key",
        ]
        command = ("sleep", "60")
    else:
        options += ["--entrypoint", "/bin/bash"]
        command = ("-euc", 'export LAGO_RSA_PRIVATE_KEY=d3JhcHBlZA==; exec "$@"', "--", "sleep", "60")
    with containers.running(image, *command, options=tuple(options)) as container:
        call = ("sh", "-c", dedicated_organization.script(), "sh")
        given = (dedicated_organization.NAME, dedicated_organization.EMAIL)
        ended = container.execute(*call, *given)
        again = container.execute(*call, *given)
    assert ended.returncode == 0, ended.stderr
    words, key = ended.stdout.strip().splitlines()
    key = key.removeprefix("key ").replace(".", "")
    wanted = "bG9hZGVk" if how.startswith("loaded") else "d3JhcHBlZA=="
    assert (
        words
        == f"{wanted} true {dedicated_organization.NAME} {key} {key} exec rails signup:seed_organization"
    )
    assert again.stdout == ended.stdout
    made = dedicated_organization.key(Answering(CommandResult(0, ended.stdout)), Api(), PERMIT)
    assert made.reveal() == key
    # By now the key is known as a secret, and what a host prints of it is masked.
    again = dedicated_organization.key(
        Answering(CommandResult(0, redact(f"{ended.stdout}\n{key}"))), Api(), PERMIT
    )
    assert again.reveal() == key


def test_a_change_on_a_live_host_needs_a_permit_and_keeps_its_environment_out_of_the_command(sshd):
    server = sshd()
    host = SshHost(parse(server.url), server.ssh_config)
    change = WriteCommand(
        "saying a word",
        ("sh", "-c", 'echo "$WORD; $0"; cat; exit 3', "it's"),
        {"WORD": "a secret's word"},
        deadline=PATIENCE,
    )
    try:
        with pytest.raises(TypeError, match="needs a permit"):
            host.change(change, None)
        assert server.commands() == []
        assert host.change(change, PERMIT) == CommandResult(3, "a secret's word; it's\n")
        assert not any("secret" in command for command in server.commands())
        late = host.change(WriteCommand("waiting", ("sleep", "20"), deadline=1), PERMIT)
        assert late.stopped == "waiting did not end within 1 s"
    finally:
        host.close()
        server.stop()
    gone = SshHost(parse(server.url), server.ssh_config)
    with contextlib.closing(gone), pytest.raises(Unreachable, match="TCP"):
        gone.change(change, PERMIT)
