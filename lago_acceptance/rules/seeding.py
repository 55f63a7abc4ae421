"""Rules about seeding the first organization, and about sign-up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.releases import release_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, variable


@rule(phase=2, follows=("switch-misread",), follows_variable=("env-name-misspelled",))
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


@rule(phase=2, follows_variable=("env-name-misspelled",))
def seeding_incomplete(model: Model, settings: Settings) -> Iterator[Violation]:
    """The variables that seed the first organization are complete.

    From v1.16.0 to v1.19.0 Lago adds an API key if LAGO_ORG_API_KEY is set, but takes its value from LAGO_API_KEY:
    both must be set. Every other version takes it from LAGO_ORG_API_KEY.
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
        release = release_of(service, settings)
        right = release.seeded_key if release else ""
        wrong = {"LAGO_API_KEY": "LAGO_ORG_API_KEY", "LAGO_ORG_API_KEY": "LAGO_API_KEY"}.get(right, "")
        if wrong and service.value(wrong) and not service.value(right):
            yield Violation(
                service=service,
                at=variable(service, wrong),
                problem=f"{wrong} is set without {right}, which holds the key's value in this version of Lago",
                impact="each start adds a random API key and then fails with value_is_mandatory"
                if right == "LAGO_API_KEY"
                else "the organization gets a random API key, not this one",
                fix=f"set {right} to the same key",
            )


# What is written in a variable that is taken for a switch.
_GUESSED = (
    "true",
    "false",
    "set",
    "yes",
    "on",
    "1",
    "x",
    "y",
    "enabled",
    "key",
    "test",
    "changeme",
    "secret",
)


@rule(phase=2, declared_only=True)
def seeded_api_key_guessable(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API key that Lago seeds can't be guessed.

    Its value is that of LAGO_ORG_API_KEY; from v1.16.0 to v1.19.0 that variable is only a switch, and LAGO_API_KEY holds
    the value.
    """
    for service in lago(model):
        release = release_of(service, settings)
        name = release.seeded_key if release else ""
        value = service.value(name).strip().lower() if name else ""
        if service.value("LAGO_CREATE_ORG") == "true" and value in _GUESSED:
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"{name} is the API key's own value in this version of Lago, and it is a word that anyone can guess",
                impact="whoever tries it has full access to the API: customers, invoices, payments",
                fix=f"set {name} to a random key (openssl rand -hex 16), and delete the key {service.value(name)!r} in "
                "Lago if it was seeded already",
            )


@rule(
    phase=2,
    severity=Severity.WARNING,
    declared_only=True,
    follows=(
        "switch-misread",
        "seeding-incomplete",
    ),
    follows_variable=("env-name-misspelled",),
)
def nobody_can_log_in(model: Model, settings: Settings) -> Iterator[Violation]:
    """Where sign-up is closed, an organization is seeded.

    A new deployment has no user. Whoever closes sign-up at once needs LAGO_CREATE_ORG on a service that seeds:
    ./scripts/migrate.sh, ./scripts/start.sh or `rails signup:seed_organization`.
    """
    apis = model.of_role(API)
    if not apis or any(service.value("LAGO_DISABLE_SIGNUP") != "true" for service in apis):
        return
    services = lago(model)
    if any(service.environment_elsewhere or _seeds(service) for service in services):
        return
    meant = [
        (service, name)
        for service in services
        for name in ("LAGO_CREATE_ORG", "LAGO_ORG_USER_EMAIL", "LAGO_ORG_NAME")
        if service.value(name) and not unknown(service.value(name))
    ]
    if meant:
        service, name = meant[0]
        yield Violation(
            service=service,
            at=variable(service, name),
            problem="sign-up is closed, and no service seeds an organization"
            + (
                " (LAGO_CREATE_ORG is true where nothing runs the seeding)"
                if service.value("LAGO_CREATE_ORG") == "true"
                else " (LAGO_CREATE_ORG is not true)"
            ),
            impact="a new deployment has no user and lets nobody register: nobody can ever log in",
            fix='set LAGO_CREATE_ORG: "true" on the service that runs the migrations, or leave sign-up open until the '
            "first user is registered",
        )


def _seeds(service: Service) -> bool:
    value = service.value("LAGO_CREATE_ORG")
    runs = not service.command or re.search(
        r"migrate\.sh|start\.sh|seed_organization|\.rb\b", service.full_command
    )
    return bool(runs or service.role not in LAGO_RUBY) and (value == "true" or unknown(value))
