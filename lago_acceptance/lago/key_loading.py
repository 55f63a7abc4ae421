"""The RSA key that Lago loads in each container, worked out without starting one.

Lago 1.16.0 only reads ``LAGO_RSA_PRIVATE_KEY``, decodes base64 leniently and passes the bytes to OpenSSL
(docs/lago-facts.md, section 1.3). The value is followed through the environment, a shell wrapper, RUBYOPT,
and, from v1.23.0, the file /app/config/keys/private.pem, which wins there.
"""

from __future__ import annotations

import re
from posixpath import basename

import msgspec

from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.key_parsing import DAMAGES, State, damage, judge, judge_either
from lago_acceptance.lago.startup import elsewhere, environment_of, file_text, outcome_of, script_text
from lago_acceptance.lago.versions import version_of
from lago_acceptance.model.deployment import Model, Mount, Service
from lago_acceptance.model.once import once
from lago_acceptance.shell.dataflow import ShellState
from lago_acceptance.shell.filters import ruby_value
from lago_acceptance.shell.values import UNKNOWN, AbstractValue

KEY = "LAGO_RSA_PRIVATE_KEY"
NATIVE_FILE = "/app/config/keys/private.pem"
NATIVE_FROM = (1, 23, 0)
INITIALIZER = "/app/config/initializers/rsa_keys.rb"
_KEY_FILE = re.compile(r"(?i)rsa|private|lago.*\.(pem|key)$|^key\.pem$|/keys/?$|/config/keys")
_NO_KEY_FILE = re.compile(r"(?i)\.(rb|sh|crt|cer|conf|py|js)$|public|ca\.pem|cert|\.rb:|generate")


class KeyReading(msgspec.Struct, frozen=True):
    """Lago's key in one service. ``via`` is variable, shell, ruby, file or initializer.

    ``identity`` is the same for equal keys, "" if it isn't known. ``at`` is the YAML path in the compose file that
    decides the value. ``damage`` is what is wrong with the key beside the way it is passed on, GOOD if nothing is known.
    """

    state: State
    via: str
    at: tuple[str | int, ...]
    identity: str = ""
    reads: frozenset[str] = frozenset()
    outcome: ShellState | None = None
    damage: State = State.GOOD


def is_key_mount(mount: Mount) -> bool:
    """Whether a mount contains a private key, by its names."""
    text = f"{mount.source} {mount.target}"
    if mount.target.startswith(("/app/storage", "/var/run", "/var/lib")) or _NO_KEY_FILE.search(mount.target):
        return False
    return any(
        _KEY_FILE.search(name) for name in (basename(mount.source), basename(mount.target), mount.target)
    ) or (mount.target.rstrip("/") == "/app/config/keys" or "private_key" in text)


@once
def key_reading(service: Service, model: Model, settings: Settings) -> KeyReading:
    """The key that Lago loads in this service."""
    outcome = outcome_of(service, model)
    version = version_of(service, settings)
    reads = frozenset(outcome.reads)
    native = service.mount_at(NATIVE_FILE)
    if native is not None and (version is None or version >= NATIVE_FROM):
        loaded, digest = judge_either(file_text(service, model, NATIVE_FILE))
        good = State.UNKNOWN if version is None else State.GOOD
        return KeyReading(
            loaded if loaded in DAMAGES else good,
            "file",
            ("services", service.name, "volumes"),
            digest or f"file {native.source}",
            reads | {NATIVE_FILE},
            outcome,
        )
    if any("rsa_keys.rb" in path for path in (*outcome.writes, *outcome.edits)) or service.mount_at(
        INITIALIZER
    ):
        return _patched_reading(service, model, outcome)
    text, via, at = _value(service, model, outcome)
    state, digest = judge(text)
    if via == "variable" and KEY not in service.environment:
        state = State.ABSENT
    if service.environment_elsewhere or (
        state in (State.ABSENT, State.EMPTY) and _set_unseen(outcome, service, model)
    ):
        reads |= frozenset(mount.target for mount in service.mounts)
        state = State.UNKNOWN if state in (State.ABSENT, State.EMPTY) else state
    if version is None and state in (State.ABSENT, State.EMPTY) and any(map(is_key_mount, service.mounts)):
        state = State.UNKNOWN
    identity = digest or (
        f"file {text.origin}" if text.origin.startswith("/") and text.shape != "empty" else ""
    )
    if text.origin == "generated":
        identity = f"file made in {service.name}"
    if not identity and is_masked(service.value(KEY)) and via == "variable":
        identity = service.value(KEY)
    reads |= _ruby_reads(service, model)
    beneath = damage(text) if state in (State.PEM, State.PEM_MANGLED) else State.GOOD
    return KeyReading(state, via, at, identity, reads, outcome, beneath)


def _patched_reading(service: Service, model: Model, outcome: ShellState) -> KeyReading:
    """The key where Lago's initializer is replaced: what the variable holds, unless the new one doesn't read it."""
    written = next((text for path, text in outcome.writes.items() if "rsa_keys.rb" in path), UNKNOWN)
    code = script_text(service, model, INITIALIZER) or written.literal
    text, via, at = _value(service, model, outcome)
    state, digest = (State.UNKNOWN, "") if code is not None and KEY not in code else judge_either(text)
    if not digest and via == "variable" and is_masked(service.value(KEY)):
        digest = service.value(KEY)
    where = at if state in DAMAGES else ("services", service.name, "command")
    return KeyReading(state, "initializer", where, digest, frozenset(outcome.reads), outcome)


def _set_unseen(outcome: ShellState, service: Service, model: Model) -> bool:
    """Whether something unreadable may set the key: a script, a secret store, a local image."""
    built = service.built and not service.entrypoint
    return bool(built or service.environment_elsewhere or elsewhere(service, model, outcome))


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
