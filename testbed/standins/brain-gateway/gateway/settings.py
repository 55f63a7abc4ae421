"""What the gateway reads from its environment.

The real one has Lago's URL and key in its source, and reads LAGO_API_URL and LAGO_API_KEY nowhere. A key in a source can't be
each run's own: LAGO_URL_IN_SOURCE and LAGO_KEY_IN_SOURCE are what the real one has as literals.
"""

import os

LAGO_URL = os.environ.get("LAGO_URL_IN_SOURCE", "http://lago-api:3000").rstrip("/")
LAGO_KEY = os.environ.get("LAGO_KEY_IN_SOURCE", "")
# January's and February's name for the issuer, from which each derives where the keys are.
CLERK_ISSUER = os.environ.get("CLERK_ISSUER", "")
AUTHENTIK_ISSUER = os.environ.get("AUTHENTIK_ISSUER", "")
ISSUER = AUTHENTIK_ISSUER or CLERK_ISSUER
JWKS_URL = f"{AUTHENTIK_ISSUER}/jwks/" if AUTHENTIK_ISSUER else f"{CLERK_ISSUER}/.well-known/jwks.json"
AUTH_IS_OFF = os.environ.get("DISABLE_AUTH") == "true"
DATABASE_URL = os.environ.get("DATABASE_URL", "")
TEMPORAL_HOST = os.environ.get("TEMPORAL_HOST", "")

# The real gateway's faults, without which a run of this suite could never be green: no /usage, invoices read by names that
# Lago 1.16.0 does not send, plans of its own that it sells while Lago is well, a second subscription beside the first.
AS_OBSERVED = os.environ.get("GATEWAY_AS_OBSERVED") == "true"
