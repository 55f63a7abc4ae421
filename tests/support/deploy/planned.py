"""A deploy that changes nothing, to be changed by tests."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from lago_acceptance.deploy.plan import OldContainer, OldFile, Plan
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers
from lago_acceptance.facts.types import Facts
from tests.support.facts import facts

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

# Schemas that a database may have: how many migrations, and the latest.
AT = {
    "v1.16.0": (408, "20241119110219"),
    "v1.19.1": (449, "20250122112050"),
    "v1.20.0": (450, "20250122112050"),
    "v1.25.0": (480, "20250402135038"),
    "v1.26.0": (525, "20250425130412"),
    "half of v1.26.0": (491, "20250402151113"),
    "later than any": (900, "20990101000000"),
}


def plan_of(tag: str, **more: Any) -> Plan:
    """A deploy of a release, on a host whose files name it already."""
    services = DOCUMENT["services"] | {
        "lago-api": DOCUMENT["services"]["lago-api"] | {"image": f"getlago/api:{tag}"},
        "lago-db": {
            "image": "postgres:14-alpine",
            "volumes": [{"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"}],
        },
    }
    return msgspec.structs.replace(PLAN, document=DOCUMENT | {"services": services}, **more)


def facts_at(schema: str, **more: Any) -> Facts:
    """A host whose database has a schema."""
    return facts(database=DatabaseAnswers(migrations=AppliedMigrations(*AT[schema])), **more)
