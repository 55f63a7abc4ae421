"""The edge on real parts: a router becomes a name, a certificate and an answer, as it does in production."""

from __future__ import annotations

import secrets
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import httpx
import pytest

from lago_acceptance.composefile import cli
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images import resolve
from lago_acceptance.model.hidden_labels import hidden
from lago_acceptance.targets.stack import edge
from lago_acceptance.targets.stack.overlay import overlay
from tests.support.containers import docker
from tests.support.patience import PATIENCE

SHOP = "shop.example.test"
OFFICE = "office.example.test"
FOREIGN = "foreign.example.test"


def labels(project: str, host: str) -> list[str]:
    name = host.split(".")[0]
    values = {
        "com.docker.compose.project": project,
        "traefik.enable": "true",
        f"traefik.http.services.{name}.loadbalancer.server.port": "8000",
        f"traefik.http.routers.{name}.rule": f"Host(`{host}`)",
        f"traefik.http.routers.{name}.entrypoints": "websecure",
        f"traefik.http.routers.{name}.tls.certresolver": "letsencrypt",
        f"traefik.http.routers.{name}-http.rule": f"Host(`{host}`)",
        f"traefik.http.routers.{name}-http.entrypoints": "web",
    }
    return [part for key, value in hidden(values).items() for part in ("--label", f"{key}={value}")]


@pytest.fixture(scope="module")
def standing_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[edge.Edge]:
    """An edge that serves the project <name>-shop, with the names of two containers of it and of a stranger's."""
    name = f"edge-selftest-{secrets.token_hex(3)}"
    folder: Path = tmp_path_factory.mktemp("edge")
    edge.prepare(folder)
    networks = {"edge": f"{name}-own", "proxy": f"{name}-proxy"}
    plain = edge.project(name, folder, f"{name}-shop", networks)
    declared = cli.config(plain)
    resolved = resolve.resolve([service.image for service in declared.model.services], "auto", {})
    changed = folder / "images.yml"
    taken = {key: image.reference for key, image in resolved.items()}
    changed.write_text(overlay(declared, taken, {}).text)
    project = plain.with_file(changed)
    backend = [
        "--network",
        f"{name}-proxy",
        resolve.stand_in("pebble"),
        "python3",
        "-m",
        "http.server",
        "8000",
    ]
    owners = {FOREIGN: f"{name}-other", SHOP: f"{name}-shop", OFFICE: f"{name}-shop"}

    def run(*verb: str) -> None:
        subprocess.run(project.arguments(*verb), env=project.environment(), check=True, timeout=PATIENCE)

    for network in networks.values():
        docker("network", "create", network)
    try:
        run("up", "--detach", "--wait")
        started = edge.attach(LocalHost(), name, folder, networks["edge"])
        started.point_names(owners, started.origin)
        for host, owner in owners.items():
            docker("run", "--detach", "--name", f"{name}-{host}", *labels(owner, host), *backend)
        yield started
    finally:
        docker("rm", "--force", "--volumes", *(f"{name}-{host}" for host in owners))
        run("down", "--volumes", "--timeout", "1")
        docker("network", "rm", *networks.values())


def get(standing_edge: edge.Edge, host: str, context: ssl.SSLContext) -> httpx.Response:
    with httpx.Client(verify=context, trust_env=False, timeout=PATIENCE) as client:
        return client.get(
            f"https://{standing_edge.origin}/", headers={"Host": host}, extensions={"sni_hostname": host}
        )


def verifying(standing_edge: edge.Edge) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=standing_edge.root_certificate())


@pytest.mark.parametrize("host", [SHOP, OFFICE])
def test_a_router_gets_a_certificate_that_verifies_against_the_root(
    standing_edge: edge.Edge, host: str
) -> None:
    context = verifying(standing_edge)

    def served() -> bool:
        try:
            return get(standing_edge, host, context).status_code == 200
        except httpx.ConnectError:
            return False

    assert until(served, PATIENCE), f"no verified answer of {host}"


def test_the_root_of_another_run_does_not_verify(standing_edge: edge.Edge, tmp_path: Path) -> None:
    edge.prepare(tmp_path)
    stranger = ssl.create_default_context(cafile=str(tmp_path / "endpoint-ca.pem"))
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        get(standing_edge, SHOP, stranger)


def test_labels_of_another_project_are_not_obeyed(standing_edge: edge.Edge) -> None:
    def status(host: str) -> int:
        return httpx.get(
            f"http://{standing_edge.origin}/", headers={"Host": host}, trust_env=False
        ).status_code

    assert until(lambda: status(SHOP) == 200, PATIENCE), "the project's own router does not answer"
    assert status(FOREIGN) == 404


def ask(standing_edge: edge.Edge, name: str, kind: str) -> list[dns.message.Message]:
    question = dns.message.make_query(name, kind)
    return [
        dns.query.udp(question, address, port=port, timeout=PATIENCE)
        for address, port in standing_edge.resolvers
    ]


def test_every_resolver_gives_the_a_record_and_no_aaaa_record(standing_edge: edge.Edge) -> None:
    for answer in ask(standing_edge, SHOP, "A"):
        assert [record.address for rrset in answer.answer for record in rrset] == [standing_edge.origin]
    for answer in ask(standing_edge, SHOP, "AAAA"):
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


def test_a_name_that_nobody_pointed_has_no_address(standing_edge: edge.Edge) -> None:
    assert len(standing_edge.resolvers) == 2
    for answer in ask(standing_edge, "nobody.example.test", "A"):
        assert answer.answer == []


def test_the_dns_can_be_made_to_fail_and_to_recover(standing_edge: edge.Edge) -> None:
    standing_edge.fail_names(["failing.example.test"])
    assert {answer.rcode() for answer in ask(standing_edge, "failing.example.test", "A")} == {
        dns.rcode.SERVFAIL
    }
    standing_edge.fail_names(["failing.example.test"], failing=False)
    assert {answer.rcode() for answer in ask(standing_edge, "failing.example.test", "A")} == {
        dns.rcode.NOERROR
    }
