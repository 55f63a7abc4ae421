"""``lago-acceptance api-key``: Lago's API keys, and the one that the gateway has."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lago_acceptance.cli import path
from lago_acceptance.cli.on_host import parser, place, reached
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import Deployment, Settings, load
from lago_acceptance.core.verdicts import Unknown, UsageError

if TYPE_CHECKING:
    from lago_acceptance.deploy.api_keys import Organization, Rotation
    from lago_acceptance.deploy.small_change import Place
    from lago_acceptance.hosts.base import Host

DESCRIPTION = """Lists Lago's API keys and shows which the gateway has; with options, replaces the gateway's key. Keys are
named by the first characters of their SHA-256 and never printed. A step that fails is undone: the old key stays valid and in place.
With LAGO_ADMIN_EMAIL and LAGO_ADMIN_PASSWORD set, the key of --give is the one that Lago's API shows to this admin."""


def run(arguments: Sequence[str]) -> int:
    """``lago-acceptance api-key``; returns the exit code."""
    from lago_acceptance.deploy.small_change import NotChanged

    wanted = _parser().parse_args(arguments)
    _check_words(wanted)
    # A file that can't be used, or lacks what is asked for, is reported before the host is asked.
    written = load(wanted.settings)
    if wanted.settings:
        _check_gateway(wanted, written)
    with reached(wanted.host, wanted.ssh_config) as host:
        found, settings = place(host, wanted.settings, wanted.project)
        _check_gateway(wanted, settings)
        if not (wanted.create or wanted.give or wanted.restart or wanted.revoke_old):
            return _list(host, found)
        try:
            return _change(host, found, wanted, settings)
        except NotChanged as error:
            print(f"lago-acceptance api-key: {error}", file=sys.stderr)
            return NOT_ACCEPTED


def _parser() -> argparse.ArgumentParser:
    made = parser("api-key", DESCRIPTION)
    made.add_argument("--create", action="store_true", help="create a new key in Lago")
    made.add_argument(
        "--organization", default="", metavar="NAME", help="whose key, if Lago has several organizations"
    )
    made.add_argument(
        "--key", default="", metavar="DIGEST", help="which key, by the first characters that the list shows"
    )
    made.add_argument("--give", action="store_true", help="write the key into the gateway's env file")
    made.add_argument(
        "--restart", action="store_true", help="recreate the gateway's container, so that it reads the file"
    )
    made.add_argument("--revoke-old", action="store_true", help="revoke the key that the gateway had before")
    made.add_argument(
        "--ca-file", type=path, metavar="PEM", help="trusted root certificates for Lago's public name"
    )
    return made


def _check_gateway(wanted: argparse.Namespace, settings: Settings) -> None:
    from lago_acceptance.deploy.api_keys import NO_GATEWAY

    gateway = settings.key_place
    if (wanted.give or wanted.restart or wanted.revoke_old) and gateway is None:
        raise UsageError(NO_GATEWAY)
    if (wanted.restart or wanted.revoke_old) and gateway and not (gateway.container or gateway.service):
        raise UsageError(
            f"{wanted.settings or 'settings.toml'} does not name the gateway's container: add container, or project and service, to [gateway]"
        )


def _check_words(wanted: argparse.Namespace) -> None:
    if wanted.create and wanted.key:
        raise UsageError("--key names an existing key, --create makes a new one: give one of the two")
    if wanted.key and not wanted.give:
        raise UsageError("--key says which key --give writes: add --give")


def _list(host: Host, place: Place) -> int:
    from lago_acceptance.deploy import api_keys

    gateway = api_keys.of_gateway(host, place) if place.gateway else None
    found = api_keys.organizations(host, place)
    for organization in found:
        print(f"{organization.name}: {', '.join(key.shown for key in organization.keys) or 'no key'}")
    if not found:
        print("Lago has no organization yet")
    if gateway is None:
        print(f"{api_keys.NO_GATEWAY}.")
        return ACCEPTED
    digests = {key.digest for organization in found for key in organization.keys}
    for where, digest in (
        (f"the gateway's file {place.gateway and place.gateway.env_file}", gateway.file),
        ("the gateway's container", gateway.container),
    ):
        accepted = (
            "a key that Lago knows" if digest in digests else "unknown to Lago: every billing request fails"
        )
        print(f"{where}: {f'{digest[: api_keys.SHOWN]}, {accepted}' if digest else 'no key'}")
    return ACCEPTED


def _change(host: Host, place: Place, wanted: argparse.Namespace, settings: Settings) -> int:
    from lago_acceptance.deploy import api_keys

    found = api_keys.organizations(host, place)
    own = api_keys.chosen(found, wanted.organization) if wanted.create or wanted.give else None
    key = None
    if own and not wanted.create:
        key = _seen_by_admin(wanted, settings, own.name) or own.key(wanted.key)
    with api_keys.Rotation(host, Permit("api-key"), place, _say) as rotation:
        if own and wanted.create:
            print(f"{rotation.create(own)} is a new key of {own.name}")
        elif key:
            rotation.use(key)
        if wanted.give:
            rotation.give()
        if wanted.restart:
            rotation.restart()
        if wanted.restart or wanted.revoke_old:
            rotation.see()
            print("the gateway runs with the key of its file, and Lago accepts it")
        if wanted.revoke_old:
            _revoke(rotation, found, own, settings.deployment)
        rotation.accept()
    _say_what_next(wanted, rotation.kept)
    return ACCEPTED


def _seen_by_admin(wanted: argparse.Namespace, settings: Settings, organization: str) -> Secret | None:
    """The key by GraphQL, where an admin's login is given and no other key is asked for."""
    email, password = (os.environ.get(name, "") for name in ("LAGO_ADMIN_EMAIL", "LAGO_ADMIN_PASSWORD"))
    if wanted.key or not (email and password):
        return None
    from lago_acceptance.clients.connection import through
    from lago_acceptance.clients.graphql import GraphQL, LoginRefused
    from lago_acceptance.core.options import roots_of
    from lago_acceptance.deploy import api_keys
    from lago_acceptance.probes.public_endpoints import SYSTEM, PublicEndpoints, Resolver

    url = settings.url(API)
    view = PublicEndpoints(
        urls={API: url} if url else {},
        browser_api=settings.browser_api,
        resolvers=(Resolver(SYSTEM),),
        origin=None,
        roots=roots_of(wanted.ca_file),
    )
    try:
        return api_keys.current(GraphQL(through(view, API)), email, Secret(password), organization)
    except (LoginRefused, Unknown) as error:
        print(f"{error}, so the key is read in Lago's container")
        return None


def _revoke(
    rotation: Rotation, found: Sequence[Organization], given: Organization | None, deployment: Deployment
) -> None:
    now = rotation.gateway()
    of = {key.digest: (organization, key) for organization in found for key in organization.keys}
    if now.before not in of:
        print("no key to revoke: what the gateway had before is not a valid Lago key")
        return
    owner, old = of[now.before]
    new_owner = given or (of[now.file][0] if now.file in of else owner)
    if new_owner.id != owner.id:
        rotation.refuse(
            f"the old key belongs to {owner.name}, the new one to {new_owner.name}: others may use it, so revoke it in the "
            "web UI (Developers, API keys)"
        )
    seeded = rotation.revoke(old)
    print(f"{old.shown} is revoked: Lago refuses it, and accepts the gateway's key")
    if seeded:
        print(
            f"{deployment.env_file} has the new key too, because Lago seeds it at every start: copy it into the folder that you deploy "
            "from. Lago's containers have the old one in LAGO_API_KEY until they are recreated, and until then lago-acceptance "
            f"live asks with it: {deployment.start}"
        )


def _say_what_next(wanted: argparse.Namespace, kept: str) -> None:
    again = f"lago-acceptance api-key {wanted.host}"
    if wanted.give:
        print(f"the gateway's old file is kept in {kept}/backup")
    if wanted.create and not wanted.give:
        print(f"the gateway does not have it yet: {again} --give --key DIGEST")
    elif wanted.give and not wanted.restart:
        print(f"the gateway runs with its old key until its container is recreated: {again} --restart")
    elif wanted.restart and not wanted.revoke_old:
        print(f"the old key is still valid: {again} --revoke-old")


def _say(line: str) -> None:
    print(line, flush=True)
