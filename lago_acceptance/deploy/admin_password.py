"""A new password for somebody who can't log in to Lago's web UI any more, by Lago's own models.

Lago sends no mail unless SMTP is set up, so "forgot password" sends nothing there. Sessions that are open stay so until they expire,
2 h 24 min after the last request (docs/lago-facts.md, section 3.10).
"""

from __future__ import annotations

import json

from lago_acceptance.clients.graphql import LOGIN
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy.small_change import RAILS_SECONDS, SmallChange
from lago_acceptance.deploy.steps import Step

SHORTEST = 8
RESET = Step("reset_password", "setting the new password", "the password was not changed", RAILS_SECONDS)


class PasswordReset(SmallChange):
    """One reset, from the lock to its release. Nothing of it stays on the host."""

    purpose = "admin's password"

    def reset(self, email: str, password: Secret) -> None:
        """Set the password, and see that Lago takes it. NotChanged, with the old one back, where it does not."""
        given = {"email": email, "password": password.reveal()}
        self.put("email", email)
        self.put("password", password.reveal())
        self.put("login", json.dumps({"query": LOGIN, "variables": {"input": given}}))
        self.take(RESET)
        self.ask("login", "the new password was tried")


def usable(text: str) -> Secret:
    """A password as a person, or a file, gives it: one line. UsageError where it can't be one."""
    password = text.removesuffix("\n").removesuffix("\r")
    if not password.isprintable() or len(password) < SHORTEST:
        raise UsageError(f"the new password must be one line of at least {SHORTEST} characters")
    return Secret(password)
