"""What the shipped compose file is written for, seen on a stack: jobs survive a stop of the worker, another project's
containers of the same names are not Lago's stores, and pages for operators are closed to the internet. Each also without
what the file does about it.
"""

from __future__ import annotations

import secrets
import socket
import ssl
from collections import Counter
from collections.abc import Iterator

import pytest

from lago_acceptance.checks import stores, worker
from lago_acceptance.checks.edge.open_ports import jobs_are_closed
from lago_acceptance.core.roles import API, DB, WORKER
from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from lago_acceptance.model.hidden_labels import hidden
from lago_acceptance.probes.survey import survey
from tests.support.billing_stack import ids
from tests.support.containers import Container, docker, running
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]

# Answers no first request on a path, and every other at once. Prints the path and the webhook's key of each.
RECEIVER = """
import http.server, time
seen = set()
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, self.headers["X-Lago-Unique-Key"], flush=True)
        if self.path not in seen:
            seen.add(self.path)
            time.sleep(600)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("", 8000), Receiver).serve_forever()
"""
STOCK = "./scripts/start.worker.sh"


@pytest.fixture(scope="module")
def receiver(world) -> Iterator[Container]:
    (network,) = world.stack.observe().running(WORKER).addresses
    image = resolve.stand_in("redis")
    with running(image, "python3", "-c", RECEIVER, options=(f"--network={network}",)) as container:
        yield container


def requests(receiver: Container, path: str) -> Counter[str]:
    """How often each webhook came on a path."""
    lines = (line.split() for line in receiver.logs().splitlines())
    return Counter(key for at, key in lines if at == path)


def new_customer(world) -> None:
    external = f"customer-{secrets.token_hex(4)}"
    world.lago.create("customers", "customer", {"external_id": external, "name": external})


def stopped_in_a_webhook(world, receiver: Container, path: str) -> str:
    """Stop the worker while a webhook waits for its receiver, and start it again; the webhook's key."""
    endpoint = {"webhook_url": f"http://{receiver.name}:8000{path}"}
    world.lago.create("webhook_endpoints", "webhook_endpoint", endpoint)
    new_customer(world)
    assert until(lambda: requests(receiver, path), PATIENCE)
    docker("stop", world.container("lago-worker"))
    return next(iter(requests(receiver, path)))


def exit_code(world, service: str) -> int:
    return int(docker("inspect", "--format", "{{.State.ExitCode}}", world.container(service)))


def status(world, webhook: str) -> str:
    """A webhook's status in Lago's database: 0 is waiting, 1 sent, 2 failed."""
    database = world.stack.observe().running(DB)
    query = f"SELECT status FROM webhooks WHERE id = '{webhook}'"
    return docker("exec", database.id, "psql", "-qAt", "-U", "lago", "-d", "lago", "-c", query)


def test_a_webhook_in_flight_is_sent_after_a_stop(world, receiver):
    webhook = stopped_in_a_webhook(world, receiver, "/shipped")
    assert exit_code(world, "lago-worker") == 0
    docker("start", world.container("lago-worker"))
    assert until(lambda: requests(receiver, "/shipped")[webhook] == 2, PATIENCE)
    assert until(lambda: status(world, webhook) == "1", PATIENCE)
    assert list(worker.ends_when_it_is_stopped(world.stack.observe())) == []


@pytest.mark.exhaustive
def test_below_the_stock_script_it_is_lost(world, receiver):
    with world.overridden("lago-worker", command=[STOCK]):
        assert ids(worker.ends_when_it_is_stopped(world.stack.observe())) == {"jobs-lost-at-stop"}
        webhook = stopped_in_a_webhook(world, receiver, "/stock")
        assert exit_code(world, "lago-worker") == 137
        docker("start", world.container("lago-worker"))
        new_customer(world)
        assert until(lambda: len(requests(receiver, "/stock")) == 2, PATIENCE), "another webhook is sent"
        assert requests(receiver, "/stock")[webhook] == 1 and status(world, webhook) == "0"


def test_api_and_clock_end_before_they_are_killed(world):
    services = ("lago-api", "lago-clock")
    with world.stopped(*services, by="stop"):
        assert 137 not in {exit_code(world, each) for each in services}


@pytest.fixture
def stranger(world) -> Iterator[Container]:
    """Another project's Redis, which has the names of Lago's stores on a network that the API is on too."""
    options = [f"--network={world.stack.network('gateway')}"]
    options += [f"--network-alias=lago-{name}" for name in ("db", "redis", "pdf")]
    with running(
        resolve.stand_in("redis"), "redis-server", "--bind", "0.0.0.0", options=tuple(options)
    ) as box:
        yield box


def test_a_stranger_of_the_same_names_is_not_reached(world, stranger):
    facts = world.stack.observe()
    assert list(stores.names_are_the_deployments_own(facts)) == []
    found = facts.process(facts.running(API)).addresses
    assert set(found) == {f"lago-{name}.internal" for name in ("db", "redis", "pdf")}
    assert all(len(addresses) == 1 for addresses in found.values())


def test_by_the_services_names_it_is(world, stranger):
    with world.overridden("lago-api", environment={"LAGO_REDIS_CACHE_URL": "redis://lago-redis:6379/1"}):
        (found,) = stores.names_are_the_deployments_own(world.stack.observe())
        assert found.id in ("store-name-elsewhere", "store-name-ambiguous")
        assert stranger.name in found.problem and found.service == "lago-api"


# Lago mounts Sidekiq's pages with this variable; some versions do without.
OPEN = {"LAGO_SIDEKIQ_WEB": "true"}
SPELLINGS = (
    "/sidekiq",
    "/sidekiq/",
    "/sidekiq/queues",
    "//sidekiq",
    "/%73idekiq",
    "/x/../sidekiq",
    "/metrics",
)


def answer(world, path: str) -> int:
    """The status with which the API's public name answers a path, sent as it is."""
    view = world.stack.public_view()
    host = view.hosts[API]
    trusting = ssl._create_unverified_context()
    with (
        socket.create_connection((view.origin, 443), 10) as plain,
        trusting.wrap_socket(plain, server_hostname=host) as secured,
    ):
        secured.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return int(secured.makefile("rb").readline().split()[1])


def test_pages_for_operators_are_closed_to_the_internet(world):
    with world.overridden("lago-api", environment=OPEN):
        api = Container(world.container("lago-api"))
        inside = api.execute("curl", "-s", "http://127.0.0.1:3000/sidekiq").stdout
        assert "<title>[PRODUCTION] Sidekiq</title>" in inside
        assert jobs_are_closed(survey(world.stack.public_view(), ()), API) == []
        assert {path: answer(world, path) for path in SPELLINGS} == {path: 404 for path in SPELLINGS}
        assert answer(world, "/health") == 200


def test_without_the_router_they_are_open(world):
    labels = hidden({"traefik.http.routers.lago-api-not-public.rule": "Host(`elsewhere.example`)"})
    with world.overridden("lago-api", environment=OPEN, labels=labels):
        assert until(lambda: answer(world, "/sidekiq") == 200, PATIENCE)
        assert ids(jobs_are_closed(survey(world.stack.public_view(), ()), API)) == {"sidekiq-web-open"}
