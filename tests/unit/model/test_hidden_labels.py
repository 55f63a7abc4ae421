"""The labels of a test stack: nothing that a foreign Traefik obeys, and for the rules what the compose file says."""

from __future__ import annotations

import runpy

import pytest

from lago_acceptance.core.resources import TESTBED
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.from_docker import observed_service
from lago_acceptance.model.hidden_labels import MARK, as_written, hidden

LABELS = {
    "traefik.enable": "true",
    "traefik.http.routers.api.rule": "Host(`a`)",
    "Traefik.HTTP.Routers.b.rule": "Host(`b`)",
    "traefikee.x": "1",
    "lago-acceptance.role": "api",
    "": "",
}


@pytest.mark.parametrize("labels", [LABELS, {}, {"traefik.enable": "false"}, {"app": "x"}])
def test_hidden_labels_are_the_written_ones_again(labels):
    assert as_written(hidden(labels)) == labels


def test_a_foreign_traefik_finds_its_switch_off_and_nothing_else():
    found = {key: value for key, value in hidden(LABELS).items() if key.lower().startswith("traefik.")}
    assert found == {"traefik.enable": "false"}


def test_labels_that_are_not_hidden_are_left_alone():
    labels = {"traefik.enable": "false", "lago-acceptance.traefik.enable": "true"}
    assert as_written(labels) == labels


def test_rules_see_the_written_labels_of_a_test_stack():
    service = declared({"name": "x", "services": {"a": {"image": "i", "labels": hidden(LABELS)}}}).services[0]
    observed = observed_service({"name": "/a", "labels": hidden(LABELS)}, {})
    assert service.labels == observed.labels == LABELS


@pytest.fixture
def view(monkeypatch):
    """The script between the test stack's Traefik and Docker."""
    monkeypatch.setenv("PROJECTS", "mine,mine-gateway")
    return runpy.run_path(str(TESTBED / "edge" / "docker_view.py"))


def test_the_stacks_own_traefik_sees_the_written_labels_of_its_projects_alone(view):
    labels = {"com.docker.compose.project": "mine", **LABELS}
    foreign = hidden({"com.docker.compose.project": "another", **LABELS})
    [seen] = view["view_of_containers"](
        [{"Id": "1", "Labels": hidden(labels)}, {"Labels": foreign}, {"Labels": None}]
    )
    assert seen["Id"] == "1" and {**seen["Labels"]} == labels | {MARK: "hidden"}
    assert (
        view["view_of_container"]({"Config": {"Labels": hidden(labels)}})["Config"]["Labels"][
            "traefik.enable"
        ]
        == "true"
    )
    assert view["view_of_container"]({"Config": {"Labels": foreign}}) is None
