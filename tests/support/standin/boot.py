"""How each recorded container was started, and what of its log counts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.support.paths import DATA

RECORDINGS = DATA / "recordings" / "boot"

API = "./scripts/start.api.sh"
MIGRATE = "./scripts/migrate.sh"
MIGRATES = {MIGRATE, "./scripts/start.sh"}
"""The scripts that migrate the database."""

NEW_ORGANIZATION = {
    "LAGO_CREATE_ORG": "true",
    "LAGO_ORG_NAME": "Acceptance",
    "LAGO_ORG_USER_EMAIL": "admin@example.test",
    "LAGO_ORG_USER_PASSWORD": "of-no-consequence",
}


@dataclass(frozen=True)
class Row:
    """One line of the table: a case, its script and how it ended."""

    case: str
    script: str
    state: str
    health: str
    grpc_token: str

    @property
    def command(self) -> list[str]:
        return self.script.split()


def rows() -> list[Row]:
    """All lines of the recorded table."""
    lines = (RECORDINGS / "table.tsv").read_text().splitlines()[1:]
    return [
        Row(case, script, state, health, token)
        for case, script, state, _, health, token in map(_fields, lines)
    ]


def _fields(line: str) -> list[str]:
    return line.split("\t")


def key_values() -> dict[str, str | None]:
    """LAGO_RSA_PRIVATE_KEY of each case that is about it, all forms of one key that is made now."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    none = form.NoEncryption()
    pkcs8 = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, none)
    pkcs1 = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, none)
    der = key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, none)
    locked = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"locked")
    )
    public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, none
    )

    def encoded(value: bytes) -> str:
        return base64.b64encode(value).decode()

    wrapped = base64.encodebytes(pkcs8).decode()
    return {
        "rsa_absent": None,
        "rsa_empty": "",
        "rsa_raw_pem": pkcs8.decode(),
        "rsa_raw_pem_pkcs1": pkcs1.decode(),
        "rsa_raw_pem_literal_backslash_n": pkcs8.decode().replace("\n", "\\n"),
        "rsa_b64_pkcs8": encoded(pkcs8),
        "rsa_b64_pkcs1": encoded(pkcs1),
        "rsa_b64_wrapped_real_newlines": wrapped,
        "rsa_b64_wrapped_literal_backslash_n": wrapped.replace("\n", "\\n"),
        "rsa_b64_of_pem_with_literal_backslash_n": encoded(pkcs8.replace(b"\n", b"\\n")),
        "rsa_b64_quoted": f'"{encoded(pkcs8)}"',
        "rsa_double_b64": encoded(encoded(pkcs8).encode()),
        "rsa_b64_truncated": encoded(pkcs8)[:1000],
        "rsa_placeholder": "your-rsa-private-key",
        "rsa_unexpanded": "${LAGO_RSA_PRIVATE_KEY}",
        "rsa_b64_der": encoded(der),
        "rsa_b64_ec": encoded(curve),
        "rsa_b64_encrypted": encoded(locked),
        "rsa_b64_public": encoded(public),
    }


def changes() -> dict[str, dict[str, str | None]]:
    """What each case changes in a good environment; None takes a variable away."""
    raw_pem = key_values()
    bad_key: dict[str, str | None] = {"LAGO_RSA_PRIVATE_KEY": raw_pem["rsa_raw_pem"]}
    found: dict[str, dict[str, str | None]] = {
        case: {"LAGO_RSA_PRIVATE_KEY": value} for case, value in raw_pem.items()
    }
    return found | {
        "migrate_bad_rsa": bad_key,
        "migrate_bad_rsa_with_create_org": bad_key | NEW_ORGANIZATION,
        "start_sh_bad_rsa": bad_key,
        "worker_bad_rsa": bad_key,
        "clock_bad_rsa": bad_key,
        "no_secret_key_base": {"SECRET_KEY_BASE": None},
        "empty_secret_key_base": {"SECRET_KEY_BASE": ""},
        "api_empty_schema": {"DATABASE_URL": "postgresql://lago:lago@lago-db:5432/empty"},
        "api_no_such_database": {"DATABASE_URL": "postgresql://lago:lago@lago-db:5432/nope"},
        "api_db_host_unknown": {"DATABASE_URL": "postgresql://user:lago@nohost:5432/lago"},
        "migrate_db_host_unknown": {"DATABASE_URL": "postgresql://user:lago@nohost:5432/lago"},
        "start_sh_db_host_unknown": {"DATABASE_URL": "postgresql://user:lago@nohost:5432/lago"}
        | NEW_ORGANIZATION,
        "api_redis_unknown": {"REDIS_URL": "redis://nohost:6379"},
        "worker_redis_unknown": {"REDIS_URL": "redis://nohost:6379"},
        "clock_redis_unknown": {"REDIS_URL": "redis://nohost:6379"},
        "clock_no_cache_url": {"LAGO_REDIS_CACHE_URL": None, "REDIS_URL": "redis://lago-redis:6379/2"},
        "api_no_rails_env": {"RAILS_ENV": None},
        "api_license_set": {"LAGO_LICENSE": "of-no-consequence"},
        "api_no_front_url": {"LAGO_FRONT_URL": None},
        "api_front_url_no_scheme": {"LAGO_FRONT_URL": "front.lago.test"},
        "api_front_url_malformed": {"LAGO_FRONT_URL": "http://bad host"},
        "script_start_migrate_missing": {},
        "rake_generate_api_key": {},
        "rails_lago_version": {},
        "seed_only_org_api_key": ASCII_DATABASE
        | NEW_ORGANIZATION
        | {"LAGO_ORG_API_KEY": "of-no-consequence"},
        "seed_missing_password": ASCII_DATABASE | NEW_ORGANIZATION | {"LAGO_ORG_USER_PASSWORD": None},
        "worker_ok": {"REDIS_URL": "redis://lago-redis:6379/3"},
    }


ASCII_DATABASE = {"DATABASE_URL": "postgresql://lago:lago@ascii-db:5432/lago"}


def ready(row_script: str, case: str) -> str:
    """What a container that runs prints last before it is ready."""
    if row_script == "./scripts/start.worker.sh":
        return "Firing heartbeat event"
    if row_script == "./scripts/start.clock.sh":
        last = (
            "refresh_lifetime_usages" if case == "clock_no_cache_url" else "refresh_wallets_ongoing_balance"
        )
        return f"Finished 'schedule:{last}'"
    return "Use Ctrl-C to stop"


def first_tick(log: str) -> str:
    """A clock's log without what is due at this minute of the hour, which comes after the five-minute jobs."""
    last = max(
        (match.end() for match in re.finditer(r"Finished 'schedule:refresh_\w+' .*", log)), default=len(log)
    )
    return log[:last]


@dataclass
class Seen:
    """What a started container showed."""

    state: str
    log: str
    statuses: dict[str, str] = field(default_factory=dict)


FOLDED = re.compile(
    r"^\s*\.\.\. \d+ lines|^-- |^   -> |^== |^\[strong_migrations\]|INFO -- : Migrating to |Enqueued MigrationTaskJob|^(real|user|sys)\s"
)
"""Counted frames of libraries, what a migration does step by step and the recorder's own stopwatch."""

FRAME = re.compile(
    r"^(?:\[[0-9a-f-]+\] |E, \[.*?\] ERROR -- : )?(?:\s*from )?(?P<place>(?:<internal:[^>]+>|[^\s:]+):\d+):in [`'][^']*'(?:: (?P<message>.*))?$"
)
OWN = re.compile(r"^(/app/)?(app|lib|config|bin/rails|clock\.rb|config\.ru)\b")

PLAIN = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+ #\d+", "<time>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"\bPID: \d+", "PID: <pid>"),
    (r"Puma version: .*", "Puma version: <version>"),
    (r"Running in ruby .*", "Running in ruby <version>"),
    (r"duration_ms=\d+", "duration_ms=<n>"),
    (r"(Neither PUB key nor PRIV key): [^()]*(?= \(|$)", r"\1"),
    (
        r"(getaddrinfo|to address): (Name or service not known|Temporary failure in name resolution|No address associated with hostname)",
        r"\1: <not found>",
    ),
    (r"(process_dunning_campa)\w+ \]", r"\1"),  # where one recording is cut short
    (r"(redis://[\w-]+:6379)/\d+", r"\1"),
)
"""What differs between two runs, or between versions of Ruby, OpenSSL and puma."""

REQUEST_KEYS = (
    "method",
    "path",
    "format",
    "controller",
    "action",
    "status",
    "ddsource",
    "params",
    "trace_id",
    "span_id",
)


def signatures(log: str) -> set[str]:
    """The lines of a log that say something, without what differs from run to run.

    Of a frame the place in the application counts; frames of libraries, and the excerpt of code that Ruby shows
    under some errors, don't.
    """
    return {line for line in _signatures(log) if line.strip()}


def _signatures(log: str) -> Iterator[str]:
    lines = [line for line in log.splitlines() if not FOLDED.search(line)]
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if _carets(line) and not line.startswith(" " * 20) or (_carets(below) and line.startswith(" ")):
            continue
        if frame := FRAME.match(line):
            if OWN.match(frame["place"]):
                yield f"at {frame['place'].removeprefix('/app/')}"
            if frame["message"]:
                yield _plain(frame["message"])
        else:
            yield _structured(line)


def _carets(line: str) -> bool:
    return bool(re.fullmatch(r"\s+\^+", line))


def _structured(line: str) -> str:
    if line.startswith('{"ts"'):
        if '"lvl":"DEBUG","msg":{' in line:  # the worker's settings, cut short in the recording
            return "DEBUG the settings"
        entry = json.loads(line)
        return f"{entry['lvl']} {_plain(entry['msg'])}"
    text = _plain(line)
    if match := re.fullmatch(r"(.*: \[<id>\] )(\{\"method\".*\})", text):
        request = json.loads(match[2])
        return match[1] + json.dumps(
            {key: request[key] for key in REQUEST_KEYS} | {"known": bool(request["organization_id"])}
        )
    return text


def _plain(text: str) -> str:
    for pattern, replacement in PLAIN:
        text = re.sub(pattern, replacement, text)
    return text
