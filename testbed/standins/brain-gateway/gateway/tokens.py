"""Who asks: a JWT (RS256) of the issuer, whose keys are where its name says."""

import time
import uuid

import httpx
from fastapi import Header, HTTPException
from jose import JWTError, jwt

from gateway.settings import AUTH_IS_OFF, ISSUER, JWKS_URL

KEPT_SECONDS = 60.0
_kept: dict[str, object] = {"at": 0.0, "keys": {"keys": []}}


def _keys() -> dict:
    if time.monotonic() - _kept["at"] > KEPT_SECONDS or not _kept["keys"]["keys"]:
        answer = httpx.get(JWKS_URL, timeout=5.0, trust_env=False)
        answer.raise_for_status()
        _kept.update(at=time.monotonic(), keys=answer.json())
    return _kept["keys"]


def claims(
    authorization: str | None = Header(default=None), x_clerk_auth_token: str | None = Header(default=None)
) -> dict:
    """What a good token says; 401 without one. Nothing where authentication is off."""
    if AUTH_IS_OFF:
        return {}
    scheme, _, token = (authorization or "").partition(" ")
    token = token if scheme.lower() == "bearer" else x_clerk_auth_token
    if not token:
        raise HTTPException(401, "Missing authentication credentials")
    try:
        return jwt.decode(token, _keys(), algorithms=["RS256"], issuer=ISSUER, options={"verify_aud": False})
    except (JWTError, httpx.HTTPError) as error:
        print(f"Token validation error: {error}", flush=True)
        raise HTTPException(401, "Token validation failed") from None


def tenant_in(found: dict) -> str:
    """The tenant that a token names. An error that nobody handles where it names none, or none that is a UUID."""
    return str(uuid.UUID(found["tenant_id"]))
