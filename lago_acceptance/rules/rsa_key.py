"""Rules about the RSA key that Lago would find in each of its containers
(docs/lago-facts.md, section 1.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename

from lago_acceptance.findings import Severity
from lago_acceptance.lago_reading import (
    KEY,
    NATIVE_FILE,
    NATIVE_FROM,
    KeyReading,
    State,
    before,
    is_key_mount,
    key_reading,
    version_of,
)
from lago_acceptance.model import Model, Service
from lago_acceptance.roles import API, LAGO_RUBY
from lago_acceptance.rules import Hit, rule
from lago_acceptance.settings import Settings
from lago_acceptance.values import unknown

DIES = "OpenSSL::PKey::RSAError at boot: migrate, api, worker and clock exit 1 and restart for ever"
MEND = (
    "give Lago base64 of the PEM: `base64 -w0 < key.pem` as LAGO_RSA_PRIVATE_KEY, or mount the PEM read-only "
    "and let "
    "RUBYOPT=-r/run/lago/rsa_key (rsa_key.rb) or a wrapper with `base64 -w0` set the variable in the "
    "container"
)


def readings(model: Model, settings: Settings) -> Iterator[tuple[Service, KeyReading]]:
    """Each service that runs Lago's Ruby, with what it would find as its key."""
    for service in model.of_role(*LAGO_RUBY):
        if service.value("RAILS_ENV") not in ("development", "test"):
            yield service, key_reading(service, model, settings)


def _where(reading: KeyReading) -> str:
    words = {"shell": "the command sets", "ruby": "the file that RUBYOPT loads sets"}
    return words.get(reading.via, "the environment gives")


@rule("rsa-env-missing", phase=1)
def missing(model: Model, settings: Settings) -> Iterator[Hit]:
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
            yield Hit(
                service=service,
                at=reading.at,
                wrong=how if empty else f"nothing gives {KEY}, the only key that Lago reads",
                leads_to=DIES
                if empty
                else "NoMethodError `unpack1' for nil at boot: the container restarts for ever",
                mend=MEND,
            )


def _unset(model: Model, service: Service) -> str | None:
    """The name of the unset variable that empties the key, None where it isn't one."""
    text = model.written.text(service.name, KEY) if model.written else None
    return (
        next((name for name in model.written.unset if f"{{{name}" in text or f"${name}" in text), None)
        if text
        else None
    )


@rule("rsa-volume-never-read", phase=1)
def volume_never_read(model: Model, settings: Settings) -> Iterator[Hit]:
    """A mounted key is turned into LAGO_RSA_PRIVATE_KEY by something inside the container.

    Option C of the plan mounts the PEM and sets LAGO_RSA_PRIVATE_KEY_PATH. No version of Lago reads that
    variable, and before v1.23.0 none reads a key file in production. From v1.23.0
    /app/config/keys/private.pem is read.
    """
    for service, reading in readings(model, settings):
        if reading.via == "initializer":
            continue
        native = not before(service, settings, NATIVE_FROM)
        idle = [
            mount
            for mount in service.mounts
            if is_key_mount(mount)
            and not any(path.startswith(mount.target) for path in reading.reads)
            and not (native and NATIVE_FILE.startswith(mount.target.rstrip("/")))
            and not (version_of(service, settings) is None and reading.state is State.UNKNOWN)
        ]
        named = [name for name in service.environment if name.endswith("_PATH") and "RSA" in name]
        if not idle and (not named or any(map(is_key_mount, service.mounts))):
            continue
        working = reading.state in (State.GOOD, State.UNKNOWN)
        what = f"the key is mounted at {idle[0].target}" if idle else f"{named[0]} names a file"
        also = f" and {named[0]} is a variable that no version of Lago reads" if idle and named else ""
        target = ("volumes",) if idle else ("environment", named[0])
        yield Hit(
            service=service,
            at=("services", service.name, *target),
            wrong=f"{what}, but nothing turns that file into {KEY}{also}",
            leads_to="the mounted key is not the key that Lago uses"
            if working
            else f"option C as the plan writes it: Lago finds no key. {DIES}",
            mend=MEND + (f", or move the file to {NATIVE_FILE}" if native else ""),
            severity=Severity.WARNING if working else None,
        )


@rule("rsa-file-variable-never-read", phase=1)
def file_variable(model: Model, settings: Settings) -> Iterator[Hit]:
    """Lago has no convention of *_FILE variables.

    Option A of the plan sets LAGO_RSA_PRIVATE_KEY_FILE=/run/secrets/... PostgreSQL's image reads such names,
    Lago's does not: the key stays unset.
    """
    for service, reading in readings(model, settings):
        for name in service.environment:
            if name.endswith("_FILE") and name.startswith(
                ("LAGO_", "SECRET_KEY", "DATABASE_", "REDIS_", "RSA_")
            ):
                used = reading.outcome is not None and any(name in path for path in reading.outcome.reads)
                expanded = any(
                    f"${name}" in word or f"${{{name}" in word
                    for word in (*service.entrypoint, *service.command)
                )
                if used or expanded:
                    continue
                base = name.removesuffix("_FILE")
                yield Hit(
                    service=service,
                    at=("services", service.name, "environment", name),
                    wrong=f"{name} is set, but Lago reads no *_FILE variable",
                    leads_to=f"option A as the plan writes it: {base} stays unset. {DIES}"
                    if base == KEY
                    else f"{base} stays as it is without it; the file is never opened",
                    mend=MEND if base == KEY else f"set {base} itself",
                )


_NOT_BASE64 = (State.PEM, State.PEM_MANGLED)


@rule("rsa-not-base64", phase=1)
def not_base64(model: Model, settings: Settings) -> Iterator[Hit]:
    """LAGO_RSA_PRIVATE_KEY is base64 of the PEM, not the PEM.

    Lago decodes base64 before it loads the key. A PEM, however well it is quoted, becomes garbage by that:
    the encoding is wrong, not the quoting.
    """
    for service, reading in readings(model, settings):
        if reading.state in _NOT_BASE64:
            yield Hit(
                service=service,
                at=reading.at,
                leads_to=DIES,
                mend=MEND,
                wrong=f"{_where(reading)} {KEY} as a PEM; Lago expects base64 of it, on one line",
            )


@rule("rsa-double-decoded", phase=1)
def double_decoded(model: Model, settings: Settings) -> Iterator[Hit]:
    """Nothing decodes the key before Lago does.

    Option B of the plan decodes base64 in the command and exports the PEM. Lago decodes again, and what comes
    out is no key. The base64 value itself is what Lago wants.
    """
    for service, reading in readings(model, settings):
        if reading.state is State.DECODED:
            yield Hit(
                service=service,
                at=reading.at,
                wrong=f"the command decodes base64 and exports the result as {KEY}",
                leads_to=f"option B as the plan writes it: Lago decodes a second time. {DIES}",
                mend=f"hand the base64 value on as it is ({KEY}: ${{{KEY}:?}}), without decoding it",
            )


@rule("rsa-double-encoded", phase=1)
def double_encoded(model: Model, settings: Settings) -> Iterator[Hit]:
    """The key is encoded once.

    Lago decodes base64 once; base64 of base64 leaves it with text that is no key.
    """
    for service, reading in readings(model, settings):
        if reading.state is State.TWICE:
            yield Hit(
                service=service,
                at=reading.at,
                wrong=f"{_where(reading)} {KEY} as base64 of base64",
                leads_to=DIES,
                mend="encode the PEM once: `base64 -w0 < key.pem`",
            )


@rule("rsa-newlines-mangled", phase=1)
def newlines_mangled(model: Model, settings: Settings) -> Iterator[Hit]:
    r"""The key's line breaks are line breaks, or base64 has none.

    A backslash and an n are two letters to Lago: they end up inside of the base64 or the PEM and break it.
    Real line breaks, blanks and quotes around base64 do no harm.
    """
    for service, reading in readings(model, settings):
        if reading.state in (State.MANGLED, State.PEM_MANGLED):
            yield Hit(
                service=service,
                at=reading.at,
                leads_to=DIES,
                mend=MEND,
                wrong=f"{_where(reading)} {KEY} with line breaks lost, or turned into a backslash and an n",
            )


_CORRUPTED = {
    State.TRUNCATED: "is cut off: the key's end is missing",
    State.DAMAGED: "is damaged: OpenSSL can't parse the key",
    State.INCONSISTENT: "loads, but its numbers don't belong together",
    State.PLACEHOLDER: "is a placeholder, not a key",
    State.UNEXPANDED: "holds an expression that nobody expands",
    State.NO_KEY: "is neither base64 of a PEM nor of DER",
}


@rule("rsa-key-corrupted", phase=1)
def corrupted(model: Model, settings: Settings) -> Iterator[Hit]:
    """The key is whole: it parses, and its numbers belong together.

    A key that was retyped or cut loses a line or a letter. One letter can leave a key that loads and signs
    wrongly.
    """
    for service, reading in readings(model, settings):
        if reading.state in _CORRUPTED:
            inconsistent = reading.state is State.INCONSISTENT
            yield Hit(
                service=service,
                at=reading.at,
                wrong=f"{KEY} {_CORRUPTED[reading.state]}",
                leads_to="signatures that nobody can verify, while everything looks healthy"
                if inconsistent
                else DIES,
                mend="take the key from its original, or make a new one: `openssl genpkey -algorithm RSA "
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


@rule("rsa-key-unusable", phase=1)
def unusable(model: Model, settings: Settings) -> Iterator[Hit]:
    """The key is a private RSA key of at least 2048 bits without a passphrase."""
    for service, reading in readings(model, settings):
        if reading.state in _UNUSABLE:
            wrong, leads_to = _UNUSABLE[reading.state]
            yield Hit(
                service=service,
                at=reading.at,
                wrong=f"{KEY} {wrong}",
                leads_to=leads_to,
                mend="use a private RSA key: `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`",
            )


@rule("rsa-key-drift-api-worker", phase=1)
def drift(model: Model, settings: Settings) -> Iterator[Hit]:
    """migrate, api, worker and clock have one and the same key.

    The worker signs webhooks, the API hands out the public half: with two keys no receiver can verify
    anything.
    """
    known = [(service, reading) for service, reading in readings(model, settings) if reading.identity]
    reference = next((each for each in known if each[0].role == API), known[0] if known else None)
    for service, reading in known:
        kinds = {reading.identity.split(" ")[0] == "file", reference[1].identity.split(" ")[0] == "file"}
        if len(kinds) == 1 and reading.identity != reference[1].identity:
            yield Hit(
                service=service,
                at=reading.at,
                wrong=f"its key is another one than that of {reference[0].name}",
                leads_to="webhooks are signed with a key whose public half the API doesn't serve: no "
                "receiver can verify them",
                mend="give all of Lago's containers the same key, by one anchor or one variable",
            )
    yield from _other_variables(model, settings)


def _other_variables(model: Model, settings: Settings) -> Iterator[Hit]:
    """The services whose key comes from another variable than the API's: the two may hold one key, or not."""
    given = [
        (service, service.value(KEY))
        for service, reading in readings(model, settings)
        if reading.via == "variable" and unknown(service.value(KEY))
    ]
    first = next((each for each in given if each[0].role == API), None)
    for service, value in given if first else ():
        if value != first[1]:
            yield Hit(
                service=service,
                at=("services", service.name, "environment", KEY),
                severity=Severity.WARNING,
                wrong=f"its key comes from another variable than that of {first[0].name}",
                leads_to="as soon as the two differ, no receiver can verify a webhook",
                mend="give all of Lago's containers the same key, by one anchor or one variable",
            )


@rule("rsa-initializer-patched-at-runtime", phase=1)
def patched(model: Model, settings: Settings) -> Iterator[Hit]:
    """Lago's own initializer is left as the image brings it.

    A command that rewrites config/initializers/rsa_keys.rb works until the next version of Lago, and what it
    loads can't be judged.
    """
    for service, reading in readings(model, settings):
        if reading.via == "initializer":
            mounted = service.mount_at("/app/config/initializers/rsa_keys.rb")
            yield Hit(
                service=service,
                at=(
                    "services",
                    service.name,
                    "volumes" if mounted else "command" if service.command else "entrypoint",
                ),
                wrong="Lago's initializer rsa_keys.rb is replaced when the container starts",
                leads_to="a change of Lago breaks it unseen, and `docker exec` or another service runs "
                "another code",
                mend=MEND,
            )


@rule("shell-unquoted-export", phase=1)
def unquoted_export(model: Model, settings: Settings) -> Iterator[Hit]:
    """An export with a substitution is quoted.

    In /bin/sh (dash in Lago's image) `export A=$(cat file)` is split at blanks and line breaks: a PEM ends
    after its first word, and the rest are taken as names.
    """
    for service, reading in readings(model, settings):
        if reading.outcome and reading.outcome.unquoted:
            what = reading.outcome.unquoted[0].split("=")[0][:60]
            yield Hit(
                service=service,
                at=("services", service.name, "command" if service.command else "entrypoint"),
                wrong=f"the command exports {what} without quotes around what it substitutes",
                leads_to="the shell splits the value at blanks and line breaks: cut values, or `bad variable "
                "name` and exit 2",
                mend='quote it: export NAME="$$(...)"',
            )


@rule("rsa-mount-source-absent", phase=1, declared_only=True)
def source_absent(model: Model, settings: Settings) -> Iterator[Hit]:
    """The key file that is mounted exists where the compose file says.

    Docker makes a directory of a missing bind source (unless create_host_path is false), and the container
    finds a directory where it expects a PEM.
    """
    for service in model.of_role(*LAGO_RUBY):
        for number, mount in enumerate(service.mounts):
            absent = mount.source in model.files and model.files[mount.source] is None
            if (
                mount.kind in ("bind", "secret")
                and absent
                and is_key_mount(mount)
                and (mount.create_host_path and mount.kind == "bind")
            ):
                yield Hit(
                    service=service,
                    at=("services", service.name, "volumes", number),
                    wrong=f"the key {basename(mount.source)} is mounted from a place where no such file is",
                    leads_to="Docker makes a directory there, and Lago's container reads a directory instead "
                    "of a key",
                    mend="put the key there before the deploy, and set bind.create_host_path to false, so "
                    "that a missing "
                    "file stops the start",
                    severity=Severity.WARNING,
                )
