"""How a stack is entered: the way that the file shows, and what its services need for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.derived import derived
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_routing import taken
from lago_acceptance.targets.stack.entrance import LABELS, OWN, PORTS, PROXY_KEY, ROUTES, entrance_of, routes
from tests.support import styles

API, FRONT = "image: getlago/api:v1.16.0", "image: getlago/front:v1.16.0"


def model_of(folder: Path, services: str) -> Model:
    file = folder / "compose.yml"
    file.write_text(f"services:\n{services}", "utf-8")
    return resolve(Project(name="x", files=(file,))).model


def of_style(folder: Path, style: str) -> Model:
    file = styles.write(folder / style, style)
    return resolve(Project(name="x", files=(file,), env_files=(file.parent / ".env",))).model


@pytest.mark.parametrize(
    ("style", "kind"),
    [
        ("ports", PORTS),
        ("traefik", OWN),
        ("caddy", OWN),
        ("nginx", OWN),
        ("host", ROUTES),
        ("tunnel", ROUTES),
    ],
)
def test_each_style_has_its_way(style, kind, tmp_path):
    assert entrance_of(of_style(tmp_path, style), Settings()).kind == kind


def test_labels_for_a_traefik_beside_the_file(tmp_path):
    labels = "labels: {traefik.enable: 'true', traefik.http.routers.a.rule: 'Host(`a.test`)'}"
    model = model_of(tmp_path, f"  api: {{{API}, {labels}}}\n  front: {{{FRONT}}}\n")
    assert entrance_of(model, Settings()).kind == LABELS


def test_a_proxy_that_a_plain_up_does_not_start_is_none_of_the_stack(tmp_path):
    proxy = "  caddy: {image: 'caddy:2', profiles: [tls], ports: ['443:443']}\n"
    urls = "environment: {LAGO_FRONT_URL: 'https://a.test'}"
    model = model_of(tmp_path, f"  api: {{{API}, {urls}}}\n  front: {{{FRONT}}}\n{proxy}")
    assert entrance_of(model, Settings()).kind == ROUTES


def arrivals(folder: Path, front: str, api: str, browser: str) -> dict[str, tuple[str, str]]:
    """By URL: the service that its requests arrive at by the run's own routes, and the path that it gets."""
    model = model_of(
        folder,
        f"  api: {{{API}, environment: {{LAGO_FRONT_URL: '{front}', LAGO_API_URL: '{api}'}}}}\n"
        f"  front: {{{FRONT}, environment: {{API_URL: '{browser}'}}}}\n",
    )
    settings = derived(model, Settings()).settings
    import msgspec

    edge = msgspec.structs.replace(settings.edge, http_entrypoint="web", https_entrypoint="websecure")
    settings = msgspec.structs.replace(settings, edge=edge)
    extras = routes(model, settings, "acme")
    services = tuple(
        msgspec.structs.replace(each, labels=extras[each.name].labels) for each in model.services
    )
    assert all(set(extra.networks) == {PROXY_KEY} for extra in extras.values())
    routed = msgspec.structs.replace(model, services=services)
    asked = {
        f"{front}/": "/",
        f"{api}/health": "/health",
        f"{api}/api/v1/plans": "/api/v1/plans",
        f"{browser}/graphql": "/graphql",
        f"{api}/rails/active_storage/x": "/rails/active_storage/x",
    }
    found = {}
    for url in asked:
        host, _, path = url.removeprefix("https://").partition("/")
        way = taken(routed, host, f"/{path}")
        assert way, url
        found[url] = (way.router.owner.name, way.path)
    assert {url: path for url, (_, path) in found.items()} == asked
    return {url: service for url, (service, _) in found.items()}


@pytest.mark.parametrize(
    ("front", "api", "browser"),
    [
        ("https://a.test", "https://b.test", "https://b.test"),
        ("https://a.test", "https://a.test/api", "https://a.test/api"),
        ("https://a.test", "https://a.test/api", "https://a.test"),
        ("https://a.test", "https://b.test/lago", "https://b.test/lago"),
        ("https://a.test", "https://b.test", "https://c.test"),
    ],
)
def test_each_public_url_is_sent_where_it_belongs(front, api, browser, tmp_path):
    assert arrivals(tmp_path, front, api, browser) == {
        f"{front}/": "front",
        f"{api}/health": "api",
        f"{api}/api/v1/plans": "api",
        f"{browser}/graphql": "api",
        f"{api}/rails/active_storage/x": "api",
    }
