"""Dollar signs that Compose takes for variables, and that were meant for something else."""

from __future__ import annotations

import re

from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import sounds_secret

# What htpasswd and its like write.
_HASH = re.compile(r"\$(?:apr1|2[abxy]|argon2\w*|[156y])\$")


def is_part_of_value(name: str, key: str, text: str, in_environment: bool) -> bool:
    """Whether a dollar sign belongs to a password, a hash or the like: what follows it must not be shown then."""
    if _HASH.search(text):
        return True
    if not re.search(rf"\${name}\b", text):
        return False
    url = service_url(text)
    value = url.password if url else text.strip()
    secret = bool(url) or sounds_secret(key) or key.endswith(("auth.users", "AUTH"))
    whole = value == f"${name}" and name.isupper()
    unlike_a_variable = not name.isupper() and (in_environment or re.search(rf"\w\${name}\b", text))
    return bool((secret and f"${name}" in value and not whole) or unlike_a_variable)


def sets(script: str, name: str) -> bool:
    """Whether a shell script sets a variable itself."""
    setting = rf"(?:^|[\s;&|({{])(?:{name}=|for\s+{name}\s|read\s[^;|&\n]*\b{name}\b)"
    return bool(re.search(setting, script))
