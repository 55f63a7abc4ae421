"""A deploy that changes nothing, to be changed by tests."""

from __future__ import annotations

import hashlib

from lago_acceptance.deploy.plan import OldContainer, OldFile, Plan

FOLDER = "/root/lago"
COMPOSE = b"services: {lago-api: {}}\n"
DOCUMENT = {
    "name": "lago",
    "services": {
        "lago-api": {
            "image": "getlago/api:v1.16.0",
            "command": ["./scripts/start.api.sh"],
            "ports": [{"target": 3000, "published": "3010", "host_ip": "127.0.0.1", "protocol": "tcp"}],
            "volumes": [
                {
                    "type": "bind",
                    "source": f"{FOLDER}/key.pem",
                    "target": "/key.pem",
                    "bind": {"create_host_path": False},
                }
            ],
        },
        "lago-front": {"image": "getlago/front:v1.16.0"},
    },
    "networks": {"proxy": {"name": "dokploy-network", "external": True}},
    "volumes": {"data": {"name": "lago_data"}},
}


def old_file(content: bytes, mode: str = "600") -> OldFile:
    """A file on the host."""
    return OldFile(mode, hashlib.sha256(content).hexdigest(), content)


def container(service: str, image: str) -> OldContainer:
    """A container that runs as its files say."""
    return OldContainer(
        service, f"hash of {service}", f"getlago/{image}:v1.16.0", f"sha256:{image}", "running", 0, (), ()
    )


PLAN = Plan(
    directory=FOLDER,
    project="lago",
    exists=True,
    entries=("docker-compose.lago.yml", "key.pem"),
    projects_here=("lago",),
    owner="0",
    user="0",
    new={"docker-compose.lago.yml": COMPOSE},
    old={"docker-compose.lago.yml": old_file(COMPOSE), "key.pem": OldFile("600", "aa", b"")},
    document=DOCUMENT,
    hashes={name: f"hash of {name}" for name in DOCUMENT["services"]},
    images={"getlago/api:v1.16.0": "sha256:api", "getlago/front:v1.16.0": "sha256:front"},
    containers=(container("lago-api", "api"), container("lago-front", "front")),
    networks=("dokploy-network",),
    volumes=("lago_data",),
    listening=(22,),
    free=10**8,
    free_images=10**8,
)
