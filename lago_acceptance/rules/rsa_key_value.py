"""Rules about the RSA key that Lago would find in each of its containers
(docs/lago-facts.md, section 1.3).
"""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.key_loading import (
    KEY,
    KeyReading,
    State,
    key_reading,
)
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import DIES, FIX, lago, readings, variable


def _where(reading: KeyReading) -> str:
    words = {"shell": "the command sets", "ruby": "the file that RUBYOPT loads sets"}
    return words.get(reading.via, "the environment gives")


@rule(phase=1)
def rsa_env_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_RSA_PRIVATE_KEY reaches every container that runs Lago.

    It is the only place that Lago reads before v1.23.0. Without it Ruby stops in rsa_keys.rb (NoMethodError
    unpack1 for nil); with an empty one, which is what Compose makes of an unset variable, OpenSSL does.
    """
    for service, reading in readings(model, settings):
        unset = _unset(model, service)
        given_by_shell = service.environment.get(KEY, "") is None
        if given_by_shell and model.written and not model.written.environment_known:
            continue
        if reading.state is State.ABSENT or (
            reading.state is State.EMPTY and (unset is None or model.written.environment_known)
        ):
            empty = reading.state is State.EMPTY
            how = f"{KEY} is empty" + (
                f": {unset} is unset, which Compose turns into an empty text" if unset else ""
            )
            yield Violation(
                service=service,
                at=reading.at,
                problem=how if empty else f"nothing gives {KEY}, the only key that Lago reads",
                impact=DIES
                if empty
                else "NoMethodError `unpack1' for nil at boot: the container restarts for ever",
                fix=FIX,
            )


def _unset(model: Model, service: Service) -> str | None:
    """The name of the unset variable that empties the key, None where it isn't one."""
    text = model.written.text(service.name, KEY) if model.written else None
    return (
        next((name for name in model.written.unset if f"{{{name}" in text or f"${name}" in text), None)
        if text
        else None
    )


_NOT_BASE64 = (State.PEM, State.PEM_MANGLED)


@rule(phase=1)
def rsa_not_base64(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_RSA_PRIVATE_KEY is base64 of the PEM, not the PEM.

    Lago decodes base64 before it loads the key. A PEM, however well it is quoted, becomes garbage by that:
    the encoding is wrong, not the quoting.
    """
    for service, reading in readings(model, settings):
        if reading.state in _NOT_BASE64:
            yield Violation(
                service=service,
                at=reading.at,
                impact=DIES,
                fix=FIX,
                problem=f"{_where(reading)} {KEY} as a PEM; Lago expects base64 of it, on one line",
            )


@rule(phase=1)
def rsa_double_decoded(model: Model, settings: Settings) -> Iterator[Violation]:
    """Nothing decodes the key before Lago does.

    Option B of the plan decodes base64 in the command and exports the PEM. Lago decodes again, and what comes
    out is no key. The base64 value itself is what Lago wants.
    """
    for service, reading in readings(model, settings):
        if reading.state is State.DECODED:
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"the command decodes base64 and exports the result as {KEY}",
                impact=f"option B as the plan writes it: Lago decodes a second time. {DIES}",
                fix=f"hand the base64 value on as it is ({KEY}: ${{{KEY}:?}}), without decoding it",
            )


@rule(phase=1)
def rsa_double_encoded(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key is encoded once.

    Lago decodes base64 once; base64 of base64 leaves it with text that is no key.
    """
    for service, reading in readings(model, settings):
        if reading.state is State.TWICE:
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"{_where(reading)} {KEY} as base64 of base64",
                impact=DIES,
                fix="encode the PEM once: `base64 -w0 < key.pem`",
            )


@rule(phase=1)
def rsa_newlines_mangled(model: Model, settings: Settings) -> Iterator[Violation]:
    r"""The key's line breaks are line breaks, or base64 has none.

    A backslash and an n are two letters to Lago: they end up inside of the base64 or the PEM and break it.
    Real line breaks, blanks and quotes around base64 do no harm.
    """
    for service, reading in readings(model, settings):
        if reading.state in (State.MANGLED, State.PEM_MANGLED):
            yield Violation(
                service=service,
                at=reading.at,
                impact=DIES,
                fix=FIX,
                problem=f"{_where(reading)} {KEY} with line breaks lost, or turned into a backslash and an n",
            )


_CORRUPTED = {
    State.TRUNCATED: "is cut off: the key's end is missing",
    State.DAMAGED: "is damaged: OpenSSL can't parse the key",
    State.INCONSISTENT: "loads, but its numbers don't belong together",
    State.PLACEHOLDER: "is a placeholder, not a key",
    State.UNEXPANDED: "holds an expression that nobody expands",
    State.NO_KEY: "is neither base64 of a PEM nor of DER",
}


@rule(phase=1)
def rsa_key_corrupted(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key is whole: it parses, and its numbers belong together.

    A key that was retyped or cut loses a line or a letter. One letter can leave a key that loads and signs
    wrongly.
    """
    for service, reading in readings(model, settings):
        if reading.state in _CORRUPTED:
            inconsistent = reading.state is State.INCONSISTENT
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"{KEY} {_CORRUPTED[reading.state]}",
                impact="signatures that nobody can verify, while everything looks healthy"
                if inconsistent
                else DIES,
                fix="take the key from its original, or make a new one: `openssl genpkey -algorithm RSA "
                "-pkeyopt "
                "rsa_keygen_bits:2048`, and check it by `openssl pkey -check -noout`",
            )


_UNUSABLE = {
    State.PUBLIC: (
        "is a public key",
        "Lago boots, then every signature fails: webhooks and grpc_token answer 500",
    ),
    State.NOT_RSA: ("is no RSA key", DIES),
    State.ENCRYPTED: ("is encrypted with a passphrase", DIES),
    State.SHORT: ("is shorter than 2048 bits", "signatures that can be forged"),
}


@rule(phase=1)
def rsa_key_unusable(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key is a private RSA key of at least 2048 bits without a passphrase."""
    for service, reading in readings(model, settings):
        if reading.state in _UNUSABLE:
            problem, impact = _UNUSABLE[reading.state]
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"{KEY} {problem}",
                impact=impact,
                fix="use a private RSA key: `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`",
            )


@rule(phase=1)
def rsa_key_drift_api_worker(model: Model, settings: Settings) -> Iterator[Violation]:
    """migrate, api, worker and clock have one and the same key.

    The worker signs webhooks, the API hands out the public half: with two keys no receiver can verify
    anything.
    """
    known = [(service, reading) for service, reading in readings(model, settings) if reading.identity]
    reference = next((each for each in known if each[0].role == API), known[0] if known else None)
    for service, reading in known:
        kinds = {reading.identity.split(" ")[0] == "file", reference[1].identity.split(" ")[0] == "file"}
        if len(kinds) == 1 and reading.identity != reference[1].identity:
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"its key is another one than that of {reference[0].name}",
                impact="webhooks are signed with a key whose public half the API doesn't serve: no "
                "receiver can verify them",
                fix="give all of Lago's containers the same key, by one anchor or one variable",
            )
    yield from _other_variables(model, settings)


def _other_variables(model: Model, settings: Settings) -> Iterator[Violation]:
    """The services whose key comes from another variable than the API's: the two may hold one key, or not."""
    given = [
        (service, service.value(KEY))
        for service, reading in readings(model, settings)
        if reading.via == "variable" and unknown(service.value(KEY))
    ]
    first = next((each for each in given if each[0].role == API), None)
    for service, value in given if first else ():
        if value != first[1]:
            yield Violation(
                service=service,
                at=("services", service.name, "environment", KEY),
                severity=Severity.WARNING,
                problem=f"its key comes from another variable than that of {first[0].name}",
                impact="as soon as the two differ, no receiver can verify a webhook",
                fix="give all of Lago's containers the same key, by one anchor or one variable",
            )


@rule(phase=1)
def shell_unquoted_export(model: Model, settings: Settings) -> Iterator[Violation]:
    """An export with a substitution is quoted.

    In /bin/sh (dash in Lago's image) `export A=$(cat file)` is split at blanks and line breaks: a PEM ends
    after its first word, and the rest are taken as names.
    """
    for service, reading in readings(model, settings):
        if reading.outcome and reading.outcome.unquoted:
            what = reading.outcome.unquoted[0].split("=")[0][:60]
            yield Violation(
                service=service,
                at=("services", service.name, "command" if service.command else "entrypoint"),
                problem=f"the command exports {what} without quotes around what it substitutes",
                impact="the shell splits the value at blanks and line breaks: cut values, or `bad variable "
                "name` and exit 2",
                fix='quote it: export NAME="$$(...)"',
            )


@rule(phase=1, declared_only=True)
def rsa_public_key_mismatch(model: Model, settings: Settings) -> Iterator[Violation]:
    """A public key that is given beside the private one is its half, or better, is not given: Lago derives it."""
    for service in lago(model):
        for name in ("LAGO_RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY"):
            value = service.value(name)
            reading = key_reading(service, model, settings) if value else None
            digest = (
                _public_digest(value) if value and reading.state is State.GOOD and reading.identity else ""
            )
            if digest and " " not in reading.identity and digest != reading.identity:
                yield Violation(
                    service=service,
                    at=variable(service, name),
                    problem=f"{name} is not the public half of the private key",
                    impact="who verifies webhooks with it refuses them all; Lago itself never reads it",
                    fix=f"take {name} out, and fetch /api/v1/webhooks/public_key",
                )


def _public_digest(value: str) -> str:
    import base64
    import hashlib

    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        data = value.replace("\\n", "\n").encode() if "BEGIN" in value else base64.b64decode(value)
        key = load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
