"""Credentials that are valid nowhere, so that Lago and its gateway must refuse them."""

from __future__ import annotations

import secrets
from functools import cached_property

from lago_acceptance.core.secrets import Secret


class InvalidCredentials:
    """Invalid credentials, the same ones for a whole run."""

    def __init__(self) -> None:
        self.email = f"nobody-{secrets.token_hex(6)}@example.test"
        self.password = Secret(secrets.token_hex(12))
        self.key = Secret(f"a-key-of-nobody-{secrets.token_hex(8)}")
        self.garbage = Secret("not.a.token")

    @cached_property
    def forged(self) -> Secret:
        """A well-formed token for a gateway that no issuer has signed."""
        from lago_acceptance.clients.token_issuer import Issuer
        from lago_acceptance.core.run import tenant_of

        return Issuer(tenant_of("nobody")).forged()

    def headers(self, bare: Secret | None = None) -> dict[str, dict[str, str]]:
        """Headers that Lago's API must refuse, by what is wrong; ``bare`` is a valid key to send without a scheme."""
        return {
            "without a key": {},
            "with a wrong key": {"Authorization": f"Bearer {self.key.reveal()}"},
            "with a key and no scheme": {"Authorization": (bare or self.key).reveal()},
        }
