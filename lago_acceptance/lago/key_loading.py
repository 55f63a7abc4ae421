"""The RSA key that Lago loads in each container, worked out without starting one.

Lago 1.16.0 only reads ``LAGO_RSA_PRIVATE_KEY``, decodes base64 leniently and passes the bytes to OpenSSL
(docs/lago-facts.md, section 1.3). The value is followed through the environment, a shell wrapper, RUBYOPT,
and, from v1.23.0, the file /app/config/keys/private.pem, which wins there.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable
from functools import cache
from posixpath import basename, join

import msgspec

from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import shape, unknown
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.shell.dataflow import ShellState, follow
from lago_acceptance.shell.filters import ruby_value
from lago_acceptance.shell.values import UNKNOWN, AbstractValue

KEY = "LAGO_RSA_PRIVATE_KEY"
NATIVE_FILE = "/app/config/keys/private.pem"
NATIVE_FROM = (1, 23, 0)
_KEY_FILE = re.compile(r"(?i)rsa|private|lago.*\.(pem|key)$|^key\.pem$|/keys/?$|/config/keys")
# Programs that run a command with variables from a secret store.
_WRAPPERS = {
    "doppler",
    "infisical",
    "envconsul",
    "chamber",
    "op",
    "sops",
    "teller",
    "summon",
    "vault",
    "bao",
    "bws",
}
_NO_KEY_FILE = re.compile(r"(?i)\.(rb|sh|crt|cer|conf|py|js)$|public|ca\.pem|cert|\.rb:|generate")


class State(enum.StrEnum):
    """What Lago makes of its key. ``GOOD``: it was loaded, or has the right shape if its text isn't known."""

    GOOD = "good"
    ABSENT = "absent"
    EMPTY = "empty"
    PEM = "a PEM instead of base64 of it"
    DECODED = "decoded once too often"
    TWICE = "base64 of base64"
    MANGLED = "mangled newlines"
    PEM_MANGLED = "a PEM with mangled newlines"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    INCONSISTENT = "inconsistent"
    PUBLIC = "a public key"
    NOT_RSA = "not an RSA key"
    ENCRYPTED = "encrypted"
    SHORT = "shorter than 2048 bits"
    PLACEHOLDER = "a placeholder"
    UNEXPANDED = "an unexpanded expression"
    NO_KEY = "no key at all"
    UNKNOWN = "unknown"


class KeyReading(msgspec.Struct, frozen=True):
    """Lago's key in one service. ``via`` is variable, shell, ruby, file or initializer.

    ``identity`` is the same for equal keys, "" if it isn't known. ``at`` is the YAML path in the compose file that
    decides the value.
    """

    state: State
    via: str
    at: tuple[str | int, ...]
    identity: str = ""
    reads: frozenset[str] = frozenset()
    outcome: ShellState | None = None


def is_key_mount(mount: Mount) -> bool:
    """Whether a mount contains a private key, by its names."""
    text = f"{mount.source} {mount.target}"
    if mount.target.startswith(("/app/storage", "/var/run", "/var/lib")) or _NO_KEY_FILE.search(mount.target):
        return False
    return any(
        _KEY_FILE.search(name) for name in (basename(mount.source), basename(mount.target), mount.target)
    ) or (mount.target.rstrip("/") == "/app/config/keys" or "private_key" in text)


def file_text(service: Service, model: Model, path: str) -> AbstractValue:
    """The content of a file inside a service's container, as far as it is known."""
    path = path if path.startswith("/") else join("/app", path.removeprefix("./"))
    mount = service.mount_at(path)
    if mount is None:
        unseen = service.built or may_be_copied_in(path, model) or path.startswith(("/proc", "/dev", "/tmp"))
        return UNKNOWN if unseen else AbstractValue("empty", "", path)
    inside = path[len(mount.target.rstrip("/")) :].lstrip("/")
    source = join(mount.source, inside) if inside else mount.source
    known = model.files.get(source)
    if known is not None:
        return AbstractValue(shape(known), known, source, not any(each.isspace() for each in known))
    name = f"{source} {path}".lower()
    if re.search(r"b64|base64", name):
        return AbstractValue("base64", None, source, True)
    if re.search(r"\.pem|\.key\b|rsa_private(?!_key_b)", name):
        return AbstractValue("pem", None, source)
    return AbstractValue("unknown", None, source)


def may_be_copied_in(path: str, model: Model) -> bool:
    """Whether a running container can have a file there without a mount: Compose and Swarm copy configs."""
    return model.observed and path.startswith("/") and not path.startswith("/app/")


def script_text(service: Service, model: Model, path: str) -> str | None:
    """The text of a mounted script, None where it isn't one or isn't known."""
    if "/" not in path or service.mount_at(path) is None:
        return None
    return file_text(service, model, path).literal


def environment_of(service: Service) -> dict[str, AbstractValue]:
    """A service's variables as values to follow."""
    return {
        name: UNKNOWN
        if unknown(value)
        else AbstractValue(shape(value), None, value or "")
        if is_masked(value)
        else AbstractValue.of(value or "")
        for name, value in service.environment.items()
    }


def outcome_of(service: Service, model: Model) -> ShellState:
    """The shell state that a service's command leaves behind."""
    return follow(
        (*service.entrypoint, *service.command),
        environment_of(service),
        lambda path: file_text(service, model, path),
        lambda path: script_text(service, model, path),
    )


def key_reading(service: Service, model: Model, settings: Settings) -> KeyReading:
    """The key that Lago loads in this service."""
    outcome = outcome_of(service, model)
    version = version_of(service, settings)
    reads = frozenset(outcome.reads)
    native = service.mount_at(NATIVE_FILE)
    if native is not None and (version is None or version >= NATIVE_FROM):
        return KeyReading(
            State.UNKNOWN if version is None else State.GOOD,
            "file",
            ("services", service.name, "volumes"),
            f"file {native.source}",
            reads | {NATIVE_FILE},
            outcome,
        )
    if any("rsa_keys.rb" in path for path in (*outcome.writes, *outcome.edits)) or service.mount_at(
        "/app/config/initializers/rsa_keys.rb"
    ):
        return KeyReading(
            State.UNKNOWN, "initializer", ("services", service.name, "command"), "", reads, outcome
        )
    text, via, at = _value(service, model, outcome)
    state, digest = judge(text)
    if via == "variable" and KEY not in service.environment:
        state = State.ABSENT
    if state in (State.ABSENT, State.EMPTY) and _set_unseen(outcome, service, model):
        return KeyReading(
            State.UNKNOWN, via, at, "", reads | frozenset(mount.target for mount in service.mounts), outcome
        )
    if version is None and state in (State.ABSENT, State.EMPTY) and any(map(is_key_mount, service.mounts)):
        state = State.UNKNOWN
    identity = digest or (
        f"file {text.origin}" if text.origin.startswith("/") and text.shape != "empty" else ""
    )
    if text.origin == "generated":
        identity = f"file made in {service.name}"
    if not identity and is_masked(service.value(KEY)) and via == "variable":
        identity = service.value(KEY)
    return KeyReading(state, via, at, identity, reads | _ruby_reads(service, model), outcome)


def _set_unseen(outcome: ShellState, service: Service, model: Model) -> bool:
    """Whether something unreadable may set the key: a script, a secret store's wrapper, a local image."""
    return (
        outcome.unseen
        or (service.built and not service.entrypoint)
        or any(
            _unseen_script(program, service, model) or basename(program[0]) in _WRAPPERS
            for program in outcome.programs
            if program
        )
    )


def _unseen_script(program: tuple[str, ...], service: Service, model: Model) -> bool:
    """Whether a program is a script, mounted or copied in, whose text isn't known: it may set anything."""
    path = program[0] if program else ""
    mount = service.mount_at(path)
    if mount is None:
        return path.endswith(".sh") and may_be_copied_in(path, model)
    return mount.kind != "volume" and file_text(service, model, path).literal is None


def _value(
    service: Service, model: Model, outcome: ShellState
) -> tuple[AbstractValue, str, tuple[str | int, ...]]:
    loader = _loader(service, model)
    if loader is not None:
        return loader, "ruby", ("services", service.name, "environment", "RUBYOPT")
    if (
        KEY in outcome.variables
        and outcome.variables[KEY].origin
        and (KEY in outcome.exported or KEY in service.environment)
    ):
        given = environment_of(service).get(KEY)
        if given is None or outcome.variables[KEY] != given:
            where = "entrypoint" if service.entrypoint else "command"
            return outcome.variables[KEY], "shell", ("services", service.name, where)
    text = environment_of(service).get(KEY, AbstractValue.of(""))
    return text, "variable", ("services", service.name, "environment", KEY)


def _required_ruby(service: Service) -> str:
    """The file that RUBYOPT loads into every Ruby process, "" if there is none."""
    words = service.value("RUBYOPT").split()
    for at, word in enumerate(words):
        if word.startswith("-r"):
            path = word[2:] or (words[at + 1] if at + 1 < len(words) else "")
            if path.startswith("/"):
                return path if path.endswith(".rb") else f"{path}.rb"
    return ""


def _loader(service: Service, model: Model) -> AbstractValue | None:
    path = _required_ruby(service)
    if not path:
        return None
    mount = service.mount_at(path)
    if mount is None:
        return UNKNOWN if service.built else None
    code = script_text(service, model, path)
    if code is None:
        return UNKNOWN
    if KEY not in code:
        return None
    return ruby_value(code, lambda found: file_text(service, model, found))


def _ruby_reads(service: Service, model: Model) -> frozenset[str]:
    path = _required_ruby(service)
    if not path or service.mount_at(path) is None:
        return frozenset()
    code = script_text(service, model, path)
    if code is None:
        return frozenset(mount.target for mount in service.mounts if is_key_mount(mount))
    return frozenset(mount.target for mount in service.mounts if mount.target in code)


_BY_SHAPE = {
    "empty": State.EMPTY,
    "pem": State.PEM,
    "pem-mangled": State.PEM_MANGLED,
    "pem-other": State.PEM,
    "pem-public": State.PEM,
    "base64-public": State.PUBLIC,
    "base64": State.GOOD,
    "base64-mangled": State.MANGLED,
    "base64-twice": State.TWICE,
    "der": State.GOOD,
    "unexpanded": State.UNEXPANDED,
    "placeholder": State.PLACEHOLDER,
    "default": State.PLACEHOLDER,
    "plain": State.NO_KEY,
    "unknown": State.UNKNOWN,
}


def judge(text: AbstractValue) -> tuple[State, str]:
    """What Lago makes of a value, and the SHA-256 of the public key if it loads (else "")."""
    state = _BY_SHAPE[text.shape]
    if text.origin == "decoded" and state in (State.PEM, State.PEM_MANGLED, State.NO_KEY):
        return State.DECODED, ""
    if text.literal is None or state not in (State.GOOD, State.NO_KEY, State.MANGLED):
        return state, ""
    return _loaded(text.literal)


@cache
def _loaded(value: str) -> tuple[State, str]:
    import base64

    letters = re.sub(r"[^A-Za-z0-9+/=]", "", value).split("=")[0]
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    data = base64.b64decode(letters + "=" * (-len(letters) % 4))
    if b"-----BEGIN " not in data:
        if data.startswith(b"LS0tLS1CRUdJTi"):
            return State.TWICE, ""
        return _loaded_der(data)
    if "\\n" in value or b"\\n" in data:
        return State.MANGLED, ""
    if b"PUBLIC KEY" in data:
        return State.PUBLIC, ""
    if b"ENCRYPTED" in data:
        return State.ENCRYPTED, ""
    if b"PRIVATE KEY" not in data or b"EC PRIVATE" in data:
        return State.NOT_RSA, ""
    if b"-----END " not in data:
        return State.TRUNCATED, ""
    if b"\n" not in data.strip():
        return State.MANGLED, ""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return _checked(load_pem_private_key, data)


def _loaded_der(data: bytes) -> tuple[State, str]:
    if data[:2] != b"\x30\x82":
        return State.NO_KEY, ""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

    state, digest = _checked(load_der_private_key, data)
    if state is State.DAMAGED:
        try:
            load_der_public_key(data)
            return State.PUBLIC, ""
        except (ValueError, TypeError, UnsupportedAlgorithm):
            length = int.from_bytes(data[2:4], "big") + 4
            return (State.TRUNCATED if len(data) < length else State.DAMAGED), ""
    return state, digest


def _checked(load: Callable[..., object], data: bytes) -> tuple[State, str]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    # The parser's message is dropped: it may contain parts of the key.
    try:
        key = load(data, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return State.DAMAGED, ""
    if not isinstance(key, RSAPrivateKey):
        return State.NOT_RSA, ""
    try:
        load(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return State.INCONSISTENT, ""
    if key.key_size < 2048:
        return State.SHORT, ""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return State.GOOD, hashlib.sha256(public).hexdigest()
