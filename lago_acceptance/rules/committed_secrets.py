"""Rules about secrets that a compose file or its repository holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import DB, LAGO_RUBY
from lago_acceptance.core.secrets import JWT, SERVICE_KEY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import shape, sounds_secret, unknown
from lago_acceptance.lago.key_loading import KEY, key_reading
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.interpolation import nested, uses
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, part, stores_elsewhere, texts, variable

KEY_MATERIAL = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE "
    r"KEY-----|LS0tLS1CRUdJTi|(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/=]{200,}"
)
PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!\.\.\.)")
_OBJECT_STORE = ("LAGO_AWS_S3_", "LAGO_GCS_")


@rule(phase=1, declared_only=True)
def inline_rsa_key(model: Model, settings: Settings) -> Iterator[Violation]:
    """No private key stands in the compose file."""
    told = set()
    for service, name, text in texts(model):
        default = any(KEY_MATERIAL.search(use.word) for use in uses(text))
        shapes = ("base64", "base64-mangled", "base64-twice", "der", "pem", "pem-mangled")
        given = name == KEY and not list(uses(text)) and shape(text) in shapes
        if (KEY_MATERIAL.search(text) or default or given) and model.written.line(
            variable(service, name)
        ) not in told:
            told.add(model.written.line(variable(service, name)))
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"a private key stands in the compose file ({name})",
                impact="who reads the repository signs in Lago's name, for ever: the key stays in "
                "its history",
                fix="make a new key, keep it in a file outside of the repository, and mount it",
            )
    for service in model.services if model.written else ():
        for key, words in (("command", service.command), ("entrypoint", service.entrypoint)):
            if KEY_MATERIAL.search(" ".join(words)):
                yield Violation(
                    service=service,
                    at=part(service, key),
                    problem=f"a private key stands in the compose file ({key})",
                    impact="who reads the repository signs in Lago's name, for ever",
                    fix="make a new key, and mount it from outside of the repository",
                )


@rule(phase=1, declared_only=True)
def rsa_pem_committed(model: Model, settings: Settings) -> Iterator[Violation]:
    """No PEM of a private key is in the repository: neither in the compose file nor beside it."""
    if model.written is None:
        return
    for line in model.written.pem_lines[:1]:
        yield Violation(
            at=("line", line),
            problem="a private key's PEM stands in the file",
            impact="the key is in the repository's history for ever: who reads it signs in Lago's name",
            fix="make a new key, keep it outside of the repository, and mount it",
        )
    for path in model.written.committed:
        if PEM.search(model.files.get(path) or model.written.env_texts.get(path) or ""):
            yield Violation(
                at=("services",),
                problem=f"{basename(path)}, a private key, is in the repository",
                impact="the key is in the repository's history for ever",
                fix="make a new key, and keep its file out of git (.gitignore)",
            )


@rule(phase=1, declared_only=True, severity=Severity.WARNING)
def rsa_env_unguarded(model: Model, settings: Settings) -> Iterator[Violation]:
    """The variable that brings the key is guarded: ${LAGO_RSA_PRIVATE_KEY:?...}.

    Compose turns an unset variable into an empty text and only warns; Lago then dies in every container.
    """
    for service, name, text in texts(model):
        if service.role not in LAGO_RUBY or "RSA_PRIVATE" not in name or name.endswith(("_PATH", "_FILE")):
            continue
        if key_reading(service, model, settings).via == "file":
            continue
        for use in uses(text):
            if not use.required and not (use.default or "").strip():
                empty = not service.value(name)
                unset = f"; {use.name} is unset, which Compose makes an empty text" if empty else ""
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    severity=Severity.ERROR if empty else None,
                    problem=f"{name} is taken from ${{{use.name}}} without a guard{unset}",
                    impact="OpenSSL::PKey::RSAError at boot in migrate, api, worker and clock"
                    if empty
                    else "where the variable is unset, Compose only warns and Lago restarts for ever",
                    fix=f"{name}: ${{{use.name}:?base64 of the PEM}}",
                )
                break
    for service in lago(model):
        if KEY in service.environment and service.environment[KEY] is None:
            yield Violation(
                service=service,
                at=variable(service, KEY),
                problem=f"{KEY} is taken from the shell of whoever deploys, without a guard",
                impact="where it is unset, Lago restarts for ever",
                fix=f"{KEY}: ${{{KEY}:?base64 of the PEM}}",
            )


@rule(phase=0, declared_only=True, severity=Severity.WARNING)
def secret_env_unguarded(model: Model, settings: Settings) -> Iterator[Violation]:
    """Secrets that nothing sets stop the deploy: ${SECRET_KEY_BASE:?}, ${POSTGRES_PASSWORD:?}."""
    told = set()
    for service, name, text in texts(model):
        if service.role not in (*LAGO_RUBY, DB) or "RSA_PRIVATE" in name:
            continue
        for use in uses(text):
            # Some secrets may be empty: a licence, a mail server's password.
            optional = re.search(
                r"LICENSE|SMTP|GOOGLE|NANGO|SEGMENT|SENTRY|STRIPE|AWS|GCS|OAUTH|NEW_RELIC|REDIS_PASSWORD|REDIS_CACHE|API_KEY|ORG_USER",
                f"{name} {use.name}",
            )
            bare = not use.required and not (use.default or "").strip() and use.name in model.written.unset
            if bare and sounds_secret(use.name) and not optional and use.name not in told:
                told.add(use.name)
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    severity=Severity.ERROR if model.written.environment_known else None,
                    problem=f"{use.name} is unset, which Compose makes an empty text, and nothing guards it",
                    impact="PostgreSQL or Lago stops at boot, or runs with an empty secret",
                    fix=f"${{{use.name}:?}}",
                )


@rule(phase=0, declared_only=True)
def hardcoded_secret_defaults(model: Model, settings: Settings) -> Iterator[Violation]:
    """A secret has no default in the file: ${POSTGRES_PASSWORD:?}, not ${POSTGRES_PASSWORD:-secret}.

    With a default the deploy succeeds where the variable is forgotten, with a secret that everybody knows.
    """
    told = set()
    for service, name, text in texts(model):
        for use in nested(text):
            default = (use.default or "").strip()
            place = model.written.line(variable(service, name))
            if name.startswith(_OBJECT_STORE) and not stores_elsewhere(service):
                continue
            if not default or default.startswith("${") or default in ("true", "false"):
                continue
            url = service_url(default)
            if (use.name, place) in told or url and not url.password:
                continue
            # LAGO_ENCRYPTION_... names and values alike; a default in a URL's place of the password has a name too.
            if (
                (
                    (url and not list(uses(url.password)))
                    or sounds_secret(use.name)
                    or (sounds_secret(name) and text.strip().startswith("${"))
                )
                and not default.startswith(("/", "./"))
                and not (url and list(uses(url.password)))
            ):
                told.add((use.name, place))
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"the secret {use.name} has a default in the file",
                    impact="where the variable is forgotten, Lago runs with a secret that the "
                    "repository's readers know",
                    fix=f"${{{use.name}:?}}",
                )


def _literal_secret(name: str, text: str) -> bool:
    value = text.strip()
    if list(uses(value)) or not value:
        return False
    if SERVICE_KEY.search(value) or JWT.search(value):
        return True
    url = service_url(value)
    if url is not None:
        return bool(url.password) and shape(url.password) == "plain"
    if not sounds_secret(name) or len(value) < 6 or KEY_MATERIAL.search(value) or "RSA" in name:
        return False
    ordinary = r"(?i)\d+|true|false|none|null|[a-z]+\.[a-z.]+|required|optional|production|disabled|enabled"
    plain = shape(value) == "plain" and not value.startswith(("/", "./", "$"))
    return plain and not re.fullmatch(ordinary, value)


@rule(phase=0, declared_only=True)
def secret_committed(model: Model, settings: Settings) -> Iterator[Violation]:
    """No password, token or key stands in the compose file, or in an environment file that is in the repository."""
    told = set()
    for service, name, text in texts(model):
        place = model.written.line(variable(service, name))
        if _literal_secret(name, text) and (place, name) not in told:
            told.add((place, name))
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"a secret stands in the compose file ({name})",
                impact="who reads the repository has it, for ever: it stays in the history",
                fix=f"make a new one, and write ${{{name}:?}}",
            )
    for service in model.services if model.written else ():
        found = re.search(r"--requirepass[\s=]+[\"']?([^\s\"'$]{6,})", " ".join(service.command))
        written = (model.written.document.get("services", {}).get(service.name) or {}).get("command", "")
        if found and not unknown(found[1]) and found[1] in str(written):
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem="a password stands in the compose file (--requirepass)",
                impact="who reads the repository has it, and every process list shows it",
                fix="make a new one, and give it by a variable",
            )
    for path in model.written.committed if model.written else ():
        for line in (model.written.env_texts.get(path) or "").splitlines():
            name, equals, value = line.partition("=")
            if equals and _literal_secret(name.strip(), value.strip().strip("\"'")):
                yield Violation(
                    at=("services",),
                    problem=f"{basename(path)}, which holds secrets ({name.strip()}), is in the repository",
                    impact="who reads the repository has them, for ever",
                    fix="make new ones, and keep the file out of git (.gitignore)",
                )
                break


@rule(phase=0)
def placeholder_secrets(model: Model, settings: Settings) -> Iterator[Violation]:
    """No secret is a placeholder or a value that upstream's example publishes.

    With `your-secret-key-base-hex-64` anybody can make a session of any user.
    """
    for service in model.of_role(*LAGO_RUBY, DB):
        for name, value in service.environment.items():
            elsewhere = name in ("POSTGRES_PASSWORD", "PGPASSWORD") or name.startswith("LAGO_RSA_PUBLIC")
            secret = sounds_secret(name) and not elsewhere
            if secret and shape(value) in ("placeholder", "default") and name != "SEGMENT_WRITE_KEY":
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} is a placeholder or a published default",
                    impact="anybody who knows the example signs sessions or reads what is encrypted"
                    if name != KEY
                    else "OpenSSL::PKey::RSAError at boot",
                    fix=f"make one (openssl rand -hex 64), and write ${{{name}:?}}",
                )
