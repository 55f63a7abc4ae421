"""The variables that Lago and its front read, by version.

variables.tsv has one line for each name: ``side`` is api (the Ruby code and its scripts) or front (its start script),
``since`` and ``until`` are the first and the last release that reads it, empty where it is read from v1.0.0 on or still.
It was made from the sources of all releases in releases.tsv: each name that ENV is asked for in app, lib, config, db and
clock.rb, and each that scripts/ or the front's .env.sh expand. Names that only maintenance tasks read are left out.
"""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache
from pathlib import Path

import msgspec

from lago_acceptance.core.value_shapes import shape
from lago_acceptance.lago.release_table import Numbers

API_SIDE, FRONT_SIDE = "api", "front"

# How alike two names are from which one is taken for the other, by difflib's ratio. A wrong letter in a name of ten is
# 0.9. A name without Lago's prefix can be another program's.
ALIKE, ALIKE_WITHOUT_PREFIX = 0.86, 0.88
# Names that other programs in the same container read, although they resemble Lago's.
_OF_OTHERS = re.compile(
    r"(AWS|OTEL|DD|DATADOG|NEW_RELIC|NEWRELIC|RUBY|BUNDLE|GEM|MALLOC|PUMA|NODE|PG|POSTGRES|TRAEFIK|SERVICE|COOLIFY"
    r"|DOKPLOY|VAULT|DOPPLER|INFISICAL)_.*|SENTRY_RELEASE|SIDEKIQ_(PRO|ENT)_\w+|RAILS_(MASTER_KEY|RELATIVE_URL_ROOT|LOG_LEVEL)"
)
# What a deployment doesn't work without.
NEEDED = frozenset(
    (
        "DATABASE_URL",
        "REDIS_URL",
        "REDIS_PASSWORD",
        "SECRET_KEY_BASE",
        "RAILS_ENV",
        "LAGO_RSA_PRIVATE_KEY",
        "LAGO_API_URL",
        "LAGO_FRONT_URL",
        "LAGO_DOMAIN",
        "LAGO_PDF_URL",
        "LAGO_REDIS_CACHE_URL",
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
        "API_URL",
        "POSTGRES_USER",
        "POSTGRES_DB",
        "POSTGRES_PASSWORD",
        "PGDATA",
        "PORT",
    )
)


class Variable(msgspec.Struct, frozen=True):
    """A variable, with the first and the last release that reads it; None where it is read from the start, or still."""

    name: str
    side: str
    since: str
    until: str

    def read_in(self, version: Numbers | None) -> bool:
        """Whether a version reads it; true for a version that isn't known."""
        return version is None or not (
            (self.since and version < numbers(self.since)) or (self.until and version > numbers(self.until))
        )


@cache
def known(side: str) -> dict[str, Variable]:
    """The variables of one side, by name."""
    with Path(__file__).with_name("variables.tsv").open(encoding="utf-8", newline="") as stream:
        rows = [Variable(**row) for row in csv.DictReader(stream, delimiter="\t")]
    return {each.name: each for each in rows if each.side == side}


@cache
def numbers(tag: str) -> Numbers:
    """The numbers of a tag."""
    return tuple(int(part) for part in tag.lstrip("v").split("."))


@cache
def meant(name: str, side: str, version: Numbers | None) -> str | None:
    """The variable that a name which Lago doesn't read was meant to be, None if it is unlike all of them."""
    names = [each.name for each in known(side).values() if each.read_in(version)]
    bare = re.sub(r"[^A-Z0-9]+", "_", name.upper())
    candidates = {bare, bare.removeprefix("LAGO_")} - {name}
    if "_" in bare and bare != "API_KEY":
        candidates.add(f"LAGO_{bare}")
    exact = next((each for each in names if each in candidates and "_" in each), None)
    if exact or _OF_OTHERS.fullmatch(bare) or len(bare) < len("SENTRY_DS"):
        return exact
    least = ALIKE if bare.startswith("LAGO_") else ALIKE_WITHOUT_PREFIX
    same_family = [each for each in names if each.startswith("LAGO_") == bare.startswith("LAGO_")]
    return next(iter(difflib.get_close_matches(bare, same_family, 1, least)), None)


NEVER_READ = (
    "LAGO_REDIS_URL",
    "LAGO_REDIS_HOST",
    "LAGO_REDIS_PORT",
    "LAGO_REDIS_PASSWORD",
    "LAGO_REDIS_DB",
    "RSA_PRIVATE_KEY",
    "RSA_PUBLIC_KEY",
    "LAGO_RSA_PUBLIC_KEY",
    "LAGO_SECRET_KEY_BASE",
    "LAGO_DATABASE_URL",
)
# The front reads API_URL; its bundle was built without any of these.
FRONT_NEVER_READ = (
    "REACT_APP_*",
    "VITE_*",
    "NEXT_PUBLIC_*",
    "GRAPHQL_URL",
    "LAGO_GRAPHQL_URL",
)
# Upstream's own files set these on the front, where nothing reads them.
SET_ON_FRONT_BY_UPSTREAM = ("LAGO_API_URL", "LAGO_FRONT_URL")
# Names of older releases, with the ones that took their place.
RENAMED = {"LAGO_SIGNUP_DISABLED": "LAGO_DISABLE_SIGNUP", "KARAFKA_WEB": "LAGO_KARAFKA_WEB"}
# What is written where somebody has no licence.
_NO_LICENSE = re.compile(
    r"(true|false|yes|no|on|off|[01]|none|null|nil|n/?a|-|free|trial|test|premium|enterprise|licen[sc]e|lago|empty"
    r"|(dis|en)abled|(community|oss|ce|open-?source|self-?hosted)(-edition)?)",
    re.IGNORECASE,
)


def is_no_license(value: str) -> bool:
    """Whether a value of LAGO_LICENSE is no licence key, but a word for having none."""
    return bool(_NO_LICENSE.fullmatch(value.strip())) or shape(value) == "placeholder"
