"""Rules about the first organization, and about sign-up."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.versions import before
from lago_acceptance.model.deployment import Model
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import (
    lago,
    variable,
)


@rule("signup-disabled-only-in-ui", phase=2)
def signup(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sign-up that the front hides is closed at the API too."""
    fronts = [front for front in model.of_role(FRONT) if front.value("LAGO_DISABLE_SIGNUP") == "true"]
    for service in model.of_role(API) if fronts else ():
        if service.value("LAGO_DISABLE_SIGNUP") != "true" and not unknown(
            service.value("LAGO_DISABLE_SIGNUP")
        ):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_DISABLE_SIGNUP"),
                wrong="LAGO_DISABLE_SIGNUP is true on the front and not on the API",
                leads_to="the page hides sign-up, but anybody can register through GraphQL",
                mend='LAGO_DISABLE_SIGNUP: "true" on both',
            )


@rule("seeding-incomplete", phase=2)
def seeding(model: Model, settings: Settings) -> Iterator[Violation]:
    """Seeding has what it needs, in the spelling that this version of Lago reads.

    Before v1.19.1 the branch is taken by LAGO_ORG_API_KEY and the value by LAGO_API_KEY: both must be set.
    """
    for service in lago(model):
        if service.value("LAGO_CREATE_ORG") != "true":
            continue
        needed = [
            name
            for name in ("LAGO_ORG_USER_PASSWORD", "LAGO_ORG_USER_EMAIL", "LAGO_ORG_NAME")
            if not service.value(name)
        ]
        if needed:
            yield Violation(
                service=service,
                at=variable(service, needed[0]),
                wrong=f"LAGO_CREATE_ORG is true, but {', '.join(needed)} is empty",
                leads_to="the seeding stops with a RuntimeError: no organization, nobody can log in",
                mend="set all three, or leave LAGO_CREATE_ORG out",
            )
        email = service.value("LAGO_ORG_USER_EMAIL")
        if not unknown(email) and email != email.lower():
            yield Violation(
                service=service,
                at=variable(service, "LAGO_ORG_USER_EMAIL"),
                severity=Severity.WARNING,
                wrong="LAGO_ORG_USER_EMAIL holds capitals",
                leads_to="the login page turns what is typed into small letters: that user can't log in",
                mend="write it in small letters",
            )
        if (
            before(service, settings, (1, 19, 1))
            and service.value("LAGO_ORG_API_KEY")
            and not service.value("LAGO_API_KEY")
        ):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_ORG_API_KEY"),
                wrong="LAGO_ORG_API_KEY is set without LAGO_API_KEY, whose value this version of Lago takes",
                leads_to="each start adds a random API key and then fails with value_is_mandatory",
                mend="set LAGO_API_KEY to the same key",
            )
