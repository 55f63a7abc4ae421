"""Broken deployments: the shipped compose file, edited, in a folder of its own with a key and an env file."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from lago_acceptance.roles import LAGO_RUBY

COMPOSE = Path(__file__).resolve().parent.parent / "compose"
PEM = "/run/lago/rsa_private.pem"
RUBY_SERVICES = tuple(f"lago-{role}" for role in LAGO_RUBY)

Edit = Callable[[dict, Path], None]


def write(folder: Path, edit: Edit | None = None) -> list[str]:
    """A deployment in a folder; the options that name it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(COMPOSE / "rsa_key.rb", folder)
    made = subprocess.run(["sh", COMPOSE / "provision.sh", folder], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    # By way of JSON, so that services share no anchor's object.
    document = json.loads(json.dumps(yaml.safe_load((COMPOSE / "docker-compose.lago.yml").read_text())))
    if edit:
        edit(document, folder)
    file = folder / "docker-compose.lago.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return ["--compose-file", str(file), "--env-file", str(folder / ".env.lago")]


def without_mounted_key(document: dict) -> None:
    """Take the shipped file's way to the key out: neither mounts nor RUBYOPT."""
    for name in RUBY_SERVICES:
        service = document["services"][name]
        del service["environment"]["RUBYOPT"]
        service["volumes"] = [mount for mount in service["volumes"] if isinstance(mount, str)]


def key_by_file_variable(document: dict, folder: Path) -> None:
    """The plan's option A: a Docker secret, named by a _FILE variable."""
    without_mounted_key(document)
    document["secrets"] = {"lago_rsa_private_key": {"file": "./lago_rsa_private.pem"}}
    for name in RUBY_SERVICES:
        document["services"][name]["secrets"] = ["lago_rsa_private_key"]
        document["services"][name]["environment"]["LAGO_RSA_PRIVATE_KEY_FILE"] = "/run/secrets/lago_rsa_private_key"


def key_decoded_then_exported(document: dict, folder: Path) -> None:
    """The plan's option B: base64 in the env file, decoded by the command before it is exported."""
    import base64

    without_mounted_key(document)
    text = base64.b64encode((folder / "lago_rsa_private.pem").read_bytes()).decode()
    with (folder / ".env.lago").open("a") as file:
        file.write(f"LAGO_RSA_PRIVATE_KEY_BASE64={text}\n")
    for name in RUBY_SERVICES:
        service = document["services"][name]
        service["environment"]["LAGO_RSA_PRIVATE_KEY_BASE64"] = "${LAGO_RSA_PRIVATE_KEY_BASE64}"
        export = 'export LAGO_RSA_PRIVATE_KEY="$$(echo $$LAGO_RSA_PRIVATE_KEY_BASE64 | base64 -d)"'
        service["command"] = ["/bin/sh", "-c", f"{export} && {' '.join(service['command'])}"]


def key_by_path_variable(document: dict, folder: Path) -> None:
    """The plan's option C: the PEM mounted, its place named by a _PATH variable."""
    without_mounted_key(document)
    for name in RUBY_SERVICES:
        service = document["services"][name]
        service["volumes"].append("./lago_rsa_private.pem:/app/config/lago_rsa_private.pem:ro")
        service["environment"]["LAGO_RSA_PRIVATE_KEY_PATH"] = "/app/config/lago_rsa_private.pem"


def restarts_for_ever(document: dict, folder: Path) -> None:
    """A clock that ends every second, with no healthcheck: `docker compose up --wait` calls it healthy."""
    clock = document["services"]["lago-clock"]
    del clock["healthcheck"]
    clock["command"] = ["bash", "-c", "echo boom; exit 3", "./scripts/start.clock.sh"]


def migration_fails_silently(document: dict, folder: Path) -> None:
    """A database that another stack has touched: a migration fails, and migrate.sh exits 0."""
    document["services"]["lago-migrate"]["command"] = ["./scripts/migrate.sh"]
    del document["services"]["lago-migrate"]["environment"]["LAGO_CREATE_ORG"]
    (folder / "init.sql").write_text("CREATE EXTENSION unaccent;\n")
    document["services"]["lago-db"]["volumes"].append("./init.sql:/docker-entrypoint-initdb.d/init.sql:ro")


def worker_on_another_database(document: dict, folder: Path) -> None:
    """The worker listens to Redis database 2, everybody else enqueues to 0."""
    document["services"]["lago-worker"]["environment"]["REDIS_URL"] = "redis://lago-redis:6379/2"


def worker_with_another_key(document: dict, folder: Path) -> None:
    """The worker mounts a key of its own."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    other = folder / "other.pem"
    other.touch(mode=0o600)
    other.write_bytes(pem)
    for mount in document["services"]["lago-worker"]["volumes"]:
        if isinstance(mount, dict) and mount["target"] == PEM:
            mount["source"] = "./other.pem"


def wrong_resolver(document: dict, folder: Path) -> None:
    """The API's router names a certificate resolver that Traefik does not have: its default certificate is served."""
    document["services"]["lago-api"]["labels"]["traefik.http.routers.lago-api.tls.certresolver"] = "myresolver"


def router_without_service(document: dict, folder: Path) -> None:
    """Two services on one container, and a router that names neither: Traefik drops it."""
    labels = document["services"]["lago-api"]["labels"]
    del labels["traefik.http.routers.lago-api.service"]
    del labels["traefik.http.routers.lago-api-http.service"]
    labels["traefik.http.services.lago-metrics.loadbalancer.server.port"] = "9394"
