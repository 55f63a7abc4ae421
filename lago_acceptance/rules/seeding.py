"""Rules about seeding the first organization, and about sign-up."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
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


@rule(phase=2)
def signup_disabled_only_in_ui(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sign-up is disabled at the API wherever the front hides it."""
    fronts = [front for front in model.of_role(FRONT) if front.value("LAGO_DISABLE_SIGNUP") == "true"]
    for service in model.of_role(API) if fronts else ():
        if service.value("LAGO_DISABLE_SIGNUP") != "true" and not unknown(
            service.value("LAGO_DISABLE_SIGNUP")
        ):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_DISABLE_SIGNUP"),
                problem="LAGO_DISABLE_SIGNUP is true on the front, but not on the API",
                impact="the page hides sign-up, but anyone can register through GraphQL",
                fix='set LAGO_DISABLE_SIGNUP: "true" on both',
            )


@rule(phase=2)
def seeding_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """The variables that seed the first organization are complete.

    Before v1.19.1 Lago adds an API key if LAGO_ORG_API_KEY is set, but takes its value from LAGO_API_KEY:
    both must be set.
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
                problem=f"LAGO_CREATE_ORG is true, but {', '.join(needed)} is empty",
                impact="seeding stops with a RuntimeError: there is no organization, and every login fails",
                fix="set all three, or remove LAGO_CREATE_ORG",
            )
        email = service.value("LAGO_ORG_USER_EMAIL")
        if not unknown(email) and email != email.lower():
            yield Violation(
                service=service,
                at=variable(service, "LAGO_ORG_USER_EMAIL"),
                severity=Severity.WARNING,
                problem="LAGO_ORG_USER_EMAIL contains upper-case letters",
                impact="the login page converts the address to lower case: that user can't log in",
                fix="write it in lower case",
            )
        if (
            before(service, settings, (1, 19, 1))
            and service.value("LAGO_ORG_API_KEY")
            and not service.value("LAGO_API_KEY")
        ):
            yield Violation(
                service=service,
                at=variable(service, "LAGO_ORG_API_KEY"),
                problem="LAGO_ORG_API_KEY is set without LAGO_API_KEY, which holds the value in this "
                "version of Lago",
                impact="each start adds a random API key and then fails with value_is_mandatory",
                fix="set LAGO_API_KEY to the same key",
            )
