"""A proxy of the file under test gets the run's certificate authority, and is otherwise as the file has it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.model.front_proxy import kind_of
from lago_acceptance.targets.stack import edge
from lago_acceptance.targets.stack.mounts import Places
from lago_acceptance.targets.stack.own_proxy import (
    DIRECTORY,
    EDGE_KEY,
    PLACEHOLDER,
    OwnProxy,
    own_proxy,
    with_address,
)


@pytest.fixture
def adapt(tmp_path: Path):
    """Call it with a service's options and the files beside the compose file: what is added to the service."""
    (tmp_path / "project").mkdir()
    folder = tmp_path / "private" / "edge"
    edge.prepare(folder, ["pay.meter.test"])

    def adapted(service: dict[str, object], **files: str) -> OwnProxy:
        for name, text in files.items():
            (tmp_path / "project" / name).write_text(text, "utf-8")
        file = tmp_path / "project" / "compose.yml"
        file.write_text(yaml.safe_dump({"services": {"proxy": service}}), "utf-8")
        model = resolve(Project(name="x", files=(file,))).model
        (found,) = model.services
        places = Places(tmp_path / "project", tmp_path / "private")
        return own_proxy(kind_of(found.image), found, model, places, folder)

    return adapted


def copied(made: OwnProxy, target: str) -> str:
    """The text that a path of the container gets."""
    return next(Path(each["source"]).read_text() for each in made.extra.mounts if each["target"] == target)


TLS = "--certificatesresolvers.le.acme.tlschallenge=true"


def test_a_traefik_by_flags(adapt):
    made = adapt(
        {
            "image": "traefik:v3.3",
            "command": [
                "--entrypoints.secure.address=:443",
                TLS,
                "--certificatesResolvers.le.acme.caServer=https://staging.example/dir",
                "--certificatesresolvers.le.acme.storage=/letsencrypt/acme.json",
            ],
        }
    )
    words = made.extra.command
    assert words[:2] == ("--entrypoints.secure.address=:443", TLS)
    assert f"--certificatesresolvers.le.acme.caserver={DIRECTORY}" in words
    assert not [word for word in words if "staging" in word or "/letsencrypt" in word]
    assert made.extra.environment["LEGO_CA_CERTIFICATES"] in [each["target"] for each in made.extra.mounts]
    assert list(made.extra.networks) == [EDGE_KEY] and "authority" in made.told[0]


def test_a_challenge_by_dns_becomes_one_that_can_be_answered_here(adapt):
    made = adapt(
        {
            "image": "traefik:v3.3",
            "command": [
                "--certificatesresolvers.le.acme.dnschallenge.provider=cloudflare",
                "--certificatesresolvers.le.acme.storage=/acme.json",
            ],
        }
    )
    assert TLS in made.extra.command and not [each for each in made.extra.command if "dnschallenge" in each]
    assert "instead of DNS" in made.told[0]


def test_a_traefik_by_variables(adapt):
    made = adapt(
        {
            "image": "traefik:v3.3",
            "environment": {"TRAEFIK_CERTIFICATESRESOLVERS_LE_ACME_TLSCHALLENGE": "true"},
        }
    )
    assert made.extra.environment["TRAEFIK_CERTIFICATESRESOLVERS_LE_ACME_CASERVER"] == DIRECTORY
    assert made.extra.command is None


YAML = """
entryPoints: {secure: {address: ":443"}}
certificatesResolvers:
  le:
    acme:
      email: owner@example.test
      caServer: https://staging.example/dir
      dnsChallenge: {provider: cloudflare}
"""
TOML = """
[entryPoints.secure]
address = ":443"
[certificatesResolvers.le.acme]
email = "owner@example.test"
caServer = "https://staging.example/dir"
storage = "acme.json"
[certificatesResolvers.le.acme.dnsChallenge]
provider = "cloudflare"
"""


def test_a_traefik_by_a_yaml_file(adapt):
    target = "/etc/traefik/traefik.yml"
    made = adapt({"image": "traefik:v3.3", "volumes": [f"./t.yml:{target}:ro"]}, **{"t.yml": YAML})
    document = yaml.safe_load(copied(made, target))
    acme = document["certificatesResolvers"]["le"]["acme"]
    assert acme["caServer"] == DIRECTORY and acme["email"] == "owner@example.test" and "tlsChallenge" in acme
    assert "dnsChallenge" not in acme and document["entryPoints"] == {"secure": {"address": ":443"}}


def test_a_traefik_by_a_toml_file(adapt):
    target = "/etc/traefik/traefik.toml"
    made = adapt({"image": "traefik:v3.3", "volumes": [f"./t.toml:{target}:ro"]}, **{"t.toml": TOML})
    document = tomllib.loads(copied(made, target))
    acme = document["certificatesResolvers"]["le"]["acme"]
    assert acme["caServer"] == DIRECTORY and "tlsChallenge" in acme and "dnsChallenge" not in acme
    assert document["entryPoints"] == {"secure": {"address": ":443"}}


def test_a_traefik_without_an_authority_is_left_alone(adapt):
    made = adapt({"image": "traefik:v3.3", "command": ["--entrypoints.web.address=:80"]})
    assert made.extra.command is None and not made.extra.mounts and not made.told


SITE = "pay.meter.test {\n\treverse_proxy front:80\n}\n"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (SITE, SITE),
        (f"# remark\n\n{{\n\temail a@meter.test\n}}\n{SITE}", "email a@meter.test"),
        (f"{{\n\tacme_ca https://staging.example/dir\n}}\n{SITE}", SITE),
        (SITE.replace("\treverse", "\ttls {\n\t\tdns cloudflare xyz\n\t}\n\treverse"), "tls {"),
    ],
)
def test_a_caddy(written, kept, adapt):
    target = "/etc/caddy/Caddyfile"
    made = adapt({"image": "caddy:2", "volumes": [f"./Caddyfile:{target}"]}, Caddyfile=written)
    text = copied(made, target)
    assert text.count("acme_ca ") == 1 and f"acme_ca {DIRECTORY}" in text and kept in text
    assert "staging" not in text and "cloudflare" not in text


def test_a_caddy_that_is_told_where_its_file_is(adapt):
    service = {
        "image": "caddy:2",
        "command": ["caddy", "run", "--config", "/srv/c"],
        "volumes": ["./c:/srv/c:ro"],
    }
    assert DIRECTORY in copied(adapt(service, c=SITE), "/srv/c")


SERVER = """
server {
    listen 443 ssl;
    ssl_certificate /etc/ssl/own/${NAME}.pem;
    ssl_certificate_key "/etc/ssl/own/key.pem";
}
"""


def test_an_nginx_gets_certificates_of_the_run(adapt):
    target = "/etc/nginx/templates/default.conf.template"
    made = adapt(
        {"image": "nginx:1", "volumes": [f"./n.conf:{target}:ro"], "environment": {"NAME": "pay"}},
        **{"n.conf": SERVER},
    )
    targets = {each["target"]: Path(each["source"]).name for each in made.extra.mounts}
    assert targets == {"/etc/ssl/own/pay.pem": edge.CERTIFICATE, "/etc/ssl/own/key.pem": edge.KEY}
    assert made.own_certificates


def test_docker_makes_no_certificate_in_the_projects_own_folder(adapt, tmp_path):
    (tmp_path / "project" / "tls").mkdir()
    (tmp_path / "project" / "tls" / "options.conf").write_text("ssl_protocols TLSv1.3;\n")
    made = adapt(
        {
            "image": "nginx:1",
            "volumes": ["./n.conf:/etc/nginx/conf.d/default.conf:ro", "./tls:/etc/ssl/own:ro"],
        },
        **{"n.conf": SERVER.replace("${NAME}", "pay")},
    )
    (mount,) = made.extra.mounts
    assert mount["target"] == "/etc/ssl/own"
    assert {each.name for each in Path(mount["source"]).iterdir()} == {"options.conf", "pay.pem", "key.pem"}
    assert [each.name for each in (tmp_path / "project" / "tls").iterdir()] == ["options.conf"]


def test_no_link_of_the_project_is_followed_or_written_through(adapt, tmp_path):
    outside = tmp_path / "outside.pem"
    outside.write_text("of the host")
    folder = tmp_path / "project" / "tls"
    folder.mkdir()
    (folder / "pay.pem").symlink_to(outside)
    (folder / "other").symlink_to(tmp_path)
    made = adapt(
        {
            "image": "nginx:1",
            "volumes": ["./n.conf:/etc/nginx/conf.d/default.conf:ro", "./tls:/etc/ssl/own:ro"],
        },
        **{"n.conf": SERVER.replace("${NAME}", "pay")},
    )
    (mount,) = made.extra.mounts
    assert {each.name for each in Path(mount["source"]).iterdir()} == {"pay.pem", "key.pem"}
    assert outside.read_text() == "of the host"


def test_a_proxy_that_is_not_known_gets_the_network_alone(adapt):
    made = adapt({"image": "haproxy:3"})
    assert list(made.extra.networks) == [EDGE_KEY] and not made.extra.mounts and not made.told


def test_the_address_is_set_when_the_network_is_there(tmp_path):
    file = tmp_path / "compose.yml"
    file.write_text(
        "services: {p: {image: i, networks: {own: {ipv4_address: '${LAGO_ACCEPTANCE_PROXY_ADDRESS}'}}}}\n"
        "networks: {own: {}}\n"
    )
    project = with_address(Project(name="x", files=(file,)), PLACEHOLDER)
    made = with_address(resolve(project), "172.30.255.254").document
    assert made["services"]["p"]["networks"]["own"]["ipv4_address"] == "172.30.255.254"
