"""A container of `docker inspect` as a service: its networks, and the names that it reaches and answers to."""

from __future__ import annotations

from typing import Any

import pytest

from lago_acceptance.model.deployment import Service
from lago_acceptance.model.from_docker import observed_service, own_name

OWN = {"Aliases": ["billing-api-1", "api", "short", "661041677a10"], "DNSNames": ["api", "hostname"]}
LINKED = {"Aliases": ["api"], "Links": ["billing-db-1:database", "billing-db-1:billing-db-1"]}


def container(networks: dict[str, Any], **host: Any) -> Service:
    return observed_service(
        {
            "name": "/billing-api-1",
            "image": "getlago/api:v1.16.0",
            "labels": {"com.docker.compose.project": "billing", "com.docker.compose.service": "api"},
            "host": host,
            "networks": networks,
        },
        {},
    )


@pytest.mark.parametrize(
    ("said", "mode"),
    [
        ("billing_default", ""),
        ("dokploy-network", ""),
        ("bridge", ""),
        ("host", "host"),
        ("none", "none"),
        ("container:661041677a10", "container:661041677a10"),
    ],
)
def test_the_name_of_a_network_is_no_network_mode(said, mode):
    assert container({}, NetworkMode=said).network_mode == mode


def test_networks_of_the_project_go_by_the_names_in_its_file():
    assert set(container({"billing_default": {}, "dokploy-network": None}).networks) == {
        "default",
        "dokploy-network",
    }
    assert own_name("billing_default", "") == "billing_default"


def test_a_container_answers_to_its_aliases_and_its_hostname():
    names = ("billing-api-1", "api", "short", "661041677a10", "hostname")
    assert container({"billing_default": OWN}).networks == {"default": names}


def test_extra_hosts_and_links_are_names_that_it_knows():
    service = container({"billing_default": LINKED}, ExtraHosts=["away:10.0.0.1", "six:fe80::1"])
    assert service.extra_hosts == ("database", "billing-db-1", "away", "six")
