"""What the overlay takes away is judged nevertheless: a stack must not make a file look better than it is."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.roles import API
from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.rules.exposure import docker_socket_mounted, privileged_container
from lago_acceptance.targets.stack.observation import as_written
from tests.support.facts import SETTINGS, container, facts

SOCKET = Mount("bind", "/var/run/docker.sock", "/var/run/docker.sock", True)
KEY = Mount("bind", "/p/key.pem", "/run/key.pem")
DATA = Mount("bind", "/p/data", "/data")
VOLUME = Mount("volume", "x_folder-0", "/data")
WRITTEN = Service(
    name="lago-api", image="i", role=API, privileged=True, network_mode="host", mounts=(SOCKET, KEY, DATA)
)
STARTED = Service(
    name="lago-api", image="i", role=API, mounts=(msgspec.structs.replace(KEY, read_only=True), VOLUME)
)


def model(service: Service) -> Model:
    return Model(observed=False, project="x", services=(service,))


def judged(written: Service, started: Service):
    """The facts of a container that runs as it was started."""
    return as_written(facts(container(API, service=started)), model(written), model(started))


def test_privileges_namespaces_and_sockets_are_red_on_a_stack():
    found = judged(WRITTEN, STARTED).model()
    for rule in (privileged_container, docker_socket_mounted):
        assert list(rule(found, SETTINGS))
    assert found.services[0].network_mode == "host"


def test_a_key_that_may_be_written_to_is_seen_as_such():
    (service,) = judged(WRITTEN, STARTED).model().services
    assert not service.mount_at("/run/key.pem").read_only


def test_data_stay_where_they_are():
    (service,) = judged(WRITTEN, STARTED).model().services
    assert service.mount_at("/data") == VOLUME


def test_what_was_not_changed_is_what_was_observed():
    seen = facts(container(API, service=STARTED))
    assert as_written(seen, model(STARTED), model(STARTED)) == seen
    assert as_written(seen, model(msgspec.structs.replace(WRITTEN, name="other")), model(STARTED)) == seen


def test_what_is_declared_is_compared_as_it_is_written_too():
    seen = facts(container(API, service=STARTED), declaration=model(STARTED))
    found = as_written(seen, model(WRITTEN), model(STARTED))
    assert found.declaration.services == found.model().services


def test_what_a_run_adds_to_a_proxy_is_not_the_files():
    written = Service(
        name="edge",
        image="i",
        role="proxy",
        command=("--a",),
        networks={"default": ()},
        environment={"A": "1"},
    )
    started = msgspec.structs.replace(
        written,
        command=("--a", "--b"),
        networks={"default": (), "run-edge": ()},
        environment={"A": "1", "B": "2"},
        labels={"traefik.http.routers.own.rule": "x"},
        mounts=(Mount("bind", "/run/ca.pem", "/ca.pem"),),
    )
    seen = as_written(facts(container("proxy", service=started)), model(written), model(started))
    assert seen.model().services == (written,)
    named = as_written(
        facts(container("proxy", service=started)),
        model(written),
        model(msgspec.structs.replace(started, networks={"default": ()})),
        frozenset({"run-edge"}),
    )
    assert named.model().services == (written,)
