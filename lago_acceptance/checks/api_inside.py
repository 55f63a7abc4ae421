"""Checks of the API as it answers inside its own container."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, database_trouble, schema
from lago_acceptance.checks.inside import NO_KEY, SET_KEY, SILENT, limited
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import LagoProcess
from lago_acceptance.facts.late import MARK
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.facts.untrusted import decoded

ORGANIZATION = "/api/v1/organizations"


def answering_process(facts: Facts) -> LagoProcess:
    """What the API answered inside its container. Blocked where it did not."""
    process = facts.process(availability.running(facts, API))
    if process.error:
        by = database_trouble.database_trouble(facts) or "api-unhealthy"
        raise Blocked(by, f"the API did not answer in its own container: {process.error}")
    return process


def process_with_accepted_key(facts: Facts, settings: Settings) -> LagoProcess:
    """The same, where the API accepts the key in its container. Blocked or Unknown where it does not."""
    for finding in accepts_its_own_key(facts, settings):
        raise Blocked(
            finding.id, f"the API answers {answering_process(facts).status(ORGANIZATION)} to its own key"
        )
    return answering_process(facts)


@registry.check(
    phase=2,
    errors={
        "api-unhealthy": "The API answers /health with 200.",
        "version-unexpected": "The version of Lago that runs is the one in settings.toml, else that of the image's tag.",
    },
)
def is_healthy_and_of_the_expected_version(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """/health answers 200 with Lago's JSON and the expected version. It checks nothing but PostgreSQL."""
    container = availability.running(facts, API)
    process = facts.process(container)
    answer = process.answers.get("/health")
    if answer is None and MARK in process.error:
        yield _late(facts, container, process.error)
        return
    if answer is None:
        database_trouble.must_be_without(facts, "/health does not answer inside the container")
        yield _unhealthy(f"/health does not answer inside the container: {process.error or 'no reply'}")
        return
    body = decoded(process.health)
    if answer.status != 200:
        database_trouble.must_be_without(facts, f"/health answers {answer.status}")
    if not isinstance(body, dict):
        yield _unhealthy(f"/health answers {answer.status} {answer.type}, which is not JSON")
    elif answer.status != 200:
        details = str(body.get("details", ""))[:200]
        yield _unhealthy(f"/health answers {answer.status}: {body.get('message')} {details}")
    elif (expected := settings.deployment.version) and body.get("version") != expected:
        yield Finding(
            id="version-unexpected",
            role=API,
            problem=f"Lago {body.get('version')} is running, and {expected} is expected",
            impact="the database may have been migrated to another version already, and going back needs more than "
            "the old image",
            fix="deploy the expected image, or change deployment.version in settings.toml as part of the upgrade",
        )


def _late(facts: Facts, container: Container, why: str) -> Finding:
    """An answer that did not come is no wrong one: the finding for it, with the host's load."""
    load = facts.load_text()
    return Finding(
        id="api-unhealthy",
        role=API,
        problem=f"asked twice, /health gives {why} inside the container" + (f"; {load}" if load else ""),
        impact="requests from the gateway and the web UI wait as long or time out",
        fix=f"see what it waits for (docker logs --since 10m {container.name}) and what takes the processors "
        "(docker stats --no-stream)",
    )


def _unhealthy(problem: str) -> Finding:
    return Finding(
        id="api-unhealthy",
        role=API,
        problem=problem,
        impact="requests from the gateway and the web UI fail",
        fix="check the API's log and the database: /health checks nothing but PostgreSQL",
    )


@registry.check(
    phase=2,
    errors={
        "api-refuses-its-key": "The API accepts the key that its own container was given.",
        "api-fails": "The API answers an authenticated request.",
    },
)
def accepts_its_own_key(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """GET /api/v1/organizations answers 200 to the LAGO_API_KEY of the API's own container.

    /health stays green while every real request fails: this one reads the database. Blocked where the database itself
    says why it can't be read.
    """
    process = answering_process(facts)
    if not process.with_key:
        raise Unknown(
            "the API container has no LAGO_API_KEY, so authenticated requests can't be made from inside",
            why=NO_KEY,
            fix=SET_KEY,
        )
    status = process.status(ORGANIZATION)
    # A key whose row can't be read is refused, too.
    if status != 200:
        database_trouble.must_be_without(facts, f"the API answers {status or 'nothing'} to its own key")
    if status is None:
        raise Unknown("the API did not report how it answers its own key", why=SILENT)
    if status == 403:
        raise limited("API", "organization")
    if status == 401:
        yield Finding(
            id="api-refuses-its-key",
            role=API,
            problem="Lago does not know the API key in its own container's environment (401)",
            impact="every request that uses this key is refused, the gateway's first of all",
            fix="seed with LAGO_ORG_API_KEY and LAGO_API_KEY both set to that key: 1.16.0 uses the value of the "
            "second only if the first is set; the key in an existing volume does not change",
        )
    elif status != 200 and schema.is_not_the_images(facts, settings):
        raise Blocked(
            "schema-not-the-images",
            f"the API answers {status}, and its database has another version's schema",
        )
    elif status != 200:
        yield Finding(
            id="api-fails",
            role=API,
            problem=f"GET {ORGANIZATION} answers {status} while /health is green",
            impact="requests from the gateway and the web UI fail",
            fix="read the API's log from the first ERROR on",
        )
