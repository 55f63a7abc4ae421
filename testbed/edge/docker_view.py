"""The Docker API as the test stack's Traefik sees it: read-only, the containers of some projects alone, and their labels as
the compose file has them. The containers bear Traefik's labels under another name, for any other Traefik on the daemon
would obey them.

PROJECTS   the Compose projects that are shown, separated by commas
"""

import http.client
import http.server
import json
import os
import re
import socket
from urllib.parse import urlsplit

PORT = 2375
SOCKET = "/var/run/docker.sock"
HIDING = "lago-acceptance."
SHOWN = re.compile(r"(?:/v[0-9.]+)?/(_ping|version|events|containers/json|containers/[0-9A-Za-z_.-]+/json)")
HEADERS = ("Api-Version", "Content-Type", "Docker-Experimental", "Ostype", "Server")
PROJECTS = frozenset(os.environ.get("PROJECTS", "").split(","))


class Daemon(http.client.HTTPConnection):
    """A connection to Docker's socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def is_shown(labels):
    return (labels or {}).get("com.docker.compose.project") in PROJECTS


def as_written(labels):
    own = {key: value for key, value in labels.items() if key != "traefik.enable"}
    return {
        key[len(HIDING) :] if key.lower().startswith(f"{HIDING}traefik.") else key: own[key] for key in own
    }


def view(document):
    """A list of containers, or one of them, as Traefik may see it; None where it may not."""
    if isinstance(document, list):
        shown = (each for each in document if is_shown(each.get("Labels")))
        return [{**each, "Labels": as_written(each["Labels"])} for each in shown]
    config = document["Config"]
    if not is_shown(config.get("Labels")):
        return None
    return {**document, "Config": {**config, "Labels": as_written(config["Labels"])}}


class View(http.server.BaseHTTPRequestHandler):
    """Answers with what the daemon answers, filtered."""

    def do_GET(self):
        asked = SHOWN.fullmatch(urlsplit(self.path).path)
        if not asked:
            self.send_error(403)
            return
        daemon = Daemon("docker")
        try:
            daemon.request(self.command, self.path)
            answer = daemon.getresponse()
            if asked[1] == "events":
                self.stream(answer)
            else:
                self.pass_on(answer, asked[1].startswith("containers/"))
        except OSError:
            self.close_connection = True
        finally:
            daemon.close()

    do_HEAD = do_GET

    def pass_on(self, answer, filtered):
        status, body = answer.status, answer.read()
        if filtered and status == 200:
            shown = view(json.loads(body))
            status = 404 if shown is None else 200
            body = json.dumps({"message": "No such container"} if shown is None else shown).encode()
        self.begin(status, answer)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, answer):
        self.begin(answer.status, answer)
        self.end_headers()
        for line in answer:
            if is_shown(json.loads(line).get("Actor", {}).get("Attributes")):
                self.wfile.write(line)
                self.wfile.flush()

    def begin(self, status, answer):
        self.send_response_only(status)
        for name in HEADERS:
            if value := answer.headers[name]:
                self.send_header(name, value)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", PORT), View).serve_forever()
