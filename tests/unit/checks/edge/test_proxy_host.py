"""A Traefik that Docker refuses, and a file of certificates that Traefik refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lago_acceptance.checks.edge import proxy_host
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.host_state import CertificateStore, Engine
from lago_acceptance.facts.sections import certificate_stores as section
from lago_acceptance.facts.sections import engine as engine_section
from lago_acceptance.model.deployment import Service
from tests.support.facts import container, facts, ids
from tests.support.patience import PATIENCE
from tests.support.pretended_host import SHELLS

DOCKER_29, DOCKER_28 = Engine("29.0.1", "1.44"), Engine("28.5.0", "1.24")
ROUTED = container(
    "api",
    service=Service(name="lago-api", image="", role="api", labels={"traefik.enable": "true"}),
    addresses={"proxy": "10.0.0.2"},
)


def proxy(image: str, network: str = "proxy", **labels: str):
    service = Service(name="traefik", image=image, role="proxy", labels=labels)
    return container(
        "proxy", id=image, name="dokploy-traefik", service=service, addresses={network: "10.0.0.9"}
    )


@pytest.mark.parametrize(
    ("image", "engine", "red"),
    [
        ("traefik:v3.5.0", DOCKER_29, True),
        ("traefik:v3.6.0", DOCKER_29, True),
        ("traefik:v3.6.1", DOCKER_29, False),
        ("traefik:2.11.30", DOCKER_29, True),
        ("traefik:2.11.31", DOCKER_29, False),
        ("traefik:v1.7.34", DOCKER_29, True),
        ("traefik:v4.0.0", DOCKER_29, False),
        ("traefik:latest", DOCKER_29, False),
        ("traefik:v3.5", DOCKER_29, False),
        ("traefik:v3.5.0", DOCKER_28, False),
        ("traefik:v3.5.0", Engine("20.10.24", "1.12"), False),
    ],
)
def test_a_traefik_that_is_too_old(image, engine, red):
    found = list(proxy_host.proxy_speaks_with_docker(facts(ROUTED, others=(proxy(image),), engine=engine)))
    assert ids(found) == (["traefik-too-old"] if red else [])
    assert not red or ("Docker 29.0.1 speaks 1.44" in found[0].problem and "min-api-version" in found[0].fix)


def test_the_images_label_knows_the_version_best():
    told = {"org.opencontainers.image.version": "v3.5.3"}
    old = proxy("traefik@sha256:" + "a" * 64, **told)
    assert ids(proxy_host.proxy_speaks_with_docker(facts(ROUTED, others=(old,), engine=DOCKER_29)))
    away = proxy("traefik:v3.5.0", network="elsewhere")
    near = proxy("traefik:v3.6.9")
    assert not ids(proxy_host.proxy_speaks_with_docker(facts(ROUTED, others=(away, near), engine=DOCKER_29)))
    with pytest.raises(Unknown, match="which API versions"):
        list(proxy_host.proxy_speaks_with_docker(facts(ROUTED, others=(old,))))
    assert not ids(proxy_host.proxy_speaks_with_docker(facts(ROUTED)))
    assert not ids(proxy_host.proxy_speaks_with_docker(facts(container("api"), others=(old,))))


@pytest.mark.parametrize(
    ("text", "found"),
    [("29.0.1 1.44\n", DOCKER_29), ("", None), ("29.0.1 <no value>\n", None), ("Cannot connect", None)],
)
def test_what_docker_says_of_itself(text, found):
    assert engine_section.engine(text) == found


def stores(mounts: list[Path], shell: str = "dash") -> tuple[CertificateStore, ...]:
    listed = "\n".join(map(str, mounts))
    ended = subprocess.run(
        [*shell.split(), "-c", f"export LC_ALL=C\ntab='\t'\nproxy_mounts='{listed}\n'\n{section._SHELL}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return section.certificate_stores(ended.stdout)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_file_of_certificates(tmp_path: Path, shell):
    folder = tmp_path / "etc traefik"
    (folder / "dynamic").mkdir(parents=True)
    file = folder / "dynamic" / "acme.json"
    file.write_text("{}")
    file.chmod(0o600)
    (folder / "traefik.yml").write_text("")
    assert stores([folder, file, folder / "traefik.yml"], shell) == (
        CertificateStore(str(file), "600", "file"),
    )
    assert (
        list(proxy_host.proxy_accepts_its_certificate_file(facts(certificate_stores=stores([folder])))) == []
    )
    file.chmod(0o644)
    (one,) = proxy_host.proxy_accepts_its_certificate_file(
        facts(others=(proxy("traefik:v3"),), certificate_stores=stores([folder], shell))
    )
    assert one.id == "acme-file-refused" and "mode 644" in one.problem
    assert one.fix == f"chmod 600 '{file}', then: docker restart dokploy-traefik"


@pytest.mark.parametrize(
    ("mode", "red"), [("600", False), ("400", False), ("640", True), ("604", True), ("-", False)]
)
def test_only_its_owner_may_read_it(mode, red):
    seen = facts(certificate_stores=(CertificateStore("/etc/acme.json", mode, "file"),))
    assert bool(ids(proxy_host.proxy_accepts_its_certificate_file(seen))) is red


def test_a_folder_in_the_files_place(tmp_path: Path):
    (tmp_path / "acme.json").mkdir()
    (one,) = proxy_host.proxy_accepts_its_certificate_file(
        facts(certificate_stores=stores([tmp_path / "acme.json"]))
    )
    assert "is a folder" in one.problem and "rmdir" in one.fix


def test_what_may_not_be_looked_into_is_unknown(tmp_path: Path):
    assert stores([tmp_path / "absent"]) == (CertificateStore(str(tmp_path / "absent"), "-", "closed"),)
    closed = facts(certificate_stores=(CertificateStore("/etc/dokploy/traefik", "-", "closed"),))
    with pytest.raises(Unknown, match="/etc/dokploy/traefik"):
        list(proxy_host.proxy_accepts_its_certificate_file(closed))
