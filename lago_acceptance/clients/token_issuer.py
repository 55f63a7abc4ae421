"""The issuer of the gateway's tokens in a stack: an RSA key of this run, with its public half served as JWKS."""

from __future__ import annotations

import base64
import json
import secrets
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lago_acceptance.core.secrets import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# On Docker's own network, where the gateway looks for the keys below this name.
NAME = "http://issuer.example.test:8000"
KEY_ID = "this-run"
LIFETIME = 3600


class Issuer:
    """Signs tokens. The private key stays in this process; ``tenant`` is this run's own tenant."""

    def __init__(self, tenant: str):
        self.tenant = tenant

    @cached_property
    def _key(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives.asymmetric import rsa

        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def publish(self, folder: Path) -> None:
        """Write jwks.json, the public half, readable for other users, as in a container."""
        from jwt.algorithms import RSAAlgorithm

        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "jwks.json"
        file.write_text(json.dumps({"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}))
        # Whatever the umask.
        folder.chmod(0o755)
        file.chmod(0o644)

    def token(self, tenant: str = "", lifetime: int = LIFETIME) -> Secret:
        """A token for a tenant; a negative lifetime (seconds) makes one that has expired."""
        import jwt

        claims = _claims(tenant or self.tenant, lifetime)
        return Secret(jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID}))

    def forged(self) -> Secret:
        """A token for this run's tenant with the real key id and a random signature."""
        head = {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
        claims = _claims(self.tenant, LIFETIME)
        # As long as the modulus, and less than any modulus.
        signature = b"\0" + secrets.token_bytes(255)
        return Secret(
            ".".join(map(_encoded, (json.dumps(head).encode(), json.dumps(claims).encode(), signature)))
        )


def _claims(tenant: str, lifetime: int) -> dict[str, str | int]:
    now = int(time.time())
    return {"iss": NAME, "sub": tenant, "tenant_id": tenant, "iat": now - 60, "exp": now + lifetime}


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
