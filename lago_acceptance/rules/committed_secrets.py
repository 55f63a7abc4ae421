"""Rules about secrets in the compose file or its repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import basename
from typing import NamedTuple

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, LAGO_RUBY
from lago_acceptance.core.secrets import JWT, SERVICE_KEY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import shape, sounds_secret, unknown
from lago_acceptance.lago.key_loading import KEY
from lago_acceptance.lago.key_parsing import State, judge
from lago_acceptance.lago.published import published_secret
from lago_acceptance.lago.variables import is_no_license
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.interpolation import expand, nested, uses
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import chosen_token, part, texts, uses_object_store, variable
from lago_acceptance.rules.helpers.data_stores import services_of
from lago_acceptance.rules.helpers.remedies import is_or_falls_back
from lago_acceptance.shell.values import AbstractValue

KEY_MATERIAL = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE "
    r"KEY-----|LS0tLS1CRUdJTi(?!BQVUJMSUM|BDRVJUSUZ)|(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/=]{200,}"
)
PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!\.\.\.)")
_OBJECT_STORE = ("LAGO_AWS_S3_", "LAGO_GCS_")


@rule(phase=1, declared_only=True, follows=("rsa-key-published",))
def inline_rsa_key(model: Model, settings: Settings) -> Iterator[Violation]:
    """The compose file contains no private key."""
    source = model.source
    if source is None:
        return
    reported = set()
    for service, name, text in texts(model):
        line = source.line(variable(service, name))
        default = any(KEY_MATERIAL.search(use.word) for use in uses(text))
        shapes = ("base64", "base64-mangled", "base64-twice", "der", "pem", "pem-mangled")
        is_key = name == KEY and not list(uses(text)) and shape(text) in shapes
        public = judge(AbstractValue.of(text.strip()))[0] is State.PUBLIC
        seen = (service.name, line) in reported
        if (KEY_MATERIAL.search(text) or default or is_key) and not public and not seen:
            reported.add((service.name, line))
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"a private key is in the compose file ({name})",
                impact="anyone with access to the repository can sign as Lago; the key stays in the git "
                "history",
                fix="generate a new key, keep it in a file outside the repository, and mount it",
            )
    for service in model.services:
        for key, words in (("command", service.command), ("entrypoint", service.entrypoint)):
            if KEY_MATERIAL.search(" ".join(words)):
                yield Violation(
                    service=service,
                    at=part(service, key),
                    problem=f"a private key is in the compose file ({key})",
                    impact="anyone with access to the repository can sign as Lago; the key stays in the "
                    "git history",
                    fix="generate a new key, keep it in a file outside the repository, and mount it",
                )


@rule(phase=1, declared_only=True)
def rsa_pem_committed(model: Model, settings: Settings) -> Iterator[Violation]:
    """No private key (PEM) is committed, neither in the compose file nor beside it."""
    if model.source is None:
        return
    for line in model.source.pem_lines[:1]:
        yield Violation(
            at=("line", line),
            problem="the file contains the PEM of a private key",
            impact="the key stays in the git history: anyone with access to the repository can sign as Lago",
            fix="generate a new key, keep it outside the repository, and mount it",
        )
    for path in model.source.committed:
        if PEM.search(model.files.get(path) or model.source.env_texts.get(path) or ""):
            yield Violation(
                at=("services",),
                problem=f"the private key {basename(path)} is committed",
                impact="the key stays in the git history: anyone with access to the repository can sign "
                "as Lago",
                fix="generate a new key, and add its file to .gitignore",
            )


@rule(phase=0, declared_only=True, follows_at=("inline-rsa-key",))
def hardcoded_secret_defaults(model: Model, settings: Settings) -> Iterator[Violation]:
    """Secrets have no default in the file: ${POSTGRES_PASSWORD:?}, not ${POSTGRES_PASSWORD:-secret}.

    With a default, a deploy that lacks the variable succeeds with a secret that is published in the
    repository. The default of one that is set is published all the same, and used by the next deploy that lacks it: a warning.
    """
    found = list(_defaults(model))
    for given in (False, True):
        names = dict.fromkeys(each.variable for each in found if each.given is given)
        one = len(names) == 1
        for each in found:
            if each.given is given:
                yield Violation(
                    service=each.service,
                    at=each.at,
                    severity=Severity.WARNING if given else None,
                    problem=f"{', '.join(names)} {'falls back to a default' if one else 'fall back to defaults'} in the file"
                    + (", but set here" if given else ""),
                    impact="a deploy without the variable runs with a secret that anyone with access to the "
                    "repository has",
                    fix=f"remove the default: ${{{next(iter(names))}:?}}"
                    if one
                    else f"remove the defaults: ${{{next(iter(names))}:?}}, and so for each of them",
                )


class _Default(NamedTuple):
    """A secret's default in the file: where it is, its variable, and whether that is set, so that the default isn't used."""

    service: Service
    at: tuple[str | int, ...]
    variable: str
    given: bool


def _defaults(model: Model) -> Iterator[_Default]:
    source = model.source
    if source is None:
        return
    reported = set()
    for service, name, text in texts(model):
        for use in nested(text):
            default = (use.default or "").strip()
            place = source.line(variable(service, name))
            if name.startswith(_OBJECT_STORE) and not uses_object_store(service):
                continue
            if not default or default.startswith("${") or default in ("true", "false"):
                continue
            url = service_url(default)
            if (service.name, use.name, place) in reported or url and not url.password:
                continue
            # If the password inside of a URL is a variable with a default of its own, that one is reported.
            if (
                (
                    (url and not list(uses(url.password)))
                    or sounds_secret(use.name)
                    or (sounds_secret(name) and text.strip().startswith("${"))
                )
                and not default.startswith(("/", "./"))
                and not (url and list(uses(url.password)))
            ):
                reported.add((service.name, use.name, place))
                given = source.environment_known and use.name not in source.unset
                yield _Default(service, variable(service, name), use.name, given)
    for service in model.services:
        written = source.document.get("services", {}).get(service.name) or {}
        for key in ("command", "entrypoint"):
            for use in nested(str(written.get(key) or "")):
                default = (use.default or "").strip()
                if sounds_secret(use.name) and default and not default.startswith(("${", "/", "./")):
                    given = source.environment_known and use.name not in source.unset
                    yield _Default(service, part(service, key), use.name, given)


def _literal_secret(name: str, text: str) -> bool:
    value = text.strip()
    if list(uses(value)) or not value or (name == "LAGO_LICENSE" and is_no_license(value)):
        return False
    if SERVICE_KEY.search(value) or JWT.search(value):
        return True
    url = service_url(value)
    if url is not None:
        return bool(url.password) and shape(url.password) == "plain"
    if (
        chosen_token(name, value)
        or name.endswith("_DEV_ROOT_TOKEN_ID")
        or (sounds_secret(name) and published_secret(value))
    ):
        # Told by rules of their own.
        return False
    if not sounds_secret(name) or len(value) < 6 or KEY_MATERIAL.search(value) or "RSA" in name:
        return False
    ordinary = r"(?i)\d+|true|false|none|null|[a-z]+\.[a-z.]+|required|optional|production|disabled|enabled"
    plain = shape(value) == "plain" and not value.startswith(("/", "./", "$"))
    return plain and not re.fullmatch(ordinary, value)


@rule(phase=0, declared_only=True)
def secret_committed(model: Model, settings: Settings) -> Iterator[Violation]:
    """No password, token or key is in the compose file or in a committed environment file."""
    source = model.source
    if source is None:
        return
    reported = set()
    for service, name, text in texts(model):
        place = source.line(variable(service, name))
        if _literal_secret(name, text) and (service.name, place, name) not in reported:
            reported.add((service.name, place, name))
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"a secret is in the compose file ({name})",
                impact="anyone with access to the repository has it; it stays in the git history",
                fix=f"generate a new one, and write ${{{name}:?}} instead",
            )
    for service in model.services:
        found = re.search(r"--requirepass[\s=]+[\"']?([^\s\"'$]{6,})", " ".join(service.command))
        declared = (source.document.get("services", {}).get(service.name) or {}).get("command", "")
        # A default of a variable is hardcoded-secret-defaults.
        literal = expand(str(declared), lambda use: "")
        if found and not unknown(found[1]) and found[1] in literal:
            yield Violation(
                service=service,
                at=part(service, "command"),
                problem="a password is in the compose file (--requirepass)",
                impact="anyone with access to the repository has it, and every process list shows it",
                fix="generate a new one, and write --requirepass ${REDIS_PASSWORD:?} instead",
            )
    for path in source.committed:
        for name, value in source.env_variables.get(path, ()):
            if _literal_secret(name, value):
                yield Violation(
                    at=("services",),
                    problem=f"{basename(path)}, which contains secrets ({name}), is committed",
                    impact="anyone with access to the repository has them; they stay in the git history",
                    fix="generate new ones, and add the file to .gitignore",
                )
                break


@rule(phase=0, follows_at=("hardcoded-secret-defaults", "vault-dev-mode-dependency"))
def placeholder_secrets(model: Model, settings: Settings) -> Iterator[Violation]:
    """No secret is a placeholder or a value from Lago's published example.

    With `your-secret-key-base-hex-64` anyone can forge a session of any user. Secrets of public templates that look
    random are recognised by their digests.
    """
    found = list(_placeholders(model))
    for key in (False, True):
        alike = [(service, name) for service, name in found if (name == KEY) is key]
        names = list(dict.fromkeys(name for _, name in alike))
        falls_back = [
            (service, name) for service, name in alike if "falls" in is_or_falls_back(model, service, name)
        ]
        verb = "fall back to" if len(falls_back) == len(alike) else "are"
        for service, name in alike:
            yield Violation(
                service=service,
                at=variable(service, name),
                problem=f"{name} {is_or_falls_back(model, service, name)} a placeholder or a published default"
                if len(names) == 1
                else f"{', '.join(names)} {verb} placeholders or published defaults",
                impact="OpenSSL::PKey::RSAError at boot"
                if key
                else "anyone who knows the example can forge sessions or decrypt stored credentials",
                fix=f"generate {'one' if len(names) == 1 else 'each'} (openssl rand -hex 64), and write ${{{names[0]}:?}}",
            )


def _placeholders(model: Model) -> Iterator[tuple[Service, str]]:
    """The secrets that are placeholders or published, by service and name."""
    for service in services_of(model, *LAGO_RUBY, DB):
        for name, value in service.environment.items():
            elsewhere = name in ("POSTGRES_PASSWORD", "PGPASSWORD") or name.startswith("LAGO_RSA_PUBLIC")
            secret = sounds_secret(name) and not elsewhere and not chosen_token(name, value or "")
            known = shape(value) in ("placeholder", "default") or published_secret(value or "")
            if secret and known and name != "SEGMENT_WRITE_KEY":
                yield service, name
