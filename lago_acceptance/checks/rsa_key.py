"""Checks of the RSA key in use: every process has loaded the mounted key, the API signs with it, and it is nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import api_inside, availability, diagnosis, rsa_pem
from lago_acceptance.checks.container_ends import since_when
from lago_acceptance.checks.inside import SILENT, limited
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.roles import API, CLOCK, WORKER
from lago_acceptance.core.secrets import MaskedSecret
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import LoadedKey
from lago_acceptance.facts.types import Container, Facts

UNREPORTED = "Lago's processes did not report the key that they have loaded"
_KEY_SHAPES = ("pem", "pem-mangled", "base64", "base64-twice", "base64-mangled", "der")
_PUBLIC_KEY, _TOKEN = "/api/v1/webhooks/public_key", "/api/v1/organizations/grpc_token"


def loaded_keys(facts: Facts) -> tuple[tuple[Container, LoadedKey], ...]:
    """The running processes that keep the key in memory, each with what its Ruby makes of it."""
    return tuple(
        (container, facts.process(container).key or LoadedKey())
        for container in availability.running_lago(facts, API, WORKER, CLOCK)
    )


def mounted(facts: Facts, settings: Settings) -> str:
    """The digest of the public half of the one key that is mounted; of a key in a volume or a variable, as the API has loaded it."""
    keys = rsa_pem.mounted_keys(facts)
    digests = {key.file.digest for key in keys if key.file.digest}
    by_variable = not settings.deployment.mounted_key
    if not keys and (by_variable or rsa_pem.in_volumes(facts, settings)):
        process = facts.process(
            availability.running(facts, API, "the API, which has loaded the key, is not running")
        )
        if not (process.key and process.key.public):
            raise Unknown("the API did not report which key it has loaded", why=UNREPORTED)
        digests = {process.key.public}
    if not digests and (unseen := next((key.file.unseen for key in keys if key.file.unseen), "")):
        raise rsa_pem.unseen(unseen)
    if len(digests) != 1:
        missing = "there is no single mounted key to compare with"
        raise Blocked("rsa-key-differs", missing) if digests else rsa_pem.not_mounted(settings, missing)
    return digests.pop()


# The ids of what keeps a process from loading its key are those of lago/log_causes.py.
@registry.check(phase=1, errors={"rsa-key-unfit": "The key that Lago has loaded can sign."})
def is_loaded(facts: Facts) -> Iterator[Finding]:
    """API, worker and clock have loaded a private RSA key of at least 2048 bits."""
    if trouble := diagnosis.key_trouble(facts):
        container, cause, line = trouble
        what = (diagnosis.symptom(container) or "was restarted") + since_when(facts, container)
        yield Finding(
            id=cause.id,
            role=container.role,
            service=container.service.name,
            problem=f"{cause.problem}; {container.service.name} {what}: {line[:200]}",
            impact=cause.impact,
            fix=cause.fix,
        )
        return
    keys = loaded_keys(facts)
    findings = [finding for container, key in keys for finding in _unusable(container, key)]
    silent = [container.service.name for container, key in keys if not key.error and not key.public]
    if silent and not findings:
        raise Unknown(
            f"the key that {', '.join(silent)} has loaded could not be read inside the container",
            why=UNREPORTED,
        )
    yield from findings


def _unusable(container: Container, key: LoadedKey) -> Iterator[Finding]:
    if key.error:
        yield Finding(
            id="rsa-key-unloadable",
            role=container.role,
            service=container.service.name,
            problem=f"LAGO_RSA_PRIVATE_KEY in this container can't be loaded: {key.error}",
            impact="the container runs with an older value, and will not survive its next restart",
            fix="set it to the base64 of the whole private PEM, encoded once, and restart the container",
        )
        return
    if key.private is False:
        defect = "public only"
    elif key.bits is not None and key.bits < 2048:
        defect = f"of {key.bits} bits"
    elif key.consistent is False:
        defect = "inconsistent"
    else:
        return
    yield Finding(
        id="rsa-key-unfit",
        role=container.role,
        service=container.service.name,
        problem=f"the loaded key is {defect}",
        impact="webhooks and tokens are not signed, or signed so that no receiver can verify them",
        fix="mount the whole private PEM of at least 2048 bits",
    )


@registry.check(
    phase=1, errors={"rsa-key-not-the-mounted-one": "Every process has loaded the key that is mounted."}
)
def is_the_mounted_one(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The key in the memory of API, worker and clock is the mounted one, by the digest of its public half."""
    expected = mounted(facts, settings)
    keys = loaded_keys(facts)
    if not any(key.public for _, key in keys):
        if any(key.error for _, key in keys):
            raise Blocked("rsa-key-unloadable", "no process has loaded a key that could be compared")
        raise Unknown("no process reported the key that it has loaded", why=UNREPORTED)
    for container, key in keys:
        if key.public and key.public != expected:
            yield Finding(
                id="rsa-key-not-the-mounted-one",
                role=container.role,
                service=container.service.name,
                problem="the key that this process has loaded is not the mounted one, or not that of the API",
                impact="webhooks are signed with a key whose public half the API does not serve",
                fix="remove every other source of LAGO_RSA_PRIVATE_KEY, mount the same PEM everywhere, recreate the "
                "container",
            )


@registry.check(
    phase=1, errors={"rsa-served-key-differs": "The API serves the public half of the mounted key."}
)
def public_half_is_served(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """/api/v1/webhooks/public_key answers with the public half of the mounted PEM: receivers verify webhooks with it."""
    process = api_inside.process_with_accepted_key(facts, settings)
    expected = mounted(facts, settings)
    if process.served == expected:
        return
    status = process.status(_PUBLIC_KEY)
    if process.served is None and status == 403:
        raise limited("API", "webhooks' public key")
    if process.served is None and status is None:
        raise Unknown("the API did not report the public key that it serves", why=SILENT)
    yield Finding(
        id="rsa-served-key-differs",
        role=API,
        problem="the public key that the API serves is not the public half of the mounted PEM"
        if process.served
        else f"the API serves no public key: it answers {status} {process.served_error}",
        impact="receivers verify webhooks with the wrong key and reject them",
        fix="restart the API after a change of the PEM, and remove other sources of LAGO_RSA_PRIVATE_KEY",
    )


@registry.check(
    phase=1, errors={"rsa-token-unverified": "A token that the API signs verifies with its public key."}
)
def signed_token_verifies(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """A token of /api/v1/organizations/grpc_token verifies with the public key that the API serves."""
    process = api_inside.process_with_accepted_key(facts, settings)
    if process.token_verifies is True:
        return
    status = process.status(_TOKEN)
    for path, name in ((_PUBLIC_KEY, "webhooks' public key"), (_TOKEN, "organization's token")):
        if process.status(path) == 403:
            raise limited("API", name)
    error = f", {process.served_error}" if process.served_error else ""
    yield Finding(
        id="rsa-token-unverified",
        role=API,
        problem=f"no token of the API verifies with its own public key (grpc_token answers {status}{error})",
        impact="webhooks are sent unsigned or not at all",
        fix="mount the private key, not its public half, and find the first error in the API's log",
    )


@registry.check(
    phase=1, warnings={"rsa-key-absent-in-exec": "Commands run with docker exec have the key too."}
)
def is_there_in_docker_exec(facts: Facts) -> Iterator[Finding]:
    """Migrations, seeding and consoles run with docker exec find the key, not just what the entrypoint's shell starts."""
    containers = availability.running_lago(facts, API, WORKER, CLOCK)
    if all(facts.process(container).exec is None for container in containers):
        raise Unknown(
            "nothing could be run in Lago's containers that shows whether docker exec has the key",
            why="nothing could be run in Lago's containers in time",
            fix="run again; if it persists, the host is overloaded",
        )
    for container in containers:
        if facts.process(container).exec is False:
            yield Finding(
                id="rsa-key-absent-in-exec",
                role=container.role,
                service=container.service.name,
                problem="docker exec … bundle exec rails has no key: only the entrypoint's shell sets it",
                impact="migrations, seeding and consoles run by hand fail with NoMethodError unpack1, just when "
                "they are needed",
                fix="have every Ruby process set the key, by RUBYOPT=-r/path/to/a/file that sets LAGO_RSA_PRIVATE_KEY",
            )


@registry.check(
    phase=1,
    errors={
        "rsa-key-in-file": "No compose or environment file holds the private key.",
        "rsa-key-in-environment": "No container is configured with the key in its environment.",
        "rsa-key-in-log": "No container has logged key material.",
    },
)
def is_nowhere_else(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The key is only in the mounted PEM: not in a compose or environment file, a configured variable or a log."""
    for text in facts.texts:
        if text.key_lines:
            yield Finding(
                id="rsa-key-in-file",
                severity=rsa_pem.wanted(settings),
                place=Place(text.path, text.key_lines[0]),
                problem="the file holds a private key",
                impact="anybody who can read the file, its backups or its repository can sign as this Lago; and quoting "
                "breaks the key",
                fix="keep the key in lago_rsa_private.pem alone, mount it, and generate a new one: this one is no "
                "longer secret"
                if settings.deployment.mounted_key
                else f"let nobody else read the file (chmod 600 {text.path}), and keep it out of repositories",
            )
    for container in facts.containers:
        for name, value in container.service.environment.items():
            if isinstance(value, str) and MaskedSecret(value).shape in _KEY_SHAPES:
                yield Finding(
                    id="rsa-key-in-environment",
                    severity=rsa_pem.wanted(settings),
                    role=container.role,
                    service=container.service.name,
                    problem=f"the container's configured variable {name} holds a key",
                    impact="docker inspect shows it to everybody with access to Docker, and it stays in Docker's files",
                    fix="mount the PEM and let rsa_key.rb set the variable inside the container"
                    if settings.deployment.mounted_key
                    else rsa_pem.MOUNT_IT,
                )
        if any("<key material>" in line for line in facts.log(container)):
            yield Finding(
                id="rsa-key-in-log",
                role=container.role,
                service=container.service.name,
                problem="the container has logged key material",
                impact="the key is wherever the logs go",
                fix="find what prints it (echo, set -x, env), remove it, rotate the log, and generate a new key",
            )
