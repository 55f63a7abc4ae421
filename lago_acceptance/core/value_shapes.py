"""What a configured value looks like, for values that are known and for those that a host reports masked.

The shapes are those of facts/scripts/mask.awk: empty, pem, pem-mangled, pem-other, base64, base64-mangled,
base64-twice, der, unexpanded, placeholder, default, plain; ``unknown`` is a value that is given at deploy
time only.
"""

from __future__ import annotations

import re

from lago_acceptance.core.secrets import is_masked, masked_part

# Stands for what nothing sets here but something must set at deploy time (``${NAME:?}``). Fits into URLs and names.
GIVEN_LATER = "given-at-deploy-"

_PLACEHOLDER = re.compile(
    r"(?i)change[-_ ]?me|change[-_ ]?this|your[-_ ]|yourpassword|replace|placeholder|example|todo|xxxx|<[^>]*>"
    r"|(insert|generate|enter|put|fill|random|some)[-_ ]|openssl|[-_ ]here$|dummy|to[-_ ]?be[-_ ]|\*{4}"
)
# Words that people build their first password of, alone or several together.
_DEFAULT = re.compile(
    r"(?i)(?:(?:lago|billing|postgres|postgresql|pg|db|database|user|admin|root|test|default|dev|local|prod|production"
    r"|password|passwd|passw0rd|pass|pwd|secret|my|super|strong|secure|changeit|qwerty|letmein|123456\w*)[-_.]?){1,4}"
    r"[\d!@#]{0,4}"
)
_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_BASE64_OF_BEGIN = re.compile(r"^[\"' \n]*LS0tLS1CRUdJTi")
_SECRET_NAME = re.compile(r"(?i)key|secret|password|passwd|pass$|token|salt|license|credential|dsn")
_NOT_SECRET_NAME = re.compile(
    r"(?i)(_PATH|_FILE|_DIR|_URL|_HOST|_NAME|_TTL|_ALGORITHM|_USER|_ID|_EXPIRY|_EXPIRES_IN|_MINUTES)$"
    r"|PUBLIC|PUBLISHABLE|PARTITION|KEYSPACE|KEYCLOAK_(REALM|CLIENT)|TOKENS?_PER|MAX_TOKENS"
)


def given_later(name: str) -> str:
    """What stands for a variable's value that is given at deploy time only."""
    return f"{GIVEN_LATER}{name.lower().replace('_', '-')}"


def unknown(value: str | None) -> bool:
    """Whether a value is, or holds, something that is given at deploy time only."""
    return bool(value) and GIVEN_LATER in value


def shape(value: str | None) -> str:
    """How a value is written; see above. Masked values carry their shape."""
    if not (value or "").strip("\"' \n"):
        return "empty"
    if unknown(value):
        return "unknown"
    if is_masked(value):
        return masked_part(value).shape
    if found := _BEGIN.search(value):
        rest = value[found.end() :]
        return "pem" if rest.startswith(("\n", "\r\n")) else "pem-mangled"
    if "-----BEGIN " in value:
        return "pem-other"
    if _BASE64_OF_BEGIN.match(value):
        return "base64-mangled" if "\\n" in value else "base64"
    if value.lstrip("\"' ").startswith("TFMwdExTMUNSVWRKVG"):
        return "base64-twice"
    if value.startswith("MII"):
        return "der"
    if "${" in value or "$(" in value:
        return "unexpanded"
    if _PLACEHOLDER.search(value):
        return "placeholder"
    if _DEFAULT.fullmatch(value):
        return "default"
    return "plain"


def sounds_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not _NOT_SECRET_NAME.search(name)
