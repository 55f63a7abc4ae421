"""Phase 1: Lago has loaded that very key, signs with it, and it is nowhere else."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import diagnosis, rsa_key, schema
from lago_acceptance.checks.inside import LIMITED
from lago_acceptance.core.findings import Finding, Place, Red
from lago_acceptance.core.roles import API, LAGO_RUBY
from lago_acceptance.core.secrets import MaskedSecret
from lago_acceptance.core.verdicts import Blocked, Unknown

pytestmark = [pytest.mark.smoke, pytest.mark.phase1]


@pytest.fixture(scope="module")
def mounted(facts, settings):
    """The one key file that is mounted; its digest is that of the public half. Of a key in a volume, the one that the
    API has loaded from it."""
    mounted = rsa_key.mounted_keys(facts)
    digests = {key.file.digest for key in mounted if key.file.digest}
    if not mounted and rsa_key.in_volumes(facts, settings):
        if (api := facts.running(API)) is None:
            raise Blocked(
                diagnosis.blocker(facts), "the API does not run, which could tell the key in its volume"
            )
        digests = {digest for digest in [rsa_key.effective_key(facts, api).public] if digest}
        if not digests:
            raise Unknown("the API did not tell which key it has loaded from its volume")
    if not digests and (unseen := next((key.file.unseen for key in mounted if key.file.unseen), "")):
        raise Unknown(unseen)
    if len(digests) != 1:
        raise Blocked(
            "rsa-key-differs" if digests else "rsa-key-not-mounted",
            "there is no one mounted key to compare with",
        )
    return digests.pop()


@pytest.fixture(scope="module")
def answers(facts):
    """What the API answered inside its own container."""
    api = facts.running(API)
    if api is None:
        raise Blocked(diagnosis.blocker(facts), "the API does not run")
    answers = facts.process(api)
    if answers.error:
        raise Blocked("api-unhealthy", f"the API gave no answer in its own container: {answers.error}")
    return answers


@pytest.fixture(scope="module")
def answers_with_key(facts, settings, answers):
    """The same, where an API key is known in the container."""
    if not answers.with_key:
        raise Unknown("the API container has no LAGO_API_KEY, so what needs a key can't be asked from inside")
    status = answers.status("/api/v1/organizations")
    if status == 403:
        raise Unknown(LIMITED.format("API", "organization"))
    if status != 200:
        by = "schema-not-the-images" if schema.is_not_the_images(facts, settings) else "api-fails"
        raise Blocked(
            "api-refuses-its-key" if status == 401 else by, f"the API answers {status} to its own key"
        )
    return answers


def test_lago_loads_its_key(facts, judge):
    if trouble := diagnosis.key_trouble(facts):
        container, cause, line = trouble
        what = diagnosis.symptom(container) or "was restarted"
        raise Red(
            Finding(
                id=cause.id,
                role=container.role,
                service=container.service.name,
                problem=f"{cause.problem}; {container.service.name} {what}: {line[:200]}",
                impact=cause.impact,
                fix=cause.fix,
            )
        )
    holders = rsa_key.holders(facts)
    if not holders:
        raise Blocked(diagnosis.blocker(facts), "neither API, worker nor clock runs")
    findings = []
    for container in holders:
        key = rsa_key.effective_key(facts, container)
        if key.error:
            findings.append(
                Finding(
                    id="rsa-key-unloadable",
                    role=container.role,
                    service=container.service.name,
                    problem=f"what LAGO_RSA_PRIVATE_KEY holds in this container can't be loaded: {key.error}",
                    impact="the container runs with an older value, and will not come back from its next "
                    "restart",
                    fix="give it the base64 of the whole private PEM, once, and restart it",
                )
            )
        elif key.public and not (key.private and key.consistent and (key.bits or 0) >= 2048):
            findings.append(
                Finding(
                    id="rsa-key-unfit",
                    role=container.role,
                    service=container.service.name,
                    problem="the loaded key is "
                    + (
                        "public only"
                        if not key.private
                        else f"of {key.bits} bits"
                        if (key.bits or 0) < 2048
                        else "inconsistent"
                    ),
                    impact="webhooks and tokens are not signed, or signed so that nobody can verify them",
                    fix="mount the whole private PEM of at least 2048 bits",
                )
            )
    judge(findings)


def test_every_process_holds_the_mounted_key(facts, mounted, judge):
    holders = rsa_key.holders(facts)
    if not holders:
        raise Blocked(diagnosis.blocker(facts), "neither API, worker nor clock runs")
    judge(
        Finding(
            id="rsa-key-not-the-mounted-one",
            role=container.role,
            service=container.service.name,
            problem="the key that this process holds is not the mounted one",
            impact="webhooks are signed with a key whose public half the API does not serve",
            fix="remove every other source of LAGO_RSA_PRIVATE_KEY, mount one PEM everywhere, recreate "
            "the container",
        )
        for container in holders
        if (key := rsa_key.effective_key(facts, container)) and key.public and key.public != mounted
    )


def test_the_api_serves_the_public_half_of_the_mounted_key(answers_with_key, mounted):
    served = answers_with_key.served
    if served is None:
        status = answers_with_key.status("/api/v1/webhooks/public_key")
        if status == 403:
            raise Unknown(LIMITED.format("API", "webhooks' public key"))
        raise Red(
            served_finding(
                f"the API serves no public key: it answers {status} {answers_with_key.served_error}"
            )
        )
    if served != mounted:
        raise Red(
            served_finding("the public key that the API serves is not the public half of the mounted PEM")
        )


def served_finding(problem: str) -> Finding:
    """The finding for a public key that does not fit."""
    return Finding(
        id="rsa-served-key-differs",
        role=API,
        problem=problem,
        impact="receivers verify webhooks with a key that does not fit",
        fix="restart the API after a change of the PEM, and remove other sources of LAGO_RSA_PRIVATE_KEY",
    )


def test_a_token_that_the_api_signs_verifies(answers_with_key):
    if answers_with_key.token_verifies is not True:
        status = answers_with_key.status("/api/v1/organizations/grpc_token")
        raise Red(
            Finding(
                id="rsa-token-unverified",
                role=API,
                problem=f"the API signed no token that its own public key verifies (grpc_token answers {status}"
                + (f", {answers_with_key.served_error}" if answers_with_key.served_error else "")
                + ")",
                impact="webhooks go out unsigned or not at all",
                fix="mount the private key, not its public half, and look for the first error in the "
                "API's log",
            )
        )


def test_docker_exec_has_the_key_too(facts, judge):
    holders = [container for container in rsa_key.holders(facts) if container.id in facts.lago]
    if not holders:
        raise Blocked(diagnosis.blocker(facts), "neither API, worker nor clock runs")
    judge(
        Finding(
            id="rsa-key-absent-in-exec",
            role=container.role,
            service=container.service.name,
            severity="warning",
            problem="docker exec … bundle exec rails has no key: only the entrypoint's shell sets it",
            impact="migrations, seeding and consoles by hand die with NoMethodError unpack1, on the "
            "night they are needed",
            fix="set the key by RUBYOPT and rsa_key.rb as in compose/docker-compose.lago.yml",
        )
        for container in holders
        if facts.lago[container.id].exec is False
    )


def test_no_key_material_in_files_environment_or_logs(facts, judge):
    findings = [
        Finding(
            id="rsa-key-in-file",
            place=Place(text.path, text.key_lines[0]),
            problem="the file holds a private key",
            impact="who can read the file, its backups or its repository can sign as this Lago; and "
            "quoting breaks the key",
            fix="keep the key in lago_rsa_private.pem alone, mount it, and make a new one, for this one "
            "is known",
        )
        for text in facts.texts
        if text.key_lines
    ]
    for container in facts.containers:
        for name, value in container.service.environment.items():
            if isinstance(value, str) and MaskedSecret(value).shape in (
                "pem",
                "pem-mangled",
                "base64",
                "base64-twice",
                "base64-mangled",
                "der",
            ):
                findings.append(
                    Finding(
                        id="rsa-key-in-environment",
                        role=container.role,
                        service=container.service.name,
                        problem=f"the container's configured variable {name} holds a key",
                        impact="docker inspect shows it to everybody who may talk to Docker, and it "
                        "stays in Docker's files",
                        fix="mount the PEM and let rsa_key.rb set the variable inside",
                    )
                )
        if any("<key material>" in line for line in facts.log(container)):
            findings.append(
                Finding(
                    id="rsa-key-in-log",
                    role=container.role,
                    service=container.service.name,
                    problem="the container has printed key material",
                    impact="the key is wherever logs go",
                    fix="find what prints it (echo, set -x, env), remove it, rotate the log, and make a "
                    "new key",
                )
            )
    judge(findings)


def test_the_processes_that_share_the_key_are_there(facts, judge):
    present = {service.role for service in rsa_key.lago_services(facts)}
    judge(
        Finding(
            id="service-missing",
            role=role,
            problem=f"no {role} service is there",
            impact={
                "migrate": "nobody migrates the database before the API starts, or the API does it itself and goes on when it fails",
                "api": "there is no Lago",
                "worker": "no invoice, no webhook, no usage: nothing is billed",
                "clock": "no recurring invoice, no activation, no termination",
            }[role],
            fix=f"add the service as in compose/docker-compose.lago.yml ({role})",
        )
        for role in LAGO_RUBY
        if role not in present
    )
