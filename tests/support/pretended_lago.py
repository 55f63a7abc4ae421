"""This machine as a host whose Docker only pretends: a Lago with organizations and keys, and a gateway that Compose made."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from lago_acceptance.core.settings import Deployment, Gateway
from lago_acceptance.deploy.small_change import Place
from lago_acceptance.hosts.local import LocalHost
from tests.support.paths import ROOT

VARIABLE = "LAGO_API_KEY"
OLD_ENV_FILE = f"# the gateway's\nDEBUG=no\n{VARIABLE}={{key}}\nNAME='two words'\n"


class PretendedLago(LocalHost):
    """Reads and changes ``state``, which docker.py answers from; see there what is in it."""

    compose_command = ""

    def __init__(self, folder: Path, monkeypatch):
        self.directory, self._state = folder / "lago", folder / "tools" / "state.json"
        self.env_file = folder / "gateway" / ".env"
        for each in (self.directory, self._state.parent, self.env_file.parent):
            each.mkdir()
        docker = self._state.parent / "docker"
        shutil.copy(ROOT / "tests" / "support" / "pretended_docker.py", docker)
        docker.write_text(f"#!{sys.executable}\n{docker.read_text()}")
        docker.chmod(0o755)
        monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
        self.old_key = "old-key-of-the-gateway"
        self.env_file.write_text(OLD_ENV_FILE.format(key=self.old_key))
        self.env_file.chmod(0o640)
        self.state = {
            "organizations": [{"id": id_of(1), "name": "Acme"}],
            "keys": [{"id": id_of(11), "organization": id_of(1), "value": self.old_key, "revoked": False}],
            "gateway": {"env_file": str(self.env_file), "environment": {VARIABLE: self.old_key}},
            "users": [{"id": id_of(21), "email": "admin@example.test", "password": "old-password"}],
            "broken": "",
        }

    @property
    def state(self) -> dict:
        return json.loads(self._state.read_text())

    @state.setter
    def state(self, state: dict) -> None:
        self._state.write_text(json.dumps(state))

    def alter(self, **changes: object) -> None:
        self.state = self.state | changes

    @property
    def place(self) -> Place:
        gateway = Gateway(env_file=str(self.env_file), variable=VARIABLE, container="gateway")
        deployment = Deployment(str(self.directory), "docker-compose.lago.yml", ".env.lago", "v1.16.0")
        return Place(deployment, "api1", gateway)

    @property
    def valid_keys(self) -> list[str]:
        return [key["value"] for key in self.state["keys"] if not key["revoked"]]

    @property
    def given(self) -> str:
        """The environment that the gateway's container has."""
        return self.state["gateway"]["environment"][VARIABLE]


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"
