"""The whole script, sent by standard input to the shells of hosts, with a Docker that only pretends."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lago_acceptance.facts import collect
from lago_acceptance.facts.collect import observe, reading
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.sections import Section
from lago_acceptance.facts.types import ComposeText, Dump, Facts, Image
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.hosts.process import text_of

SHELLS = ["dash", "bash", "busybox sh"]
APPLETS = [
    "awk",
    "sed",
    "stat",
    "date",
    "cut",
    "tr",
    "head",
    "tail",
    "grep",
    "sort",
    "timeout",
    "df",
    "sha256sum",
    "printf",
    "cat",
    "id",
    "sleep",
    "env",
]
KEY = "a-key-that-stays-on-the-host"
# Whatever may read standard input does: it would swallow the rest of the script.
DOCKER = """#!/bin/sh
cat >/dev/null
case "$1 $2" in
    "ps "*) printf 'api1\\ndb1\\n' ;;
    "inspect "*) cat {table} ;;
    "network "*) printf 'bridge\\nproduction_default\\n' ;;
    "volume "*) echo production_pgdata ;;
    "image "*) echo 'sha256:1 getlago/api:v1.16.0' ;;
    "logs "*) for id; do :; done; echo "2026-11-24T10:00:00.000000000Z hello from $id" ;;
    "exec "*) case "$*" in *" ruby "*) echo '{{"health": "up"}}' ;; *psql*) printf 'directory\\t"/data"\\n' ;; esac ;;
esac
"""
COMPOSE = """#!/bin/sh
cat >/dev/null
echo '{{"name": "production", "services": {{"api": {{"image": "getlago/api:v1.16.0"}}}}}}'
"""


class Shell(Host):
    """A host whose shell gets the script by standard input, and which runs in a folder of its own."""

    name, compose_command = "pretended", ""

    def __init__(self, shell: str, folder: Path):
        self.folder = folder
        self._words = shell.split()
        self.tools = folder / "tools"
        self.tools.mkdir()
        if self._words[0] == "busybox":
            for name in ("sh", *APPLETS):
                (self.tools / name).symlink_to(shutil.which("busybox"))
            (self.tools / "openssl").symlink_to(shutil.which("openssl"))
            self.path = str(self.tools)
        else:
            self.path = f"{self.tools}:/usr/bin:/bin"

    def program(self, name: str, text: str) -> None:
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def start(self, script: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [shutil.which(self._words[0]), *self._words[1:], "-s"],
            input=script.encode(),
            env={"PATH": self.path, "HOME": str(self.folder)},
            capture_output=True,
            timeout=30,
            check=False,
        )

    def run(self, script: str) -> str:
        ended = self.start(script)
        assert ended.returncode == 0, ended.stderr
        return text_of(ended.stdout)

    def read(self, reading: ReadCommand) -> str:
        return self.run(reading.script())


@pytest.fixture(params=SHELLS)
def host(request, tmp_path) -> Shell:
    if shutil.which(request.param.split()[0]) is None:
        pytest.skip(f"{request.param} is not on this machine")
    return Shell(request.param, tmp_path)


def container(id: str, image: str, arguments: list[str], **more) -> dict:
    labels = {"com.docker.compose.project": "production", "com.docker.compose.service": id}
    state = {"Status": "running", "Running": True, "StartedAt": "2026-11-24T10:00:00.000000000Z"}
    return {
        "id": id,
        "name": f"/{id}",
        "image": image,
        "args": arguments,
        "labels": labels,
        "state": state,
        **more,
    }


@pytest.fixture
def lago(host: Shell) -> Shell:
    """A host with an API and a database, their files, a key, logs and dumps."""
    folder = host.folder / "it's lago"
    folder.mkdir()
    (folder / "compose.yml").write_text("services:\n  api:\n")
    (folder / ".env").write_text(f"A=1\nKEY=LS0tLS1CRUdJTi\nB={KEY}\n")
    (folder / ".env").chmod(0o600)
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(pem)
    (folder / "key.pem").chmod(0o640)
    for name, size in (("api1-json.log", 100), ("api1-json.log.1", 20), ("other.log", 7)):
        (folder / name).write_bytes(b"x" * size)
    for number in range(4):
        (folder / f"{number}.dump").write_bytes(b"x" * number)
        os.utime(folder / f"{number}.dump", (1795000000 + number,) * 2)
    lines = []
    for each, command, log in (
        (container("api1", "getlago/api:v1.16.0", []), "./scripts/start.api.sh", folder / "api1-json.log"),
        (container("db1", "postgres:15", ["postgres"]), "docker-entrypoint.sh", ""),
    ):
        id = each["id"]
        lines += [
            f"R\t{id}\ttrue\tproduction\t-\t{each['image']} {command} {json.dumps(each['args'])}",
            f"P\t{id}\t{folder}\t{folder}/compose.yml\t{folder}/.env",
            f"L\t{id}\t{log}\t/nowhere/containers/{id}/hostname\thealthy",
            f"C\t{id}\t{json.dumps({**each, 'path': command})}",
        ]
    url = "postgres://lago:hunter2pass@db/lago"
    for name, value in (("LAGO_API_KEY", KEY), ("DATABASE_URL", url)):
        lines += [f"V\tapi1\t{name}={value}", f'E\tapi1\t"{name}={value}"']
    lines += [f"M\tapi1\t{folder}/{name}" for name in ("key.pem", "absent.pem")]
    (host.folder / "table").write_text("\n".join(lines) + "\n")
    host.program("docker", DOCKER.format(table=shlex.quote(str(host.folder / "table"))))
    host.program("docker-compose", COMPOSE.format())
    return host


def seen(host: Shell) -> Facts:
    return observe(host, backups=f"{host.folder}/it?s?lago/*.dump")


def test_everything_of_a_host_arrives(lago):
    facts, folder = seen(lago), lago.folder / "it's lago"
    assert (facts.project, facts.lagos) == ("production", {"production": str(folder)})
    assert [each.role for each in facts.containers] == ["api", "db"] and not facts.others
    assert facts.declaration.services[0].image == "getlago/api:v1.16.0", facts.declaration_error
    assert facts.texts == (
        ComposeText(f"{folder}/compose.yml", "644", ()),
        ComposeText(f"{folder}/.env", "600", (2,)),
    )
    assert facts.networks == ("bridge", "production_default") and facts.volumes == ("production_pgdata",)
    assert facts.images == (Image("sha256:1", ("getlago/api:v1.16.0",)),)
    assert facts.log_sizes == {"api1": 120}
    assert facts.dumps == tuple(
        Dump(f"{folder}/{number}.dump", 1795000000.0 + number, number) for number in (1, 2, 3)
    )
    assert "/" in {each.mount for each in facts.disks} and all(each.free_mib for each in facts.disks)
    assert abs(facts.clock_drift) < 1
    assert facts.log(facts.containers[0]) == ["hello from api1"]
    assert facts.lago["api1"].health == "up" and facts.database.directory == "/data"


@pytest.mark.parametrize("step", [-7200, 7200])
def test_a_clock_of_this_machine_that_is_set_meanwhile_is_no_drift_of_the_hosts(lago, step, monkeypatch):
    readings = iter([time.time(), time.time() + step])
    clocks = SimpleNamespace(time=lambda: next(readings), monotonic=time.monotonic)
    monkeypatch.setattr(collect, "time", clocks)
    assert abs(seen(lago).clock_drift) < 1


def test_of_a_key_its_digest_arrives_and_no_more(lago):
    facts, folder = seen(lago), lago.folder / "it's lago"
    key = facts.source(f"{folder}/key.pem")
    pem = (folder / "key.pem").read_bytes()
    public = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"], input=pem, capture_output=True, check=True
    ).stdout
    digest = subprocess.run(["sha256sum"], input=public, capture_output=True, check=True).stdout[:64].decode()
    assert (key.mode, key.header, key.bits, key.private, key.consistent, key.digest) == (
        "640",
        "-----BEGIN PRIVATE KEY-----",
        2048,
        True,
        True,
        digest,
    )
    assert facts.source(f"{folder}/absent.pem").kind == "absent"
    assert facts.containers[0].service.environment == {
        "LAGO_API_KEY": f"<secret:1:plain:{len(KEY)}>",
        "DATABASE_URL": "postgres://lago:<secret:2:plain:11>@db/lago",
    }
    printed = lago.read(reading(lago))
    lines = [line for line in pem.decode().splitlines() if not line.startswith("--")]
    assert not [secret for secret in (KEY, "hunter2pass", *lines) if secret in printed]


def test_nothing_reads_the_scripts_own_input(lago):
    """Long enough that no shell has read all of it ahead."""
    rest = ": filler\n" * 20_000 + "echo the end\n"
    assert lago.run(f"{reading(lago).script()}\n{rest}").endswith("facts end\nthe end\n")


def test_a_script_that_is_cut_does_nothing(lago):
    """Shells read on to the end of a function before they run any of it."""
    script = reading(lago).script()
    whole = script.index("host_sections | awk")
    lago.program("docker", f"#!/bin/sh\ntouch {lago.folder}/asked\n")
    ended = lago.start(script[:whole])
    assert ended.stdout == b"" and not (lago.folder / "asked").exists()


def test_what_one_section_does_to_its_shell_does_not_matter_to_the_next(host):
    """A folder, variables, an early end."""
    functions = render.sections_as_shell(
        [
            Section("one", "cd /; tab=x; echo 1; exit 3", len),
            Section("two", 'printf "%s" "$tab"; pwd', len),
            Section("three", "echo 3", len, last=True),
        ]
    )
    begin = 'begin() { echo "[$1]"; }\n'
    printed = host.run(f"{begin}tab=y\ncd {host.folder}\n{functions}host_sections\nlast_sections\n")
    assert printed == f"[one]\n1\n[two]\ny{host.folder}\n[three]\n3\n"
