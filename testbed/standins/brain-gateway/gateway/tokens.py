"""Who asks: a JWT (RS256) of the issuer, whose keys are served as a JWKS."""

import time
import uuid

import httpx
from fastapi import Header, HTTPException
from jose import JWTError, jwt

from gateway import store
from gateway.settings import AUTH_IS_OFF, ISSUER, JWKS_URL

KEPT_SECONDS = 60.0
NOBODY = "00000000-0000-4000-8000-000000000000"
_kept: dict[str, object] = {"at": 0.0, "keys": {"keys": []}}


def _keys() -> dict:
    if time.monotonic() - _kept["at"] > KEPT_SECONDS or not _kept["keys"]["keys"]:
        answer = httpx.get(JWKS_URL, timeout=5.0, trust_env=False)
        answer.raise_for_status()
        _kept.update(at=time.monotonic(), keys=answer.json())
    return _kept["keys"]


def tenant_of(authorization: str | None = Header(default=None)) -> str:
    """The tenant that a token names; 401 without a good token, 500 where the tenant has no row."""
    if AUTH_IS_OFF:
        return NOBODY
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HTTPException(401, "Not authenticated")
    try:
        claims = jwt.decode(
            token, _keys(), algorithms=["RS256"], issuer=ISSUER or None, options={"verify_aud": False}
        )
        tenant = str(uuid.UUID(str(claims["tenant_id"])))
    except (JWTError, KeyError, ValueError):
        raise HTTPException(401, "Invalid token") from None
    except httpx.HTTPError:
        raise HTTPException(503, "The issuer's keys can't be read") from None
    try:
        store.require_tenant(tenant)
    except LookupError as error:
        raise HTTPException(500, str(error)) from None
    return tenant
