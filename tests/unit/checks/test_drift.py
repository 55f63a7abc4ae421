"""What runs beside what is declared: equal where only the spelling differs, and each difference is named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lago_acceptance.checks import drift
from lago_acceptance.checks.declared_differences import differences
from lago_acceptance.core import run
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.resources import compose_binary
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images.resolve import stand_in
from lago_acceptance.model.deployment import Model, Network
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.from_docker import observed_service
from tests.support.containers import docker
from tests.support.facts import container, facts, ids
from tests.support.patience import PATIENCE

# As Compose 5.6 prints a service, and as Docker 20.10 shows the container that it makes of it.
SERVICE: dict[str, Any] = {
    "cap_add": ["NET_ADMIN", "CAP_SYS_TIME"],
    "cap_drop": ["ALL"],
    "cpus": 0.5,
    "command": ["600"],
    "configs": [{"source": "conf", "target": "/etc/conf"}, {"source": "inline", "target": "/etc/inline"}],
    "dns": ["1.1.1.1"],
    "entrypoint": ["sleep"],
    "extra_hosts": ["away=10.0.0.1", "six=fe80::1"],
    "hostname": "fullhost",
    "image": "x:1",
    "logging": {"driver": "json-file", "options": {"max-size": "10m"}},
    "mem_limit": "134217728",
    "networks": {"default": {"aliases": ["other"]}, "second": None, "shared": None},
    "pids_limit": 50,
    "privileged": False,
    "read_only": True,
    "restart": "on-failure:3",
    "secrets": [{"source": "mysecret", "target": "/run/secrets/mysecret"}],
    "security_opt": ["no-new-privileges:true", "seccomp:profile.json"],
    "stop_grace_period": "1m30s",
    "stop_signal": "SIGINT",
    "tmpfs": ["/run/x:size=1m"],
    "user": "1000:1000",
    "volumes": [
        {"type": "volume", "source": "data", "target": "/data", "read_only": True, "volume": {}},
        {"type": "bind", "source": "/var/run/x.sock", "target": "/x.sock/", "bind": {}},
        {"type": "tmpfs", "target": "/scratch"},
    ],
    "healthcheck": {"test": ["CMD-SHELL", "test $$HOME"], "interval": "1m30s", "retries": 3},
    "ports": [
        {"mode": "ingress", "host_ip": "127.0.0.1", "target": 80, "published": "18081", "protocol": "tcp"},
        {"mode": "ingress", "host_ip": "0.0.0.0", "target": 82, "published": "18082", "protocol": "tcp"},
        {"mode": "ingress", "target": 83, "protocol": "udp"},
    ],
}
DOCUMENT: dict[str, Any] = {
    "name": "own",
    "configs": {"conf": {"name": "own_conf", "file": "/srv/conf"}, "inline": {"content": "text"}},
    "secrets": {"mysecret": {"name": "own_mysecret", "file": "/srv/secret"}},
    "networks": {
        "default": {"name": "own_default"},
        "second": {"name": "own_second"},
        "shared": {"name": "dokploy-network", "external": True},
    },
    "volumes": {"data": {"name": "own_data"}},
}
HOST: dict[str, Any] = {
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "labels": "from-the-daemon"}},
    "NetworkMode": "own_default",
    "PortBindings": {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18081"}],
        "82/tcp": [{"HostIp": "", "HostPort": "18082"}],
        "83/udp": [{"HostIp": "", "HostPort": "0"}],
    },
    "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    "CapAdd": ["CAP_NET_ADMIN", "CAP_SYS_TIME"],
    "CapDrop": ["ALL"],
    "Dns": ["1.1.1.1"],
    "ExtraHosts": ["away:10.0.0.1", "six:fe80::1"],
    "Privileged": False,
    "ReadonlyRootfs": True,
    "SecurityOpt": ["no-new-privileges:true", 'seccomp={"defaultAction": "x"}', "label=disable"],
    "Tmpfs": {"/run/x": "size=1m"},
    "Memory": 134217728,
    "NanoCpus": 500000000,
    "PidsLimit": 50,
}
ANONYMOUS = "ab" * 32
MOUNTS: list[dict[str, Any]] = [
    {"Type": "volume", "Name": "own_data", "Source": "/v/own_data", "Destination": "/data", "RW": False},
    {"Type": "bind", "Source": "/run/x.sock", "Destination": "/x.sock", "RW": True},
    {"Type": "bind", "Source": "/srv/conf", "Destination": "/etc/conf", "RW": False},
    {"Type": "bind", "Source": "/srv/secret", "Destination": "/run/secrets/mysecret", "RW": False},
    {"Type": "volume", "Name": ANONYMOUS, "Source": "/v", "Destination": "/of-the-image", "RW": True},
    {"Type": "tmpfs", "Source": "", "Destination": "/scratch", "RW": True},
]
NAMES = {"Aliases": ["own-full-1", "full", "58c3172915a3"]}
RAW: dict[str, Any] = {
    "name": "/own-full-1",
    "image": "x:1",
    "labels": {"com.docker.compose.project": "own", "com.docker.compose.service": "full"},
    "entrypoint": ["sleep"],
    "command": ["600"],
    "user": "1000:1000",
    "stop_timeout": 90,
    "stop_signal": "SIGINT",
    "healthcheck": {"Test": ["CMD-SHELL", "test $HOME"], "Interval": 90000000000, "Retries": 3, "Timeout": 1},
    "host": HOST,
    "mounts": MOUNTS,
    "networks": {
        "own_default": {"Aliases": [*NAMES["Aliases"], "other", "fullhost"]},
        "own_second": {"Aliases": [*NAMES["Aliases"], "fullhost"]},
        "dokploy-network": NAMES,
    },
}


def model(**changed: Any) -> Model:
    return declared({**DOCUMENT, "services": {"full": {**SERVICE, **changed}}})


def found(raw: dict[str, Any], **changed: Any) -> list[str]:
    """The differences of a container from a service."""
    made = model(**changed)
    return list(differences(made, made.services[0], observed_service(raw, {})))


def with_host(**changed: Any) -> dict[str, Any]:
    return {**RAW, "host": {**HOST, **changed}}


def test_another_spelling_is_no_difference():
    assert found(RAW) == []


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({**RAW, "user": "root"}, "its user is root, 1000:1000 is declared"),
        ({**RAW, "command": ["601"]}, "its command differs"),
        ({**RAW, "stop_timeout": None}, "docker stop gives it 10 s, 90 are declared"),
        ({**RAW, "healthcheck": None}, "it has no healthcheck, and the file has one"),
        (
            {**RAW, "healthcheck": {**RAW["healthcheck"], "Retries": 9}},
            "its healthcheck differs (retries)",
        ),
        (with_host(Memory=0), "its limit of memory is none, 128 MiB is declared"),
        (with_host(Memory=2**28), "its limit of memory is 256 MiB, 128 MiB is declared"),
        (with_host(NanoCpus=10**9), "its limit of CPUs is 1, 0.5 is declared"),
        (with_host(PidsLimit=None), "its limit of processes is none, 50 is declared"),
        (with_host(Privileged=True), "it is privileged, and not declared so"),
        (with_host(ReadonlyRootfs=False), "it is not read-only, and declared so"),
        (with_host(CapAdd=["CAP_NET_ADMIN"]), "its cap_add lack SYS_TIME"),
        (with_host(CapDrop=None), "its cap_drop lack ALL"),
        (
            with_host(CapAdd=[*HOST["CapAdd"], "SYS_ADMIN"]),
            "its cap_add have SYS_ADMIN, and the file has not",
        ),
        (with_host(SecurityOpt=["seccomp={}"]), "its security_opt lack no-new-privileges"),
        (with_host(RestartPolicy={"Name": "no"}), "its restart policy is no, on-failure is declared"),
        (with_host(NetworkMode="host"), "its network_mode is host, none is declared"),
        (
            with_host(ExtraHosts=["away:10.0.0.9"]),
            "away is 10.0.0.9 in its extra_hosts, 10.0.0.1 is declared",
        ),
        (with_host(Dns=None), "its dns is none, 1.1.1.1 is declared"),
        (with_host(LogConfig={"Type": "local"}), "its logging driver is local, json-file is declared"),
        (
            with_host(LogConfig={"Type": "json-file", "Config": {}}),
            "its logging option max-size is not set, 10m is declared",
        ),
        (
            with_host(
                PortBindings={
                    **HOST["PortBindings"],
                    "82/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18082"}],
                }
            ),
            "its ports lack 18082:82/tcp",
        ),
        (with_host(Tmpfs=None), "/run/x is not in memory (tmpfs)"),
        ({**RAW, "mounts": MOUNTS[1:]}, "nothing is mounted at /data"),
        (
            {**RAW, "mounts": [{**MOUNTS[0], "Name": "old_data"}, *MOUNTS[1:]]},
            "the volume old_data is mounted at /data, own_data is declared",
        ),
        (
            {**RAW, "mounts": [{**MOUNTS[0], "RW": True}, *MOUNTS[1:]]},
            "/data is mounted writable, and declared read-only",
        ),
        (
            {**RAW, "mounts": [{**MOUNTS[0], "Type": "bind", "Source": "/srv/d"}, *MOUNTS[1:]]},
            "the path /srv/d is mounted at /data, the volume data is declared",
        ),
        (
            {**RAW, "mounts": [*MOUNTS[:2], {**MOUNTS[2], "Source": "/srv/old"}, *MOUNTS[3:]]},
            "/srv/old is mounted at /etc/conf, /srv/conf is declared",
        ),
        (
            {
                **RAW,
                "mounts": [*MOUNTS, {"Type": "bind", "Source": "/root", "Destination": "/r", "RW": True}],
            },
            "/root is mounted at /r, and the file does not mount it",
        ),
    ],
)
def test_a_difference_is_named(raw, words):
    assert words in found(raw)


@pytest.mark.parametrize(
    ("changed", "host"),
    [
        (
            {"restart": None, "deploy": {"restart_policy": {"condition": "any"}}},
            {"RestartPolicy": {"Name": "always"}},
        ),
        ({"restart": None}, {"RestartPolicy": {"Name": ""}}),
        (
            {
                "mem_limit": None,
                "cpus": None,
                "pids_limit": None,
                "deploy": {"resources": {"limits": {"memory": "1g", "cpus": "1.5", "pids": 9}}},
            },
            {"Memory": 2**30, "NanoCpus": 1500000000, "PidsLimit": 9},
        ),
        ({"mem_limit": None, "cpus": 0, "pids_limit": -1}, {"Memory": 0, "NanoCpus": 0, "PidsLimit": 0}),
        (
            {"networks": None, "ports": None, "network_mode": "service:other"},
            {"NetworkMode": "container:1", "PortBindings": {}},
        ),
    ],
)
def test_the_same_said_elsewhere_is_no_difference(changed, host):
    assert found(with_host(**host), **changed) == []


def test_mounts_of_another_container_are_not_the_files():
    more = {"Type": "bind", "Source": "/s", "Destination": "/theirs", "RW": True}
    assert found({**with_host(VolumesFrom=["1"]), "mounts": [*MOUNTS, more]}, volumes_from=["other"]) == []


# --- networks ---


def on(networks: dict[str, Any], **changed: Any):
    """Facts of the container on these networks."""
    service = observed_service({**RAW, "networks": networks}, {})
    each = container(
        None, service=service, project="own", name="own-full-1", addresses=dict.fromkeys(networks, "10.0.0.1")
    )
    made = model()
    beside = msgspec.structs.replace(made.services[0], name="lago-db", networks={"second": ()})
    return facts(
        msgspec.structs.replace(each, **changed),
        declaration=msgspec.structs.replace(made, services=(*made.services, beside)),
    )


def test_a_container_on_its_networks():
    assert list(drift.containers_are_on_their_networks(on(RAW["networks"]))) == []


def test_a_container_off_a_network_of_its_file():
    left = {name: each for name, each in RAW["networks"].items() if name != "own_second"}
    (one,) = drift.containers_are_on_their_networks(on(left))
    assert one.id == "off-its-network" and "not on the network own_second" in one.problem
    assert "can't reach lago-db there" in one.impact
    assert one.fix == "docker network connect --alias full own_second own-full-1"
    stopped = on(left, running=False, status="exited")
    assert list(drift.containers_are_on_their_networks(stopped)) == []


def test_a_network_that_another_check_judges_is_told_once():
    left = {name: each for name, each in RAW["networks"].items() if name != "dokploy-network"}
    seen = on(left)
    (each,) = seen.containers
    api = msgspec.structs.replace(each, service=msgspec.structs.replace(each.service, role="api"))
    found = drift.containers_are_on_their_networks(
        msgspec.structs.replace(seen, containers=(api,)),
        {"proxy": "dokploy-network", "gateway": "g"}.__getitem__,
    )
    assert list(found) == []


def test_an_alias_that_is_missing():
    (one,) = drift.containers_are_on_their_networks(on({**RAW["networks"], "own_default": NAMES}))
    assert one.id == "off-its-network" and "does not have the alias other," in one.problem
    assert one.fix.endswith("docker network connect --alias full --alias other own_default own-full-1")


def test_a_network_that_no_file_declares():
    (one,) = drift.containers_are_on_their_networks(on({**RAW["networks"], "bridge": NAMES}))
    assert (one.id, one.severity) == ("network-not-declared", Severity.WARNING) and "bridge" in one.problem


def test_networks_without_a_file_are_unknown():
    with pytest.raises(Unknown, match="could not be read"):
        list(drift.containers_are_on_their_networks(facts(container("api"))))
    nothing = Model(observed=False, project="", networks=(Network("a", "a"),))
    with pytest.raises(Blocked, match="not-brought-up"):
        list(drift.containers_are_on_their_networks(facts(declaration=nothing)))


# --- Docker itself ---

FILE = """
services:
  one: &one
    image: {image}
    command: [sleep, "600"]
    stop_grace_period: 0s
    networks: {{default: {{aliases: [other]}}, second: }}
    volumes: ["data:/data:ro", "./:/here"]
    tmpfs: ["/run/x:size=1m"]
    cap_add: [CHOWN]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    restart: on-failure:2
    ports: ["127.0.0.1::80"]
    extra_hosts: ["away:10.0.0.1", "six:fe80::1"]
    logging: {{driver: json-file, options: {{max-size: 10m}}}}
    healthcheck: {{test: "true", interval: 1m30s}}
    secrets: [key]
  two:
    image: {image}
    command: sleep 600
    stop_grace_period: 0s
networks: {{second: }}
volumes: {{data: }}
secrets: {{key: {{file: ./compose.yml}}}}
"""


@pytest.mark.docker
def test_what_compose_has_made_does_not_differ_and_what_was_changed_by_hand_does(tmp_path: Path):
    name = f"{run.PREFIX}selftest-drift"
    file = tmp_path / "compose.yml"
    file.write_text(FILE.format(image=json.dumps(stand_in("base"))))
    compose = [compose_binary(), "--project-name", name, "--file", str(file)]

    def composed(*words: str) -> None:
        subprocess.run([*compose, *words], capture_output=True, timeout=PATIENCE, check=True)

    def seen():
        found = observe(LocalHost(), project=name)
        assert found.declaration is not None, found.declaration_error
        return found

    try:
        composed("up", "--detach")
        well = seen()
        assert len(well.containers) == 2
        assert list(drift.containers_match_their_files(well)) == []
        assert list(drift.containers_are_on_their_networks(well)) == []
        docker("update", "--memory", "128m", "--memory-swap", "256m", "--restart", "no", f"{name}-one-1")
        docker("network", "disconnect", f"{name}_second", f"{name}-one-1")
        docker("network", "connect", f"{name}_second", f"{name}-two-1")
        changed = seen()
        (one,) = drift.containers_match_their_files(changed)
        assert "its limit of memory is 128 MiB, 64 MiB is declared" in one.problem
        assert "its restart policy is no, on-failure is declared" in one.problem
        # In the order in which Docker lists the two containers.
        assert set(ids(drift.containers_are_on_their_networks(changed))) == {
            "off-its-network",
            "network-not-declared",
        }
    finally:
        composed("down", "--volumes", "--timeout", "0")
