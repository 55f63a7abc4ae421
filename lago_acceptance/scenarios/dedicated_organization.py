"""The organization that a live run writes into: the suite's alone, beside production's, one for all runs.

Lago deletes neither organizations nor finalized invoices (docs/lago-facts.md, section 8), so there is one for
all runs, found by its name. Its key is made inside of the API container from Lago's own SECRET_KEY_BASE:
each run gets the same one, and nobody keeps it.
"""

from __future__ import annotations

import re

from lago_acceptance.clients.lago import Lago
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container
from lago_acceptance.hosts.base import Host, WriteCommand

NAME = "Lago acceptance checks, no customers"
EMAIL = "lago-acceptance@example.test"
# The real Lago took 3.5 s; a busy host takes longer.
SECONDS = 60
# `docker exec` does not pass through an entrypoint that wraps the key, but the main process has it. No value
# becomes an argument, for arguments can be read by anybody on the host.
SCRIPT = r"""
set -e
if [ -z "$LAGO_RSA_PRIVATE_KEY" ]; then
    LAGO_RSA_PRIVATE_KEY=$(tr '\0' '\n' </proc/1/environ | sed -n 's/^LAGO_RSA_PRIVATE_KEY=//p')
    export LAGO_RSA_PRIVATE_KEY
fi
own() {
    ruby -ropenssl -e 'puts OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("SECRET_KEY_BASE"), ARGV[0])' "$1"
}
key=$(own "lago-acceptance key" | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/')
password=$(own "lago-acceptance password")
LAGO_CREATE_ORG=true LAGO_ORG_NAME=$1 LAGO_ORG_USER_EMAIL=$2 LAGO_ORG_USER_PASSWORD=$password \
    LAGO_ORG_API_KEY=$key LAGO_API_KEY=$key bundle exec rails signup:seed_organization
printf 'key %s\n' "$key"
"""


def key(host: Host, api: Container, permit: Permit) -> Secret:
    """The key of the organization, which is made where it is not there yet. Unknown where Lago does not make
    it.
    """
    arguments = ("docker", "exec", api.id, "sh", "-c", SCRIPT, "sh", NAME, EMAIL)
    outcome = host.change(
        WriteCommand("making an organization of the suite's own", arguments, deadline=SECONDS), permit
    )
    found = re.search(r"^key ([0-9a-f-]{36})$", outcome.output, re.MULTILINE)
    if outcome.code or not found:
        lines = [line.strip() for line in outcome.output.splitlines() if line.strip()]
        said = outcome.stopped or (redact(lines[-1])[:200] if lines else f"exit code {outcome.code}")
        raise Unknown(f"nothing is written, for Lago made no organization of the suite's own: {said}")
    return Secret(found[1])


def must_be_own(lago: Lago) -> Lago:
    """The same client, once its key has turned out to be of this organization. Unknown, and nothing written,
    else.
    """
    if (name := lago.organization()["name"]) != NAME:
        raise Unknown(
            f"nothing is written, for the key that was made for this run belongs to the organization {name!r}"
        )
    return lago


def remains(lago: Lago) -> str:
    """What of a run stays, because Lago can't delete it."""
    counted = Attempt.of(lago.count, "invoices")
    invoices = "the" if counted.failure else str(counted.value())
    return (
        f"stays in Lago, which can't delete it: the organization {NAME!r} with its user {EMAIL}, its key, "
        f"and {invoices} finalized invoices of all runs with their files; the catalogue stays seeded there"
    )
