"""Phase 1: the RSA key lies on the host as a PEM and is mounted, read-only, where Lago's processes need
it."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.rsa_key import in_volumes, lago_services, mounted_keys
from lago_acceptance.core.findings import Finding, Place, Severity
from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.core.verdicts import Blocked, Unknown

pytestmark = [pytest.mark.smoke, pytest.mark.phase1]

STOPS = "migrate, api, worker and clock stop at start, and nothing is billed"
MAKE = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out lago_rsa_private.pem"


@pytest.fixture(scope="module")
def keys(facts):
    """The key files that Lago's services mount."""
    if not lago_services(facts):
        raise Blocked("service-missing", "no service of Lago is there that could mount a key")
    return mounted_keys(facts)


@pytest.fixture(scope="module")
def inside_docker(facts, settings):
    """The services that have their key in a volume of Docker's own."""
    return in_volumes(facts, settings)


@pytest.fixture(scope="module")
def files(keys, inside_docker):
    """Those files, each once. Unknown where this user may not even see whether they are there."""
    if not keys and inside_docker:
        raise Unknown("the key lies in a volume of Docker's own, where no file of the host's is looked at")
    if not keys:
        raise Blocked("rsa-key-not-mounted", "there is no mounted key to look at")
    if hidden := next((key.file for key in keys if key.file.kind == "hidden"), None):
        raise Unknown(hidden.unseen)
    return {key.file.path: key.file for key in keys}.values()


def test_the_key_is_mounted_into_every_process_that_needs_it(facts, keys, inside_docker, judge):
    mounting = {service.role for service in (*(key.service for key in keys), *inside_docker)}
    judge(
        Finding(
            id="rsa-key-not-mounted",
            role=service.role,
            service=service.name,
            problem="no PEM is mounted into this service",
            impact="its key comes from elsewhere (a compose file, an env file, a shell) or from nowhere, "
            "and can differ "
            "from the others'",
            fix="mount lago_rsa_private.pem and rsa_key.rb read-only, as compose/docker-compose.lago.yml "
            "does",
        )
        for service in lago_services(facts)
        if service.role not in mounting
    )


def test_the_pem_is_a_file(files, judge):
    judge(
        Finding(
            id="rsa-pem-is-a-folder" if file.kind == "directory" else "rsa-pem-absent",
            place=Place(file.path),
            problem="a folder is where the PEM should be; Docker makes one for a mount whose source is missing"
            if file.kind == "directory"
            else "there is no file",
            impact=STOPS,
            fix=f"take the containers down, remove the folder if there is one, and put the key there: {MAKE}",
        )
        for file in files
        if not file.is_file
    )


def test_only_its_owner_may_read_the_pem(files, judge):
    present = [file for file in files if file.is_file]
    if not present:
        raise Blocked("rsa-pem-absent", "there is no PEM whose mode could be judged")
    findings = [
        Finding(
            id="rsa-pem-readable-by-others",
            place=Place(file.path),
            problem=f"its mode is {file.mode}",
            impact="every account of the host can sign as this Lago",
            fix=f"chmod 600 {file.path}",
        )
        for file in present
        if not file.mode.endswith("00")
    ]
    findings += [
        Finding(
            id="rsa-pem-foreign-owner",
            place=Place(file.path),
            severity=Severity.WARNING,
            problem=f"it belongs to the user {file.owner}, not to root",
            impact="that account can replace the key, and webhooks are then signed by another one",
            fix=f"chown root:root {file.path}",
        )
        for file in present
        if file.owner != "0"
    ]
    judge(findings)


def test_the_pem_is_a_private_rsa_key_that_lago_can_use(files, judge):
    present = [file for file in files if file.is_file]
    if not present:
        raise Blocked("rsa-pem-absent", "there is no PEM to look into")
    if unseen := next((file.unseen for file in present if file.unseen), ""):
        raise Unknown(unseen)
    judge(filter(None, map(unusable, present)))


def unusable(file) -> Finding | None:
    """Why Lago can't use a key file, or None."""
    if not file.size:
        id, problem = "rsa-pem-empty", "the file is empty"
    elif "ENCRYPTED" in file.header:
        id, problem = "rsa-pem-encrypted", "the key is encrypted, and Lago has no pass phrase for it"
    elif "PUBLIC" in file.header or (file.digest and not file.private):
        id, problem = "rsa-pem-public", "it is the public half, which boots and can sign nothing"
    elif "EC " in file.header or (file.private and not file.rsa):
        id, problem = "rsa-pem-not-rsa", "it is not an RSA key"
    elif not file.private:
        id, problem = "rsa-pem-damaged", "openssl can't load it: it is cut off, retyped, or not a PEM at all"
    elif not file.consistent:
        id, problem = "rsa-pem-inconsistent", "its numbers contradict each other (openssl rsa -check fails)"
    elif file.bits < 2048:
        id, problem = "rsa-pem-short", f"it has {file.bits} bits; RS256 needs 2048"
    else:
        return None
    return Finding(
        id=id,
        place=Place(file.path),
        problem=problem,
        impact="webhooks and tokens can't be signed"
        if id in ("rsa-pem-public", "rsa-pem-inconsistent", "rsa-pem-short")
        else STOPS,
        fix=f"put the whole private PEM back from its backup, or make a new one: {MAKE}",
    )


def test_the_mount_is_read_only_and_the_same_everywhere(keys, inside_docker, judge):
    if not keys and inside_docker:
        raise Unknown(
            "the key lies in a volume of Docker's own; each process is held against the API's key instead"
        )
    if not keys:
        raise Blocked("rsa-key-not-mounted", "there is no mount to compare")
    findings = [
        Finding(
            id="rsa-key-mount-writable",
            role=key.service.role,
            service=key.service.name,
            problem=f"{key.mount.target} is mounted so that the container can write to it",
            impact="a process in the container can replace the key of the whole deployment",
            fix="add :ro, or read_only: true",
        )
        for key in keys
        if not key.mount.read_only
    ]
    used = {}
    for key in keys:
        used.setdefault((key.file.digest or key.file.path), []).append(key.service.name)
    if len(used) > 1:
        findings.append(
            Finding(
                id="rsa-key-differs",
                problem="services mount different keys: "
                f"{' against '.join(', '.join(names) for names in used.values())}",
                impact="the worker signs webhooks with one key and the API serves the public half of "
                "another: receivers "
                "refuse every webhook, and everything else looks well",
                fix=f"mount one and the same file into {', '.join(LAGO_RUBY)}",
            )
        )
    judge(findings)
