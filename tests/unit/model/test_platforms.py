"""Platforms are recognised by labels and networks, the most particular first."""

from __future__ import annotations

import pytest

from lago_acceptance.core import registry
from lago_acceptance.core.resources import ROOT
from lago_acceptance.model.platforms import platform_of_labels, platforms, platforms_of_labels
from lago_acceptance.rules import rules

COMPOSE, SWARM = "com.docker.compose.project", "com.docker.swarm.service.name"


@pytest.mark.parametrize(
    ("labels", "networks", "names"),
    [
        ({}, ["bridge"], []),
        ({COMPOSE: "lago"}, ["lago_default"], ["Docker Compose"]),
        ({COMPOSE: "lago-ab12cd"}, ["dokploy-network"], ["Dokploy", "Docker Compose"]),
        ({SWARM: "lago-api-x1"}, ["dokploy-network"], ["Dokploy", "Docker Swarm"]),
        ({COMPOSE: "k84gs", "coolify.managed": "true"}, ["k84gs"], ["Coolify", "Docker Compose"]),
        ({COMPOSE: "k84gs", "coolify.managed": "false"}, ["k84gs"], ["Docker Compose"]),
        ({SWARM: "srv-captain--lago-api"}, [], ["CapRover", "Docker Swarm"]),
        (
            {COMPOSE: "lago", f"{COMPOSE}.working_dir": "/data/compose/12"},
            ["lago_default"],
            ["Portainer", "Docker Compose"],
        ),
        ({"com.docker.stack.namespace": "lago", SWARM: "lago_api"}, [], ["Docker Swarm"]),
        ({COMPOSE: "lago", "io.podman.compose.project": "lago"}, [], ["Podman", "Docker Compose"]),
        ({"desktop.docker.io/binds/0/Source": "/home/me"}, [], ["Docker Desktop"]),
        ({"io.kubernetes.pod.name": "lago-api-0"}, [], ["Kubernetes"]),
    ],
)
def test_a_platform_is_recognised_by_what_it_leaves_on_its_containers(labels, networks, names):
    assert [each.name for each in platforms_of_labels(labels, networks)] == names
    first = platform_of_labels(labels, networks)
    assert (first.name if first else None) == (names[0] if names else None)


def test_the_table_names_rules_and_checks_that_exist():
    named = {id for each in platforms() for id in each.not_judged}
    assert named and named <= {*rules(), *(entry for entry in named if registry.known(entry))}
    assert all(
        reason and "." not in reason[-1] for each in platforms() for reason in each.not_judged.values()
    )


def test_a_proxy_of_traefiks_is_described_whole():
    for each in platforms():
        if each.proxy == "Traefik":
            assert each.network and each.http_entrypoint and each.https_entrypoint and each.resolver
        else:
            assert not (each.http_entrypoint or each.https_entrypoint or each.resolver or each.proxy_version)
    assert len({each.name for each in platforms()}) == len(platforms())


def test_the_page_about_platforms_says_what_the_table_says():
    page = (ROOT / "docs" / "platforms.md").read_text()
    rows = {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.startswith("| ")}
    for each in platforms():
        facts = (each.network, each.http_entrypoint, each.https_entrypoint, each.resolver, each.proxy)
        assert [word for word in facts if word not in rows[each.name]] == [], each.name
        assert f"\n## {each.name}\n" in page or f"\n## {each.name} and" in page, each.name
