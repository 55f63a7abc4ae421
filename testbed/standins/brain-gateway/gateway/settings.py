"""What the gateway reads from its environment."""

import os

LAGO_URL = os.environ.get("LAGO_API_URL", "http://lago-api:3000").rstrip("/")
LAGO_KEY = os.environ.get("LAGO_API_KEY", "")
ISSUER = os.environ.get("JWT_ISSUER", "")
JWKS_URL = os.environ.get("JWKS_URL", "")
AUTH_IS_OFF = os.environ.get("DISABLE_AUTH") == "true"
DATABASE = os.environ.get("DATABASE_FILE", "/data/brain.db")
TENANTS = tuple(filter(None, os.environ.get("TENANTS", "").split(",")))

# The gateway of February 2026: no /usage, and invoices read by names that Lago 1.16.0 does not send.
AS_OBSERVED = os.environ.get("GATEWAY_AS_OBSERVED") == "true"
