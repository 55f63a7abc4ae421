"""Rules about the RSA key that Lago loads in each of its containers (docs/lago-facts.md, section 1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.key_loading import KEY, KeyReading
from lago_acceptance.lago.key_parsing import State
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import KEY_ERROR_AT_BOOT, KEY_FIX, readings


def _set_by(reading: KeyReading) -> str:
    words = {"shell": "the command sets", "ruby": "the file that RUBYOPT loads sets"}
    return words.get(reading.via, "the environment sets")


@rule(
    phase=1,
    follows=(
        "rsa-volume-never-read",
        "rsa-file-variable-never-read",
        "rsa-env-unguarded",
    ),
    follows_variable=(
        "worker-env-incomplete",
        "clock-env-incomplete",
        "migrate-env-incomplete",
        "env-name-misspelled",
    ),
    follows_at=("env-file-not-used-for-interpolation",),
)
def rsa_env_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_RSA_PRIVATE_KEY is set in every container that runs Lago.

    Before v1.23.0 Lago reads its key from nowhere else. Without the variable Ruby stops in rsa_keys.rb
    (NoMethodError `unpack1' for nil); with an empty one, which is what Compose passes for an unset variable,
    OpenSSL fails.
    """
    source = model.source
    for service, reading in readings(model, settings):
        unset = _unset(model, service)

        from_shell = service.environment.get(KEY, "") is None
        if from_shell and source and not source.environment_known:
            continue
        if reading.state is State.ABSENT or (
            reading.state is State.EMPTY and (unset is None or source is None or source.environment_known)
        ):
            empty = reading.state is State.EMPTY
            how = f"{KEY} is empty" + (
                f": {unset} is unset, so Compose sets an empty string" if unset else ""
            )
            yield Violation(
                service=service,
                at=reading.at,
                problem=how if empty else f"nothing sets {KEY}, and Lago reads its key from nowhere else",
                impact=KEY_ERROR_AT_BOOT
                if empty
                else "NoMethodError `unpack1' for nil at boot: the container restarts forever",
                fix=KEY_FIX,
            )


def _unset(model: Model, service: Service) -> str | None:
    """The unset variable that leaves the key empty, None if there is none."""
    source = model.source
    text = source.text(service.name, KEY) if source else None
    if source is None or not text:
        return None
    return next((name for name in source.unset if f"{{{name}" in text or f"${name}" in text), None)


_RESTORE = (
    "restore the original key, or generate one (`openssl genpkey -algorithm RSA -pkeyopt "
    "rsa_keygen_bits:2048`), and check it with `openssl pkey -check -noout`"
)
_NEW_KEY_FIRST = f"don't encode this PEM, the key in it can't be used: {_RESTORE}; then set {KEY} to `base64 -w0 < key.pem`"
_NOT_BASE64 = (State.PEM, State.PEM_MANGLED)


@rule(phase=1)
def rsa_not_base64(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_RSA_PRIVATE_KEY is base64 of the PEM, not the PEM itself.

    Lago decodes base64 before it loads the key, which turns a PEM into garbage, however well it is quoted.
    """
    for service, reading in readings(model, settings):
        if reading.state in _NOT_BASE64:
            yield Violation(
                service=service,
                at=reading.at,
                impact=KEY_ERROR_AT_BOOT,
                fix=KEY_FIX if reading.damage is State.GOOD else _NEW_KEY_FIRST,
                problem=f"{_set_by(reading)} {KEY} to a PEM; Lago expects base64 of the PEM, on one line",
            )


@rule(phase=1)
def rsa_double_decoded(model: Model, settings: Settings) -> Iterator[Violation]:
    """The command passes the base64 value on as it is.

    Option B of the deployment plan (docs/plan-corrections.md) decodes base64 in the command and exports the PEM. Lago decodes once more and gets
    garbage.
    """
    for service, reading in readings(model, settings):
        if reading.state is State.DECODED:
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"the command decodes base64 and exports the result as {KEY}",
                impact=f"Lago decodes a second time. {KEY_ERROR_AT_BOOT}",
                fix=f"remove the decoding and pass the base64 value on: {KEY}: ${{{KEY}:?}}",
            )


@rule(phase=1)
def rsa_double_encoded(model: Model, settings: Settings) -> Iterator[Violation]:
    """LAGO_RSA_PRIVATE_KEY is base64-encoded once.

    Lago decodes base64 once. If the key was encoded twice, the result is still base64 and no key.
    """
    for service, reading in readings(model, settings):
        if reading.state is State.TWICE:
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"{_set_by(reading)} {KEY} to base64 of base64",
                impact=KEY_ERROR_AT_BOOT,
                fix="encode the PEM once: `base64 -w0 < key.pem`",
            )


@rule(phase=1)
def rsa_newlines_mangled(model: Model, settings: Settings) -> Iterator[Violation]:
    r"""The key contains no literal \n, and its line breaks are intact.

    To Lago a backslash and an n are two characters that corrupt the base64 or the PEM. Real line breaks,
    spaces and quotes around base64 do no harm.
    """
    for service, reading in readings(model, settings):
        if reading.state in (State.MANGLED, State.PEM_MANGLED):
            yield Violation(
                service=service,
                at=reading.at,
                impact=KEY_ERROR_AT_BOOT,
                fix=KEY_FIX if reading.damage is State.GOOD else _NEW_KEY_FIRST,
                problem=f"{_set_by(reading)} {KEY} to a key whose line breaks are lost, or replaced by a "
                f"backslash and an n",
            )


_CORRUPTED = {
    State.TRUNCATED: "is truncated: the end of the key is missing",
    State.DAMAGED: "is damaged: OpenSSL can't parse the key",
    State.INCONSISTENT: "loads, but its numbers are inconsistent",
    State.PLACEHOLDER: "is a placeholder, not a key",
    State.UNEXPANDED: "contains an expression that was never expanded",
    State.NO_KEY: "is neither base64 of a PEM nor of DER",
}


@rule(phase=1)
def rsa_key_corrupted(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key is complete: it parses, and its numbers are consistent.

    Copying by hand loses lines or characters. A single wrong character can leave a key that loads but makes
    invalid signatures.
    """
    for service, reading in readings(model, settings):
        state = reading.state if reading.damage is State.GOOD else reading.damage
        if state in _CORRUPTED:
            inconsistent = reading.state is State.INCONSISTENT
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"{KEY} {_CORRUPTED[state]}",
                impact="signatures that no receiver can verify, while everything looks healthy"
                if inconsistent
                else KEY_ERROR_AT_BOOT,
                fix=_RESTORE,
            )


_UNUSABLE = {
    State.PUBLIC: (
        "is a public key",
        "Lago boots, then every signature fails: webhooks and grpc_token answer 500",
    ),
    State.NOT_RSA: ("is no RSA key", KEY_ERROR_AT_BOOT),
    State.ENCRYPTED: ("is encrypted with a passphrase", KEY_ERROR_AT_BOOT),
    State.SHORT: ("is shorter than 2048 bits", "its signatures can be forged"),
}


@rule(phase=1)
def rsa_key_unusable(model: Model, settings: Settings) -> Iterator[Violation]:
    """The key is a private RSA key of at least 2048 bits, without a passphrase."""
    for service, reading in readings(model, settings):
        state = reading.state if reading.damage is State.GOOD else reading.damage
        if state in _UNUSABLE:
            problem, impact = _UNUSABLE[state]
            yield Violation(
                service=service,
                at=reading.at,
                problem=f"{KEY} {problem}",
                impact=impact,
                fix="generate a private RSA key: `openssl genpkey -algorithm RSA -pkeyopt "
                "rsa_keygen_bits:2048`",
            )


@rule(phase=1)
def shell_unquoted_export(model: Model, settings: Settings) -> Iterator[Violation]:
    """Exports quote their substitutions.

    /bin/sh (dash in Lago's image) splits `export A=$(cat file)` at spaces and line breaks: the variable ends
    after the first word of the PEM, and the rest is treated as variable names.
    """
    for service, reading in readings(model, settings):
        if reading.outcome and reading.outcome.unquoted:
            name = reading.outcome.unquoted[0].split("=")[0][:60]
            yield Violation(
                service=service,
                at=("services", service.name, "command" if service.command else "entrypoint"),
                problem=f"the command exports {name} without quotes around its substitution",
                impact="the shell splits the value at spaces and line breaks: a truncated value, or `bad "
                "variable name` and exit 2",
                fix='quote it: export NAME="$$(...)"',
            )
