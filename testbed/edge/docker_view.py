"""The Docker API as the proxy of a test stack sees it: for reading, the containers and networks of some projects alone, with
labels and names of networks as the compose file has them. The containers bear Traefik's labels under another name, for any
other Traefik on the daemon would obey them; networks bear the run's name.

PROJECTS      the Compose projects that are shown, separated by commas
NETWORKS      the names under which networks are shown, if not under their own: run's=written, separated by commas
VIEW_SOCKET   where it is a socket too, for containers that mount Docker's; "" for nowhere
"""

import contextlib
import http.client
import http.server
import json
import os
import re
import socket
import socketserver
import threading
from urllib.parse import urlsplit

PORT = 2375
DAEMON = "/var/run/docker.sock"
HIDING = "lago-acceptance."
RUN_LABEL, RUN_PREFIX = "lago-acceptance.run", "lago-acceptance-"
NAME = "[0-9A-Za-z_.-]+"
SHOWN = re.compile(
    r"(?P<version>(?:/v[0-9.]+)?)/(?:(?P<plain>_ping|version)|(?P<events>events)|(?P<info>info)|(?P<containers>containers/json)"
    rf"|containers/(?P<container>{NAME})/json|(?P<networks>networks)|networks/(?P<network>{NAME}))"
)
HEADERS = ("Api-Version", "Content-Type", "Docker-Experimental", "Ostype", "Server")
# What a program adapts itself to. The machine's name, its registries and how much runs on it are nobody's business.
INFO = ("Architecture", "MemTotal", "NCPU", "OSType", "OperatingSystem", "ServerVersion")
PROJECTS = frozenset(os.environ.get("PROJECTS", "").split(","))
NETWORKS = dict(pair.split("=") for pair in os.environ.get("NETWORKS", "").split(",") if pair)
LARGEST_BODY = 1_000_000


class Daemon(http.client.HTTPConnection):
    """A connection to Docker's socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(DAEMON)


def ask(path):
    """A document of the daemon; None where it gives none."""
    with contextlib.closing(Daemon("docker")) as daemon:
        daemon.request("GET", path)
        answer = daemon.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None


def is_shown(labels):
    """Whether labels are those of a shown project, or of a network that a run made for one."""
    project, run = ((labels or {}).get(key) for key in ("com.docker.compose.project", RUN_LABEL))
    return project in PROJECTS or f"{RUN_PREFIX}{run}" in PROJECTS


def as_written(labels):
    own = {key: value for key, value in labels.items() if key != "traefik.enable"}
    shown = {
        key[len(HIDING) :] if key.lower().startswith(f"{HIDING}traefik.") else key: own[key] for key in own
    }
    return {key: named(value) if key == "traefik.docker.network" else value for key, value in shown.items()}


def named(network):
    return NETWORKS.get(network, network)


def own_name(shown):
    """The network that is shown under a name or has this id."""
    return next((own for own, written in NETWORKS.items() if written == shown), shown)


def connected(container):
    """A container, of a list or alone, with the names of its networks as they are shown."""
    shown = {**container}
    if settings := container.get("NetworkSettings"):
        networks = settings.get("Networks") or {}
        shown["NetworkSettings"] = {**settings, "Networks": {named(key): networks[key] for key in networks}}
    if host := container.get("HostConfig"):
        shown["HostConfig"] = {**host, "NetworkMode": named(host.get("NetworkMode"))}
    return shown


def view_of_containers(containers):
    return [
        {**connected(each), "Labels": as_written(each["Labels"])}
        for each in containers
        if is_shown(each.get("Labels"))
    ]


def view_of_container(container):
    config = container["Config"]
    if not is_shown(config.get("Labels")):
        return None
    return {**connected(container), "Config": {**config, "Labels": as_written(config["Labels"])}}


def view_of_networks(networks):
    return [{**each, "Name": named(each["Name"])} for each in networks if is_shown(each.get("Labels"))]


def view_of_network(network):
    if not is_shown(network.get("Labels")):
        return None
    containers = neighbours(network.get("Containers") or {})
    return {**network, "Name": named(network["Name"]), "Containers": containers}


def neighbours(containers):
    """Of the containers on a network, which bear no labels there, those that are shown."""
    if not containers:
        return {}
    shown = {each["Id"] for each in view_of_containers(ask("/containers/json?all=1") or [])}
    return {key: value for key, value in containers.items() if key in shown}


def view_of_info(info):
    """What the view answers about the daemon. Services of a swarm are not shown, so there is no swarm."""
    return {key: info[key] for key in INFO if key in info} | {"Swarm": {"LocalNodeState": "inactive"}}


def view_of_event(event):
    """An event as it may be seen: one of a container or network that is shown. None where it may not."""
    actor = event.get("Actor") or {}
    labels = actor.get("Attributes") or {}
    if event.get("Type") == "network":
        # Its labels are not in the event.
        network = ask(f"/networks/{actor.get('ID', '')}")
        return event if network and is_shown(network.get("Labels")) else None
    if event.get("Type") != "container" or not is_shown(labels):
        return None
    return {**event, "Actor": {**actor, "Attributes": as_written(labels)}}


VIEWS = {
    "containers": view_of_containers,
    "container": view_of_container,
    "networks": view_of_networks,
    "network": view_of_network,
    "info": view_of_info,
}


class View(http.server.BaseHTTPRequestHandler):
    """Answers with what the daemon answers, filtered."""

    def do_GET(self):
        url = urlsplit(self.path)
        asked = SHOWN.fullmatch(url.path)
        if not asked:
            self.refuse()
            return
        path = url.path
        if name := asked["network"]:
            path = f"{asked['version']}/networks/{own_name(name)}"
        daemon = Daemon("docker")
        try:
            daemon.request("GET", f"{path}?{url.query}")
            answer = daemon.getresponse()
            if asked["events"] and answer.status == 200:
                self.stream(answer)
            else:
                self.pass_on(answer, asked.lastgroup)
        except (OSError, http.client.HTTPException, ValueError):
            self.close_connection = True
        finally:
            daemon.close()

    do_HEAD = do_GET

    def refuse(self):
        # A client that is still sending would not read the answer.
        length = self.headers.get("Content-Length", "")
        if length.isdigit():
            self.rfile.read(min(int(length), LARGEST_BODY))
        self.answer(
            403, {"message": "this Docker socket only shows the containers and networks of a test run"}
        )

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = refuse

    def pass_on(self, answer, kind):
        body = answer.read()
        if answer.status != 200 or kind not in VIEWS:
            self.answer(answer.status, body, answer.headers)
        elif (shown := VIEWS[kind](json.loads(body))) is None:
            self.answer(404, {"message": f"No such {kind}"}, answer.headers)
        else:
            self.answer(200, shown, answer.headers)

    def stream(self, answer):
        self.begin(200, answer.headers)
        self.end_headers()
        for line in answer if self.command == "GET" else ():
            if shown := view_of_event(json.loads(line)):
                self.wfile.write(json.dumps(shown).encode() + b"\n")

    def answer(self, status, document, headers=None):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.begin(status, headers or {"Content-Type": "application/json"})
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status, headers):
        self.send_response_only(status)
        for name in HEADERS:
            if value := headers.get(name):
                self.send_header(name, value)

    def log_message(self, *arguments):
        pass


class SocketServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def at_socket(path):
    """A server at a path, which is there once it takes connections. A program of any user may connect: which containers
    have it is the compose file's business, and its folder on the machine is closed.
    """
    unready = f"{path}.unready"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(unready)
    server = SocketServer(unready, View)
    os.chmod(unready, 0o666)
    os.rename(unready, path)
    return server


if __name__ == "__main__":
    if place := os.environ.get("VIEW_SOCKET"):
        threading.Thread(target=at_socket(place).serve_forever, daemon=True).start()
    http.server.ThreadingHTTPServer(("", PORT), View).serve_forever()
