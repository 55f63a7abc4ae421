"""Deployments of other people's kinds: one Lago, reached in different ways (tests/data/styles)."""

from __future__ import annotations

import base64
import re
import secrets
import shutil
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.paths import DATA

NAMES = {"FRONT_NAME": "pay.meter.test", "API_NAME": "pay-api.meter.test", "NAME": "meter.test"}
TWO_NAMES = {
    "FRONT_URL": "https://pay.meter.test",
    "API_URL": "https://pay-api.meter.test",
    "BROWSER_API_URL": "https://pay-api.meter.test",
}
ONE_NAME = {
    "FRONT_URL": "https://meter.test",
    "API_URL": "https://meter.test/api",
    "BROWSER_API_URL": "https://meter.test",
}
STYLES = {
    "ports": {
        "FRONT_URL": "http://localhost:8081",
        "API_URL": "http://localhost:3000",
        "BROWSER_API_URL": "http://localhost:3000",
    },
    "traefik": ONE_NAME,
    "caddy": TWO_NAMES,
    "nginx": ONE_NAME,
    "host": TWO_NAMES,
    "tunnel": TWO_NAMES,
    "managed": TWO_NAMES,
}
"""By style: where UI and API are reached."""


def write(folder: Path, style: str, **changed: str) -> Path:
    """A deployment of a style in a folder of its own, with its variables; the compose file. ``changed`` are variables."""
    shutil.copytree(DATA / "styles", folder)
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    variables = {
        "DB_PASSWORD": secrets.token_hex(16),
        "CACHE_PASSWORD": secrets.token_hex(16),
        "SECRET_KEY_BASE": secrets.token_hex(64),
        "ENCRYPTION_KEY": secrets.token_hex(16),
        "ENCRYPTION_DETERMINISTIC_KEY": secrets.token_hex(16),
        "ENCRYPTION_SALT": secrets.token_hex(16),
        "OWNER_PASSWORD": f"Aa1-{secrets.token_hex(8)}",
        "LAGO_KEY": secrets.token_hex(16),
        "TUNNEL_TOKEN": secrets.token_hex(32),
        "LAGO_RSA_PRIVATE_KEY": base64.b64encode(key).decode(),
        **NAMES,
        **STYLES[style],
        **changed,
    }
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()), "utf-8")
    return folder / f"{style}.yml"


_OTHERS = re.compile(
    r"bizoholic|dokploy|brain|docker-compose\.lago|/root/lago|lago_rsa_private\.pem|rsa_key\.rb|websecure"
    r"|(?<!image: getlago/)(?<!lago-acceptance/)\blago-(?:db|redis|api|front|worker|clock|migrate|pdf)\b",
    re.IGNORECASE,
)


def words_of_others(text: str) -> list[str]:
    """Where a text speaks of the shipped deployment: a name, a path or a network of it, with what is around it."""
    return [text[max(0, found.start() - 60) : found.end() + 30] for found in _OTHERS.finditer(text)]
