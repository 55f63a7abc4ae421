"""What a deployment says of itself, for those who have no settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.derived import belongs, derived, given_for, value_of

API, FRONT = "getlago/api:v1.20.0", "getlago/front:v1.20.0"


def of(folder: Path, services: str, given: Settings | None = None):
    """What is derived from a compose file."""
    file = folder / "compose.yml"
    file.write_text(f"services:\n{services}", "utf-8")
    source = load(file, None)
    assert source.written.compose_error == ""
    return derived(source.model, given or Settings())


def values(found) -> dict[str, str]:
    return {each.entry: each.value for each in found.said}


def lago(api: str = "", front: str = "", more: str = "") -> str:
    return f"  api: {{image: '{API}', {api}}}\n  web: {{image: '{FRONT}', {front}}}\n{more}"


def env(**variables: str) -> str:
    inside = ", ".join(f"{name}: '{value}'" for name, value in variables.items())
    return f"environment: {{{inside}}}"


def test_two_names(tmp_path):
    urls = env(LAGO_FRONT_URL="https://bill.acme.io", LAGO_API_URL="https://bill-api.acme.io")
    found = of(tmp_path, lago(urls, env(API_URL="https://bill-api.acme.io")))
    assert values(found) == {
        "deployment.version": "v1.20.0",
        "hosts.front": "https://bill.acme.io",
        "hosts.api": "https://bill-api.acme.io",
        "hosts.browser_api": "https://bill-api.acme.io",
        "edge.proxy": "other",
    }
    assert {each.entry: each.by for each in found.said}["hosts.front"] == "LAGO_FRONT_URL of api"


def test_one_name_with_a_path_and_ports_of_their_own(tmp_path):
    urls = env(LAGO_FRONT_URL="http://10.0.0.7:8081", LAGO_API_URL="http://10.0.0.7:8081/api/")
    found = values(of(tmp_path, lago(urls)))
    assert (found["hosts.front"], found["hosts.api"]) == ("http://10.0.0.7:8081", "http://10.0.0.7:8081/api")
    assert found["edge.proxy"] == "none"


def test_lagos_own_variable_for_a_domain(tmp_path):
    found = values(of(tmp_path, lago(env(LAGO_DOMAIN="acme.io"), env(LAGO_DOMAIN="acme.io"))))
    assert found["hosts.front"] == "https://acme.io"
    assert found["hosts.api"] == found["hosts.browser_api"] == "https://acme.io/api"


def test_where_urls_say_nothing_routers_do_and_then_ports(tmp_path):
    label = (
        "labels: {{traefik.http.routers.a.rule: 'Host(`{}`)', traefik.http.routers.a.entrypoints: secure, "
    )
    label += "traefik.http.routers.a.tls.certresolver: acme}}"
    found = values(of(tmp_path, lago(label.format("api.acme.io"), "ports: ['8090:80']")))
    assert found["hosts.api"] == "api.acme.io" and found["hosts.front"] == "http://localhost:8090"
    assert (found["edge.proxy"], found["edge.https_entrypoint"], found["edge.resolver"]) == (
        "traefik",
        "secure",
        "acme",
    )


def test_a_name_that_only_containers_know_is_not_public(tmp_path):
    found = values(of(tmp_path, lago(env(LAGO_API_URL="http://api:3000"), env(API_URL="https://a.acme.io"))))
    assert "hosts.api" not in found and found["hosts.browser_api"] == "https://a.acme.io"


def test_what_only_the_deploy_knows_is_said_to_be_unclear(tmp_path):
    found = of(tmp_path, lago(env(LAGO_FRONT_URL="https://${SERVICE_FQDN_WEB:?}")))
    assert [each.entry for each in found.unclear] == ["hosts.front"]
    assert "LAGO_FRONT_URL of api" in found.unclear[0].why


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("p: {image: 'traefik:v3.3', ports: ['443:443']}", "traefik"),
        ("p: {image: 'caddy:2-alpine', ports: ['443:443']}", "caddy"),
        ("p: {image: 'lucaslorentz/caddy-docker-proxy:2.9', ports: ['443:443']}", "caddy"),
        ("p: {image: 'nginx:1.27', ports: ['443:443']}", "nginx"),
        ("p: {image: 'jc21/nginx-proxy-manager:2', ports: ['443:443']}", "nginx"),
        ("p: {image: 'nginxproxy/nginx-proxy', ports: ['443:443']}", "nginx-proxy"),
        ("p: {image: 'cloudflare/cloudflared:2025.1.0'}", "cloudflare-tunnel"),
        ("p: {image: 'haproxy:3', ports: ['443:443']}", "other"),
        ("p: {image: 'nginx:1', ports: ['443:443']}\n  q: {image: 'cloudflare/cloudflared'}", "nginx"),
    ],
)
def test_the_proxy_in_the_file(service, kind, tmp_path):
    found = of(tmp_path, lago(env(LAGO_FRONT_URL="https://bill.acme.io"), more=f"  {service}\n"))
    assert values(found)["edge.proxy"] == kind


@pytest.mark.parametrize(
    ("front", "kind"),
    [
        ("labels: {caddy: bill.acme.io}", "caddy"),
        ("environment: {VIRTUAL_HOST: bill.acme.io}", "nginx-proxy"),
        ("labels: {traefik.enable: 'true'}", "traefik"),
        ("environment: {API_URL: 'http://localhost:3000'}", "none"),
        ("environment: {API_URL: 'https://bill.acme.io'}", "other"),
    ],
)
def test_the_proxy_beside_the_file(front, kind, tmp_path):
    assert values(of(tmp_path, lago(front=front)))["edge.proxy"] == kind


def test_what_is_given_comes_first(tmp_path):
    given = Settings()
    given = type(given)(
        hosts=type(given.hosts)(front="https://other.acme.io"), edge=type(given.edge)(proxy="caddy")
    )
    found = of(tmp_path, lago(env(LAGO_FRONT_URL="https://bill.acme.io")), given)
    assert value_of(found.settings, "hosts.front") == "https://other.acme.io"
    assert {each.by for each in found.said if each.entry == "hosts.front"} == {"the settings"}
    assert found.settings.edge.proxy == "caddy"


def test_a_file_that_nobody_named_is_left_out_for_other_deployments(tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text('[hosts]\nfront = "bill.acme.io"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own.yml"
    own.write_text(f"services:\n{lago(env(LAGO_FRONT_URL='https://bill.acme.io'))}", "utf-8")
    other = tmp_path / "other.yml"
    other.write_text(f"services:\n{lago(env(LAGO_FRONT_URL='https://bill.umbrella.io'))}", "utf-8")
    settings, remark = given_for(None, load(own, None).model)
    assert settings.hosts.front == "bill.acme.io" and not remark
    assert belongs(settings, load(own, None).model) and not belongs(settings, load(other, None).model)
    settings, remark = given_for(None, load(other, None).model)
    assert settings == Settings() and "another deployment" in remark and "acme" not in remark
    settings, remark = given_for(tmp_path / "settings.toml", load(other, None).model)
    assert settings.hosts.front == "bill.acme.io" and not remark
