"""Broken deployments: the shipped compose file, edited, in a folder of its own with a key and an env file."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from lago_acceptance.core.roles import LAGO_RUBY
from tests.support.paths import ROOT

COMPOSE = ROOT / "compose"
PEM = "/run/lago/rsa_private.pem"
RUBY_SERVICES = tuple(f"lago-{role}" for role in LAGO_RUBY)

Edit = Callable[[dict, Path], None]


def write(folder: Path, edit: Edit | None = None) -> list[str]:
    """A deployment in a folder; the options that name it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(COMPOSE / "rsa_key.rb", folder)
    made = subprocess.run(
        ["sh", COMPOSE / "provision.sh", folder], check=False, capture_output=True, text=True
    )
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
        document["services"][name]["environment"]["LAGO_RSA_PRIVATE_KEY_FILE"] = (
            "/run/secrets/lago_rsa_private_key"
        )


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
        service["command"] = ["/bin/sh", "-c", f"{export} && exec {shlex.join(service['command'])}"]


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


def api_with_another_password(document: dict, folder: Path) -> None:
    """PostgreSQL refuses the API alone: it answers 500 to everything."""
    environment = document["services"]["lago-api"]["environment"]
    environment["DATABASE_URL"] = environment["DATABASE_URL"].replace(
        ":${POSTGRES_PASSWORD", ":x${POSTGRES_PASSWORD"
    )


def api_off_the_proxys_network(document: dict, folder: Path) -> None:
    """Traefik and the API share no network: there is no route to it."""
    document["services"]["lago-api"]["networks"].remove("dokploy-network")


def worker_with_another_key(document: dict, folder: Path) -> None:
    """The worker mounts a key of its own."""
    other = folder / "other.pem"
    other.touch(mode=0o600)
    other.write_bytes(_pem(_rsa()))
    for mount in document["services"]["lago-worker"]["volumes"]:
        if isinstance(mount, dict) and mount["target"] == PEM:
            mount["source"] = "./other.pem"


def wrong_resolver(document: dict, folder: Path) -> None:
    """The API's routers name a certificate resolver that Traefik does not have: its default certificate is served."""
    labels = document["services"]["lago-api"]["labels"]
    for key in [key for key in labels if key.endswith(".tls.certresolver")]:
        labels[key] = "myresolver"


def router_without_service(document: dict, folder: Path) -> None:
    """Two services on one container, and a router that names neither: Traefik drops it."""
    labels = document["services"]["lago-api"]["labels"]
    del labels["traefik.http.routers.lago-api.service"]
    del labels["traefik.http.routers.lago-api-http.service"]
    labels["traefik.http.services.lago-metrics.loadbalancer.server.port"] = "9394"


def _put(folder: Path, content: bytes) -> None:
    (folder / "lago_rsa_private.pem").write_bytes(content)


def _pem(key, password: bytes | None = None) -> bytes:
    from cryptography.hazmat.primitives import serialization

    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _rsa(bits: int = 2048):
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem_absent(document: dict, folder: Path) -> None:
    """No PEM where the compose file mounts one."""
    (folder / "lago_rsa_private.pem").unlink()


def pem_is_a_folder(document: dict, folder: Path) -> None:
    """What Docker itself makes of a short-syntax mount whose source is missing."""
    (folder / "lago_rsa_private.pem").unlink()
    (folder / "lago_rsa_private.pem").mkdir()


def pem_empty(document: dict, folder: Path) -> None:
    """An empty file."""
    _put(folder, b"")


def pem_public(document: dict, folder: Path) -> None:
    """The public half: Lago boots with it and can sign nothing."""
    from cryptography.hazmat.primitives import serialization

    _put(
        folder,
        _rsa()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )


def pem_truncated(document: dict, folder: Path) -> None:
    """A key that lost its second half."""
    _put(folder, (folder / "lago_rsa_private.pem").read_bytes()[:900])


def pem_encrypted(document: dict, folder: Path) -> None:
    """A key with a pass phrase."""
    _put(folder, _pem(_rsa(), b"open sesame"))


def pem_of_an_elliptic_curve(document: dict, folder: Path) -> None:
    """A private key of another kind."""
    from cryptography.hazmat.primitives.asymmetric import ec

    _put(folder, _pem(ec.generate_private_key(ec.SECP256R1())))


def pem_short(document: dict, folder: Path) -> None:
    """A key of 1024 bits."""
    _put(folder, _pem(_rsa(1024)))


def pem_open_to_all(document: dict, folder: Path) -> None:
    """A good key that every account of the host may read."""
    (folder / "lago_rsa_private.pem").chmod(0o644)


def put_new_key(folder: Path) -> None:
    """A good key that is not the one before."""
    _put(folder, _pem(_rsa()))
