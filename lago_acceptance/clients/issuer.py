"""Who signs the gateway's tokens in a stack: an RSA key of this run, whose public half is served as a JWKS."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lago_acceptance.secret_values import Secret

NAME = "https://issuer.example.test"
KEY_ID = "this-run"
LIFETIME = 3600


class Issuer:
    """Signs tokens. The private key stays in this process; ``tenant`` is the one that this run acts as."""

    def __init__(self, tenant: str):
        self.tenant = tenant
        self._key, self._stranger = _new_key(), _new_key()

    def publish(self, folder: Path) -> None:
        """Write jwks.json, the public half, for whoever runs as another user in a container."""
        from jwt.algorithms import RSAAlgorithm

        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        (folder / "jwks.json").write_text(json.dumps({"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]}))

    def token(self, tenant: str = "", lifetime: int = LIFETIME) -> Secret:
        """A token for a tenant; a negative lifetime (seconds) makes one that has expired."""
        return self._signed(self._key, tenant or self.tenant, lifetime)

    def forged(self) -> Secret:
        """A token for this run's tenant that somebody else has signed under the same key id."""
        return self._signed(self._stranger, self.tenant, LIFETIME)

    def _signed(self, key, tenant: str, lifetime: int) -> Secret:
        import jwt

        now = int(time.time())
        claims = {"iss": NAME, "sub": tenant, "tenant_id": tenant, "iat": now - 60, "exp": now + lifetime}
        return Secret(jwt.encode(claims, key, algorithm="RS256", headers={"kid": KEY_ID}))


def _new_key():
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
