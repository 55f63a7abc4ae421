"""What a proxy of a test stack sees of Docker through testbed/edge/docker_view.py: this run's, and nothing to change."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import importlib.util
import json
import os
import shutil
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lago_acceptance.core.resources import TESTBED
from lago_acceptance.core.run import PREFIX, RUN_LABEL
from lago_acceptance.model.hidden_labels import hidden

PROJECT = f"{PREFIX}20260101-000000-abcdef"
OWN = {"com.docker.compose.project": PROJECT, "traefik.enable": "true"}
OTHER = {"com.docker.compose.project": "shop", "traefik.enable": "true"}
NETWORKS = [
    {"Id": "n1", "Name": f"{PROJECT}_default", "Labels": {"com.docker.compose.project": PROJECT}},
    {"Id": "n2", "Name": f"{PROJECT}-web", "Labels": {RUN_LABEL: PROJECT.removeprefix(PREFIX)}},
    {"Id": "n3", "Name": "bridge", "Labels": {}},
    {"Id": "n4", "Name": "shop_default", "Labels": {"com.docker.compose.project": "shop"}},
    {"Id": "n5", "Name": "web", "Labels": {RUN_LABEL: "20260101-000000-fedcba"}},
]


def inspected(identity: str, labels: dict[str, str]) -> dict:
    network = f"{PROJECT}-web"
    return {
        "Id": identity,
        "Config": {"Labels": labels, "Image": "i"},
        "HostConfig": {"NetworkMode": network},
        "NetworkSettings": {"Networks": {network: {"NetworkID": "n2"}, "bridge": {}}, "Ports": {}},
    }


def event(kind: str, identity: str, **attributes: str) -> dict:
    return {"Type": kind, "Action": "start", "Actor": {"ID": identity, "Attributes": attributes}}


EVENTS = [
    event("container", "own", **hidden(OWN)),
    event("container", "other", **OTHER),
    event("network", "n2", container="own"),
    event("network", "n4", container="other"),
    event("network", "gone"),
    event("image", "i", **OWN),
    event("volume", "v"),
]
DOCUMENTS = {
    "/_ping": "OK",
    "/version": {"ApiVersion": "1.54"},
    "/info": {
        "Name": "host",
        "NCPU": 2,
        "Containers": 9,
        "Swarm": {"LocalNodeState": "active"},
        "OSType": "linux",
    },
    "/containers/json": [{"Id": "own", "Labels": hidden(OWN)}, {"Id": "other", "Labels": OTHER}, {"Id": "x"}],
    "/containers/own/json": inspected("own", hidden(OWN)),
    "/containers/other/json": inspected("other", OTHER),
    "/networks": NETWORKS,
    **{
        f"/networks/{each[key]}": {**each, "Containers": {"own": {"Name": "a"}, "other": {"Name": "b"}}}
        for each in NETWORKS
        for key in ("Id", "Name")
    },
    "/images/json": [{"Id": "i"}],
    "/containers/own/logs": "a log",
}


class Daemon(http.server.BaseHTTPRequestHandler):
    """Answers as Docker's daemon; what it was asked is in ``asked``."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.asked.append((self.command, self.path))
        path = self.path.partition("?")[0].removeprefix("/v1.24")
        if path == "/events" and "refused" not in self.path:
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                self.wfile.writelines(json.dumps(each).encode() + b"\n" for each in EVENTS)
            return
        found = DOCUMENTS.get(path, {"message": "no such thing"})
        body = found.encode() if isinstance(found, str) else json.dumps(found).encode()
        self.send_response(200 if path in DOCUMENTS else 400 if path == "/events" else 404)
        self.send_header("Api-Version", "1.54")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_DELETE = do_HEAD = do_GET

    def log_message(self, *arguments: object) -> None:
        """Not to the tests' output."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path: Path):
        super().__init__("docker", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Seen:
    """The view's socket, and what reached the daemon behind it."""

    def __init__(self, path: Path, asked: list[tuple[str, str]]):
        self.path, self.asked = path, asked

    def ask(
        self, path: str, verb: str = "GET", body: bytes | None = None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        connection = Connection(self.path)
        try:
            connection.request(verb, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def document(self, path: str):
        status, _, text = self.ask(path)
        assert status == 200, text
        return json.loads(text)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a name that is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="view-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch, folder: Path) -> ModuleType:
    """The program, for one project and a daemon at a path of its own."""
    monkeypatch.setenv("PROJECTS", f"{PROJECT},{PROJECT}-gateway")
    spec = importlib.util.spec_from_file_location("docker_view", TESTBED / "edge" / "docker_view.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DAEMON", str(folder / "daemon.sock"))
    return module


@pytest.fixture
def seen(view: ModuleType, folder: Path) -> Iterator[Seen]:
    handler = type("Handler", (Daemon,), {"asked": []})
    servers = (
        view.SocketServer(str(folder / "daemon.sock"), handler),
        view.at_socket(str(folder / "docker.sock")),
    )
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Seen(folder / "docker.sock", handler.asked)
    for server in servers:
        server.shutdown()
        server.server_close()


def test_containers_of_the_run_are_seen_with_their_written_labels(seen: Seen):
    [only] = seen.document("/v1.24/containers/json?all=1&limit=0")
    assert only["Id"] == "own" and only["Labels"]["traefik.enable"] == "true"
    assert seen.asked == [("GET", "/v1.24/containers/json?all=1&limit=0")]
    found = seen.document("/v1.24/containers/own/json")
    assert found["Config"]["Labels"]["traefik.enable"] == "true" and found["Config"]["Image"] == "i"


@pytest.mark.parametrize("path", ["/containers/other/json", "/networks/n3", "/networks/n4", "/networks/n5"])
def test_what_is_not_of_the_run_is_not_there(seen: Seen, path: str):
    status, headers, text = seen.ask(path)
    kind = "container" if "containers" in path else "network"
    assert (status, json.loads(text)) == (404, {"message": f"No such {kind}"})
    assert headers["Api-Version"] == "1.54"


def test_networks_of_the_run_are_seen_without_the_neighbours_on_them(seen: Seen):
    assert [each["Id"] for each in seen.document("/v1.24/networks")] == ["n1", "n2"]
    for network in ("n1", "n2"):
        assert seen.document(f"/networks/{network}")["Containers"] == {"own": {"Name": "a"}}


def test_networks_have_their_written_names(view: ModuleType, seen: Seen, monkeypatch: pytest.MonkeyPatch):
    own = f"{PROJECT}-web"
    assert list(seen.document("/containers/own/json")["NetworkSettings"]["Networks"]) == [own, "bridge"]
    monkeypatch.setattr(view, "NETWORKS", {own: "web", f"{PROJECT}-other": "other"})
    container = seen.document("/containers/own/json")
    assert container["NetworkSettings"] == {
        "Networks": {"web": {"NetworkID": "n2"}, "bridge": {}},
        "Ports": {},
    }
    assert container["HostConfig"]["NetworkMode"] == "web"
    assert [each["Name"] for each in seen.document("/networks")] == [f"{PROJECT}_default", "web"]
    # By name, although somebody else's network is called so, and by id.
    assert [seen.document(f"/v1.24/networks/{each}")["Id"] for each in ("web", "n2")] == ["n2", "n2"]
    labels = {"traefik.docker.network": own, "note": own}
    assert view.as_written(hidden(labels))["traefik.docker.network"] == "web"
    assert view.as_written(hidden(labels))["note"] == own


def test_names_of_networks_come_from_the_environment(view: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NETWORKS", "run-web=web,run_default=shop_default")
    view.__loader__.exec_module(view)
    assert view.NETWORKS == {"run-web": "web", "run_default": "shop_default"}


def test_events_of_the_run_are_seen(seen: Seen):
    status, _, text = seen.ask("/events?filters=%7B%7D")
    events = [json.loads(line) for line in text.splitlines()]
    assert status == 200 and [(each["Type"], each["Actor"]["ID"]) for each in events] == [
        ("container", "own"),
        ("network", "n2"),
    ]
    assert events[0]["Actor"]["Attributes"]["traefik.enable"] == "true"


def test_what_the_daemon_refuses_is_passed_on(seen: Seen):
    status, _, text = seen.ask("/events?refused")
    assert (status, json.loads(text)) == (400, {"message": "no such thing"})
    assert seen.ask("/containers/gone/json")[0] == 404


def test_the_daemon_is_told_as_far_as_a_program_adapts_to_it(seen: Seen):
    assert seen.document("/info") == {"NCPU": 2, "OSType": "linux", "Swarm": {"LocalNodeState": "inactive"}}
    assert seen.document("/version") == {"ApiVersion": "1.54"}
    assert seen.ask("/_ping")[2] == "OK"


@pytest.mark.parametrize("path", ["/_ping", "/v1.24/containers/json", "/events"])
def test_a_head_request_has_headers_alone(seen: Seen, path: str):
    status, headers, text = seen.ask(path, "HEAD")
    assert (status, text) == (200, "") and (path == "/events" or headers["Api-Version"] == "1.54")


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/images/json"),
        ("GET", "/containers/own/logs"),
        ("GET", "/containers/own/archive?path=/"),
        ("GET", "/containers/../images/json"),
        ("GET", "/containers/a/b/json"),
        ("GET", "/containers/%2e%2e/json"),
        ("GET", "/services"),
        ("GET", "/"),
        ("POST", "/containers/own/kill"),
        ("POST", "/containers/own/exec"),
        ("POST", "/containers/create"),
        ("POST", "/containers/json"),
        ("POST", "/networks/create"),
        ("DELETE", "/containers/own"),
        ("PUT", "/containers/own/archive"),
        ("OPTIONS", "/_ping"),
        ("HEAD", "/containers/own/archive"),
    ],
)
def test_nothing_else_reaches_the_daemon(seen: Seen, verb: str, path: str):
    status, _, text = seen.ask(path, verb, b"x" * 300_000 if verb in ("POST", "PUT") else None)
    assert status == 403 and seen.asked == []
    assert verb == "HEAD" or "only shows" in json.loads(text)["message"]


def test_a_daemon_that_is_away_ends_the_connection_alone(view: ModuleType, folder: Path):
    server = view.at_socket(str(folder / "docker.sock"))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    seen = Seen(folder / "docker.sock", [])
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        seen.ask("/containers/json")
    assert seen.ask("/nothing")[0] == 403
    server.shutdown()
    server.server_close()


def test_any_user_may_connect_and_a_restart_takes_the_place_over(view: ModuleType, folder: Path):
    path = folder / "docker.sock"
    for _ in range(2):
        mask = os.umask(0o077)
        try:
            server = view.at_socket(str(path))
        finally:
            os.umask(mask)
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o666
        assert [each.name for each in folder.iterdir()] == ["docker.sock"]
        server.server_close()
