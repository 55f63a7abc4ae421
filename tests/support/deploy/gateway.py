"""A gateway beside a Lago that is deployed to, whose API key is in an env file of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from lago_acceptance.core.resources import compose_binary
from lago_acceptance.images.resolve import stand_in
from tests.support.containers import docker
from tests.support.deploy.host import DeployableHost
from tests.support.patience import PATIENCE

COMPOSE_FILE = """
services:
  gateway:
    image: {image}
    entrypoint: [python3, -c, "import signal; signal.signal(15, lambda *given: exit()); signal.pause()"]
    env_file: .env
    networks: [lago]
networks:
  lago: {{external: true, name: {network}}}
"""


@dataclass
class Gateway:
    """A gateway beside Lago: a Compose project in a folder of its own, whose key is in its env file."""

    host: DeployableHost
    folder: Path

    @property
    def project(self) -> str:
        return f"{self.host.project}-other"

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def container(self) -> str:
        return docker("ps", "-q", "--filter", f"label=com.docker.compose.project={self.project}")

    @property
    def key(self) -> str:
        """The key that the running container has."""
        return docker("exec", self.container, "printenv", "LAGO_API_KEY")

    def compose(self, *words: str) -> None:
        command = [compose_binary(), "-p", self.project, "--project-directory", self.folder, *words]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)

    def up(self) -> None:
        network = self.host.live.stack.network("gateway")
        (self.folder / "compose.yml").write_text(
            COMPOSE_FILE.format(image=stand_in("brain-gateway"), network=network)
        )
        key = self.host.live.stack.api_key.reveal()
        self.env_file.write_text(text_with(key))
        self.env_file.chmod(0o640)
        self.settings.write_text(
            f'{self.host.settings.read_text()}\n[gateway]\nenv_file = "{self.env_file}"\nvariable = "LAGO_API_KEY"\n'
            f'url_variable = "LAGO_API_URL"\nproject = "{self.project}"\nservice = "gateway"\n'
        )
        self.compose("up", "--detach", "--wait")


def text_with(key: str) -> str:
    """The env file with a key."""
    return f"# gateway\nLAGO_API_URL=http://lago-api:3000/\nLAGO_API_KEY={key}\n"
