"""Lago's API keys for the gateway: which there are, a new one, the gateway's own file, and the end of the old one.

The old key is valid, and in place, until all else has been seen to work; a rotation that is cut off undoes itself.
Keys that are read or made by the host stay there (docs/lago-facts.md, sections 2.2 and 3.10).
"""

from __future__ import annotations

import base64
import hashlib
import re

import msgspec

from lago_acceptance.clients.graphql import GraphQL
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy.session import part
from lago_acceptance.deploy.small_change import RAILS_SECONDS, Place, SmallChange
from lago_acceptance.deploy.steps import Step
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.scenarios.dedicated_organization import NAME as SUITES_OWN

SHOWN = 4
CREATE = Step("create_key", "creating a new key in Lago", "the new key could not be created", RAILS_SECONDS)
GIVE = Step("give_key", "writing the key into the gateway's file", "the gateway's file was not changed", 60)
RESTART = Step(
    "restart_gateway", "recreating the gateway's container", "the gateway could not be restarted", 240
)
SEED = Step(
    "seed_key",
    "replacing the old key in Lago's own variables",
    "the key that Lago seeds was not changed",
    60,
)
REVOKE = Step("revoke_key", "revoking the old key", "the old key could not be revoked", RAILS_SECONDS)

_ID = re.compile(r"[0-9a-f-]{36}")
_PRELUDE = """LC_ALL=C
export LC_ALL
tab='\t'
say() { printf '%s\\n' "$*"; }
fail() { say "$*" && exit 1; }
"""
NO_GATEWAY = (
    "settings.toml has no [gateway] section, so it is not known which file the gateway reads its key from. If the gateway "
    "has its key and address hard-coded in its source, and reads no variables, change them there, then rebuild and restart it"
)


class Key(msgspec.Struct, frozen=True):
    """An active API key: its id in Lago, the SHA-256 of its value, and when it was made (Unix time)."""

    id: str
    digest: str
    created: int

    @property
    def shown(self) -> str:
        """What people know it by: the first characters of its digest."""
        return self.digest[:SHOWN]


class Organization(msgspec.Struct, frozen=True):
    """An organization of Lago and its active keys, the oldest first."""

    id: str
    name: str
    keys: tuple[Key, ...]

    def key(self, wanted: str = "") -> Key:
        """The only key, or the one whose digest begins with ``wanted``. UsageError where that is not exactly one."""
        found = [key for key in self.keys if key.digest.startswith(wanted)]
        if len(found) == 1:
            return found[0]
        have = ", ".join(key.shown for key in self.keys) or "none"
        if wanted or not self.keys:
            raise UsageError(
                f"{self.name} has no key {wanted or 'at all'}; it has {have}. Create one with --create"
                if not found
                else f"{len(found)} keys of {self.name} begin with {wanted}: give more characters"
            )
        raise UsageError(
            f"{self.name} has {len(found)} keys: {have}; say which with --key, or make one with --create"
        )


class GatewayKeys(msgspec.Struct, frozen=True):
    """SHA-256 of the key in the gateway's file, in its running container, and of the one before; "" without one."""

    file: str
    container: str
    before: str


def organizations(host: Host, place: Place) -> tuple[Organization, ...]:
    """All organizations but the suite's own, the oldest first. Unreachable where Lago can't be asked."""
    return _parsed(_asked(host, place, "organizations"))


def _parsed(lines: list[list[str]]) -> tuple[Organization, ...]:
    found: list[Organization] = []
    for line in lines:
        match line:
            case ["organization", id, name] if _ID.fullmatch(id):
                found.append(
                    Organization(id, one_line(base64.b64decode(name).decode("utf-8", "replace")), ())
                )
            case ["key", id, digest, created] if found and _ID.fullmatch(id):
                last = found[-1]
                keys = sorted((*last.keys, Key(id, digest, int(created))), key=lambda key: key.created)
                found[-1] = msgspec.structs.replace(last, keys=tuple(keys))
    return tuple(each for each in found if each.name != SUITES_OWN)


def chosen(found: tuple[Organization, ...], name: str = "") -> Organization:
    """The organization of this name, or the only one. UsageError in one sentence where there is no such one."""
    if name == SUITES_OWN:
        raise UsageError(f"{name!r} is this suite's own organization, and no customer is billed by it")
    have = ", ".join(repr(each.name) for each in found)
    fitting = [each for each in found if not name or each.name == name]
    if len(fitting) == 1:
        return fitting[0]
    if not found:
        raise UsageError(
            "Lago has no organization yet: sign up in the web UI, or deploy with LAGO_CREATE_ORG=true once"
        )
    if not fitting:
        raise UsageError(f"Lago has no organization {name!r}; it has {have}")
    if name:
        raise UsageError(f"{len(fitting)} organizations are called {name!r}: rename one in the web UI first")
    raise UsageError(f"Lago has {len(found)} organizations: {have}; say which with --organization")


def current(graphql: GraphQL, email: str, password: Secret, name: str = "") -> Secret:
    """The key that an organization's admin sees. LoginRefused, UsageError where the admin is in no such organization."""
    sessions = {session.organization: (each, session) for each, session in graphql.sessions(email, password)}
    mine = tuple(
        Organization(id, one_line(each), ()) for id, (each, _) in sessions.items() if each != SUITES_OWN
    )
    return graphql.api_key(sessions[chosen(mine, name).id][1])


def of_gateway(host: Host, place: Place) -> GatewayKeys:
    """Which keys the gateway has. UsageError without a [gateway] section, or where its file is not there."""
    if place.gateway is None:
        raise UsageError(NO_GATEWAY)
    return _gateway_keys(_asked(host, place, "gateway"))


def _gateway_keys(lines: list[list[str]]) -> GatewayKeys:
    found = {line[0]: line[1].strip("-") for line in lines if len(line) == 2}
    return GatewayKeys(*(found.get(name, "") for name in GatewayKeys.__struct_fields__))


def _asked(host: Host, place: Place, question: str) -> list[list[str]]:
    text = "".join((_PRELUDE, *map(part, ("host", "rails", "keys"))))
    asked = f"""{text}
if answer=$(ask_{question}); then say "$answer"; else printf 'problem\\t%s\\n' "$(say "$answer" | tail -n 1)"; fi
"""
    output = host.read(
        ReadCommand(f"{question} of Lago", asked, place.variables(host), deadline=RAILS_SECONDS)
    )
    lines = [line.split("\t") for line in output.splitlines()]
    if problem := next((line for line in lines if line[0] == "problem"), None):
        said = redact(" ".join(problem[1:]))
        if question == "gateway":
            raise UsageError(f"the gateway of {host.name} can't be inspected: {said}")
        raise Unreachable(f"Lago on {host.name} can't be asked for its {question}: {said}")
    return lines


class Rotation(SmallChange):
    """A change of the gateway's key, from the lock to its release. Its folder keeps the gateway's old file afterwards."""

    purpose, kept_in = "API key", "keys"

    def create(self, organization: Organization) -> str:
        """Create a key; the first characters of its digest. By Lago's models: GraphQL's createApiKey needs a premium license."""
        self.put("organization", organization.id)
        return self.take(CREATE).last[:SHOWN]

    def use(self, key: Key | Secret) -> None:
        """Use a key that is there already: one that the host reads by its id, or one that is known here."""
        if isinstance(key, Secret):
            self.put("key", key.reveal() + "\n")
            return
        self.put("key_id", key.id)
        self.ask("fetch_key", "the key can't be read in Lago")

    def give(self) -> None:
        """Write the key into the gateway's file, once Lago has accepted it."""
        self.ask("accepted", "the key is not given to the gateway")
        self.take(GIVE)

    def restart(self) -> None:
        """Recreate the gateway's container, so that it reads its file."""
        self.take(RESTART)

    def see(self) -> None:
        """See that the gateway runs with the key of its file, and that Lago accepts it."""
        self.ask("used", "the gateway does not use the new key")

    def gateway(self) -> GatewayKeys:
        """Which keys the gateway has now."""
        found = self.ask("gateway", "the gateway can't be inspected")
        return _gateway_keys([line.split("\t") for line in found.lines])

    def revoke(self, key: Key) -> bool:
        """End a key, and see that Lago refuses it and accepts the new one. Only after ``see``.

        Where the deployment's own variables have it too, they get the new one first; returns whether they had.
        """
        self.put("old_key_id", key.id)
        seeded = self.take(SEED).last
        self.take(REVOKE)
        self.ask("replaced", "the old key was not replaced")
        return bool(seeded)


def digest(key: Secret) -> str:
    """The SHA-256 of a key, as ``Key`` has it."""
    return hashlib.sha256(key.reveal().encode()).hexdigest()
