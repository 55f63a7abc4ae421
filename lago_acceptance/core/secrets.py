"""Secrets, as a type that never prints its value, and all redaction."""

from __future__ import annotations

from typing import NoReturn

from lago_acceptance.core.known_secrets import KnownSecrets
from lago_acceptance.core.masks import MaskedSecret, is_masked, masked_part
from lago_acceptance.core.service_keys import JWT, SERVICE_KEY

__all__ = (
    "JWT",
    "SERVICE_KEY",
    "MaskedSecret",
    "Redactor",
    "Secret",
    "excerpt",
    "is_masked",
    "masked_part",
    "redact",
)
# No excerpt needs more, and searching megabytes for secrets takes seconds.
_READ = 2**16


class Secret:
    """A secret that the suite itself must know, such as an API key. Only ``reveal`` returns its value."""

    __slots__ = ("_value",)

    def __init__(self, value: str):
        self._value = value
        Redactor.shared.learn(value)

    def reveal(self) -> str:
        """The value, for a request or a file of mode 600; never for a message or a command line."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret must not be serialized")


class Redactor:
    """Redacts text: the secrets known to this process, however they are written, and whatever looks like one."""

    shared: Redactor

    def __init__(self, known: KnownSecrets | None = None) -> None:
        self._known = known or KnownSecrets()

    def copy(self) -> Redactor:
        """One that knows the same secrets; what one learns from now on, the other doesn't know."""
        return Redactor(self._known.copy())

    def learn(self, value: str) -> None:
        """Redact this value from now on. Values of fewer than 8 characters are too common."""
        self._known.add(value)

    def redact(self, text: str) -> str:
        """The text without secrets."""
        # The gate starts without these: where nothing is wrong it has nothing to redact.
        from lago_acceptance.core.assignments import without_assigned
        from lago_acceptance.core.secret_patterns import without_credentials, without_key_material

        text = without_key_material(self._known.replaced(text, "<secret>"))
        return without_assigned(without_credentials(text))

    def leaks(self, text: str) -> bool:
        """Whether a text still contains a known secret or key material."""
        from lago_acceptance.core.secret_patterns import KEY_HEADER, KEY_IN_BASE64

        return self._known.within(text) or any(each.search(text) for each in (KEY_HEADER, KEY_IN_BASE64))


Redactor.shared = Redactor()


def redact(text: str) -> str:
    """The text without secrets; see ``Redactor``."""
    return Redactor.shared.redact(text)


def excerpt(text: str, length: int) -> str:
    """The beginning of a text from elsewhere, on one line and without secrets."""
    return redact(" ".join(text[:_READ].split()))[:length]
