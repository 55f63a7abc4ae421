"""Known ways to fail, as lines of a container's log show them (docs/lago-facts.md, sections 1.3, 6 and 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.registry import Severity


class Cause(msgspec.Struct, frozen=True):
    """A known way to fail. ``signs`` are what a log line holds then: texts, or patterns, which never go beyond a line.

    ``final``: it does not go away by waiting. ``at_start``: only what a process prints before it serves counts, not the
    record of a request or job that failed later.
    """

    id: str
    signs: tuple[str | re.Pattern[str], ...]
    problem: str
    impact: str
    fix: str
    final: bool = True
    at_start: bool = False

    @property
    def log_id(self) -> str:
        """The id of the finding that a running process has logged it."""
        return f"log-{self.id}"

    def line_in(self, text: str) -> str | None:
        """The first line of a text that shows it, or None."""
        firsts = (next(self._lines(sign, text), None) for sign in self.signs)
        return min(filter(None, firsts), default=(0, None))[1]

    def _lines(self, sign: str | re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
        for at in _places(sign, text):
            begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
            line = text[begin : end if end >= 0 else None]
            if not (self.at_start and _RECORD.match(line)):
                yield begin, line


# A line of Ruby's logger, or of one that writes JSON.
_RECORD = re.compile(r"\{|[DIWEF], \[")


def _places(sign: str | re.Pattern[str], text: str) -> Iterator[int]:
    # Logs are long, and to find a text takes a small part of what a pattern takes.
    if isinstance(sign, re.Pattern):
        yield from (found.start() for found in sign.finditer(text))
        return
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + 1)


_NOTHING_STARTS = (
    "migrate, api, worker and clock all stop at start: no request is answered and nothing is billed"
)

KEY_CAUSES = (
    Cause(
        "rsa-key-absent",
        (re.compile(r"undefined method [`']unpack1' for nil"), "Private key is blank"),
        "LAGO_RSA_PRIVATE_KEY is not set at all",
        _NOTHING_STARTS,
        "set LAGO_RSA_PRIVATE_KEY to the base64 of the PEM; Lago 1.16.0 reads no _FILE, no _PATH and no mounted file, so a "
        "mounted PEM has to be put into the variable inside the container (base64 -w0 < key.pem)",
    ),
    Cause(
        "rsa-key-wrong-type",
        ("incorrect pkey type",),
        "the key in LAGO_RSA_PRIVATE_KEY is not an RSA key",
        _NOTHING_STARTS,
        "generate an RSA key: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    ),
    Cause(
        "rsa-key-unloadable",
        (
            "Neither PUB key nor PRIV key",
            "OpenSSL::PKey::RSAError",
            "OpenSSL::PKey::PKeyError",
            "rsa_keys.rb",
        ),
        "LAGO_RSA_PRIVATE_KEY is not the base64 of an RSA private key that OpenSSL can load",
        _NOTHING_STARTS,
        "set it to base64 -w0 of the whole unencrypted PEM, encoded once: not the PEM itself, not base64 of base64, not "
        "a value that was decoded again on the way",
    ),
    Cause(
        "rsa-key-public",
        ("private key is needed",),
        "LAGO_RSA_PRIVATE_KEY holds a public key",
        "Lago starts and looks healthy, but nothing that must be signed (webhooks, tokens) works",
        "set it to the base64 of the private PEM",
    ),
    Cause(
        "rsa-key-loader-missing",
        (
            "cannot load such file -- /run/lago/rsa_key",
            re.compile(r"rsa_key\.rb.*(?:ENOENT|EISDIR|EACCES)"),
            re.compile(r"rsa_private\.pem.*\(Errno::"),
        ),
        "the mounted key or the file that loads it is not where RUBYOPT looks for it",
        _NOTHING_STARTS,
        "mount the PEM at /run/lago/rsa_private.pem and rsa_key.rb at /run/lago/rsa_key.rb in migrate, api, worker and clock",
    ),
)

OTHER_CAUSES = (
    Cause(
        "secret-key-base-missing",
        ("Missing `secret_key_base`", "must be a type of String"),
        "SECRET_KEY_BASE is absent or empty",
        _NOTHING_STARTS,
        "set SECRET_KEY_BASE (that very name) in migrate, api, worker and clock: openssl rand -hex 64",
    ),
    Cause(
        "rails-env-missing",
        ("starting in development", "uninitialized constant Dotenv", ".rsa_private.pem"),
        "RAILS_ENV is not production",
        "Lago starts in development mode and stops, because the image lacks what that mode needs",
        "set RAILS_ENV=production in migrate, api, worker and clock",
    ),
    Cause(
        "license-unreachable",
        ("license.getlago.com", "LagoHttpClient::HttpError"),
        "LAGO_LICENSE is set, but the license server, which Lago calls at every start, does not answer",
        "no Lago container starts while the server can't be reached",
        "leave LAGO_LICENSE empty for the free edition, or let the host reach the license server",
        at_start=True,
    ),
    Cause(
        "front-url-malformed",
        ("bad URI", "URI::InvalidURIError"),
        "a URL in the environment is malformed (usually LAGO_FRONT_URL)",
        "the API stops at start",
        "set LAGO_FRONT_URL to something like https://billing.example.net, nothing more",
        at_start=True,
    ),
    Cause(
        "script-missing",
        (re.compile(r"no such file or directory.*scripts/"), re.compile(r"scripts/.*[Nn]o such file")),
        "the command is a script that is not in this image",
        "the container never starts",
        "use migrate.sh, start.sh, start.api.sh, start.worker.sh or start.clock.sh, which v1.16.0 has; start.migrate.sh was "
        "removed after v1.15",
    ),
    Cause(
        "database-password",
        ("password authentication failed", "no password supplied"),
        "PostgreSQL refuses the password in DATABASE_URL",
        "no query works; /health answers 500",
        "an existing volume keeps the password that it was created with: change it there (ALTER USER) or restore the old one; "
        "never delete the volume for this",
    ),
    Cause(
        "database-missing",
        (
            "We could not find your database",
            "ActiveRecord::NoDatabaseError",
            re.compile(r'database ".*" does not exist'),
        ),
        "the database that DATABASE_URL names does not exist",
        "every request of the API answers 500",
        "use the database that POSTGRES_DB creates, or run bundle exec rails db:create db:migrate",
    ),
    Cause(
        "database-unreachable",
        (
            "could not translate host name",
            "issue connecting with your hostname",
            "PG::ConnectionBad",
            "could not connect to server",
            "ActiveRecord::DatabaseConnectionError",
            "ActiveRecord::ConnectionNotEstablished",
        ),
        "the host in DATABASE_URL can't be reached",
        "every request of the API answers 500, and migrate.sh exits 0 although it failed",
        "put Lago's services and the database on one network, and use the service's name in DATABASE_URL",
        final=False,
    ),
    Cause(
        "migration-failed",
        (
            "An error has occurred, this and all later migrations canceled",
            "PG::InsufficientPrivilege",
            "ActiveRecord::ConcurrentMigrationError",
            "PG::UndefinedTable",
            "PG::DuplicateObject",
        ),
        "the database does not have this Lago's schema: a migration has failed or did not run",
        "/health stays green and API requests answer 500",
        "read the log of lago-migrate from its first error, fix that, and run bundle exec rails db:migrate",
    ),
    Cause(
        "seeding-refused",
        ("Couldn't find LAGO_ORG_USER_PASSWORD", "Validation failed: Value value_is_mandatory"),
        "seeding lacks a variable: name, e-mail address and password, and both LAGO_ORG_API_KEY and LAGO_API_KEY",
        "no organization, no administrator and no API key as intended",
        "set LAGO_CREATE_ORG=true, LAGO_ORG_NAME, LAGO_ORG_USER_EMAIL, LAGO_ORG_USER_PASSWORD and both key variables to one UUID",
    ),
    Cause(
        "redis-unreachable",
        (
            "RedisClient::CannotConnectError",
            "Redlock::LockAcquisitionError",
            # With these words Redis itself says why it refuses, which its own checks report.
            re.compile(r"Error fetching job(?!: (?:READONLY|MISCONF|OOM|LOADING|BUSY|MASTERDOWN))"),
            "NOAUTH",
            "WRONGPASS",
        ),
        "Redis can't be reached or refuses the password",
        "the worker stops or idles, everything that enqueues a job answers 500, and nothing is billed",
        "set REDIS_URL of migrate, api, worker and clock to the Redis service, with its password",
        final=False,
    ),
    Cause(
        "redis-evicts",
        ("Your Redis instance will evict Sidekiq data",),
        "Redis is configured to evict keys when its memory is full",
        "under load, jobs vanish: invoices are never created, without any error",
        "start Redis with --maxmemory-policy noeviction",
    ),
    Cause(
        "port-taken",
        ("Address already in use", "port is already allocated"),
        "a port that the service needs is taken",
        "the container does not start",
        "stop what holds the port, or publish another one",
    ),
    Cause(
        "server-pid-left",
        ("A server is already running",),
        "a pid file of an earlier start is still there",
        "the API does not start",
        "start the API with ./scripts/start.api.sh, which removes it",
    ),
    Cause(
        "library-missing",
        (
            "Don't know how to build task",
            "can't find executable",
            "command not found",
            "executable file not found",
        ),
        "the command is not in this image",
        "the container stops at once",
        "use a script or task of this version; 1.16.0 has no lago:generate_api_key",
        at_start=True,
    ),
)

CAUSES = KEY_CAUSES + OTHER_CAUSES


def _entry(cause: Cause, id: str, phase: int, title: str, severity: Severity) -> registry.Entry:
    page = f"Impact: {cause.impact}.\nFix: {cause.fix}."
    return registry.Entry(id=id, phase=phase, severity=severity, title=title, page=page)


registry.register(
    # What keeps Lago from starting is reported under the cause's own id by the check of phase 1, ...
    *(
        _entry(each, each.id, 1, f"Lago does not start: {each.problem}.", Severity.ERROR)
        for each in KEY_CAUSES
    ),
    # ... and what a running process has logged by the check of phase 2.
    *(
        _entry(
            each,
            each.log_id,
            2,
            f"Lago's log shows: {each.problem}.",
            Severity.ERROR if each.final else Severity.WARNING,
        )
        for each in CAUSES
    ),
)


def causes_of(lines: list[str], causes: tuple[Cause, ...] = CAUSES) -> Iterator[tuple[Cause, str]]:
    """The causes that a log shows, each with the first line that shows it: in the order of what explains most."""
    text = "\n".join(lines)
    for cause in causes:
        if line := cause.line_in(text):
            yield cause, line.strip()


def cause_of(lines: list[str], causes: tuple[Cause, ...] = CAUSES) -> tuple[Cause, str] | None:
    """The one that explains most, None where a log shows none."""
    return next(causes_of(lines, causes), None)
