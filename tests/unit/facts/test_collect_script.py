"""The whole script, sent by standard input to the shells of hosts, with a Docker that only pretends."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from lago_acceptance.facts import collect
from lago_acceptance.facts.collect import observe, reading
from lago_acceptance.facts.dump import Content, Dump
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.sections import Section
from lago_acceptance.facts.types import ComposeText, Facts, Image
from tests.support.pretended_host import KEY, Shell, row, rows


def seen(host: Shell) -> Facts:
    return observe(host, backups=f"{host.folder}/it?s?lago/*.dump")


def test_everything_of_a_host_arrives(lago):
    facts, folder = seen(lago), lago.folder / "it's lago"
    assert (facts.project, facts.lagos) == ("production", {"production": str(folder)})
    assert [each.role for each in facts.containers] == ["api", "db"] and not facts.others
    assert facts.declaration.services[0].image == "getlago/api:v1.16.0", facts.declaration_error
    assert facts.texts == (
        ComposeText(f"{folder}/compose.yml", "644", (), _digest(folder / "compose.yml")),
        ComposeText(f"{folder}/.env", "600", (2,), _digest(folder / ".env")),
    )
    assert facts.networks == ("bridge", "production_default") and facts.volumes == ("production_pgdata",)
    assert facts.images == (Image("sha256:1", ("getlago/api:v1.16.0",)),)
    assert facts.log_sizes == {"api1": 120}
    assert [msgspec.structs.replace(each, content=None) for each in facts.dumps] == [
        Dump(f"{folder}/{number}.dump", 1795000000.0 + number, number, "other") for number in (1, 2, 3)
    ]
    assert facts.dumps[-1].content == Content(inner="text")
    assert facts.later_dump_sizes == {f"{folder}/{number}.dump": number for number in (1, 2, 3)}
    assert facts.machine.processors and facts.machine.memory and facts.load_text()
    assert facts.inodes and not facts.closed_dumps
    assert "/" in {each.mount for each in facts.disks} and all(each.free_mib for each in facts.disks)
    assert abs(facts.clock_drift) < 1
    assert facts.log(facts.containers[0]) == ["hello from api1"]
    assert facts.lago["api1"].health == "up" and facts.database.directory == "/data"


def test_what_an_upgrade_needs_is_asked_where_it_is_wanted_and_only_there(lago):
    assert seen(lago).upgrade is None
    found = observe(lago, upgrade=collect.TOO).upgrade
    assert found.rooms and all(each.free for each in found.rooms)


def test_nobody_is_asked_what_an_upgrade_need_not_know(lago):
    others = {"f": ("getlago/front:v1", "nginx"), "w": ("getlago/api:v1.16.0", "./scripts/start.worker.sh")}
    for id, (image, command) in others.items():
        lago.add(rows(id, image, command))
    (lago.folder / "exec").write_text("echo answered\n")

    def asked(upgrade: str) -> set[str]:
        printed = lago.read(reading(lago, upgrade=upgrade)).splitlines()
        return {
            line.split()[0]
            for line in printed
            if line.startswith(("lago:", "front:", "database:", "upgrade:"))
        }

    assert {each.partition(":")[0] for each in asked(collect.TOO)} == {"lago", "front", "database", "upgrade"}
    assert "lago:w" in asked(collect.TOO)
    assert asked(collect.ONLY) == asked(collect.TOO) - {"lago:w", "front:f"}


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
    assert lago.run(f"{reading(lago).script()}\n{rest}").rpartition("facts end n")[2].endswith("\nthe end\n")


def test_a_script_that_is_cut_does_nothing(lago):
    """Shells read on to the end of a function before they run any of it."""
    script = reading(lago).script()
    whole = script.index("send host_sections")
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


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_certificates_of_a_proxy_are_found_in_its_mounts_and_nobody_elses(lago):
    folder = lago.folder / "volume of a proxy"
    folder.mkdir()
    for name in ("acme.json", "other.json"):
        (folder / name).write_text("{}")
        (folder / name).chmod(0o600)
    lago.add(
        [
            *rows(
                "proxy1", "traefik:v3.5.0", "/entrypoint.sh", labels={"com.docker.compose.project": "edge"}
            ),
            row("V", "proxy1", str(folder)),
            row("V", "db1", str(folder.parent)),
        ]
    )
    assert [(each.path, each.mode) for each in seen(lago).certificate_stores] == [
        (f"{folder}/acme.json", "600")
    ]
