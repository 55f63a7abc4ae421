"""What Lago makes of the text of an RSA key: base64 of a PEM or of DER (docs/lago-facts.md, section 1.3)."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable
from functools import cache

from lago_acceptance.shell.values import AbstractValue


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


_BY_SHAPE = {
    "empty": State.EMPTY,
    "pem": State.PEM,
    "pem-mangled": State.PEM_MANGLED,
    "pem-other": State.PEM,
    "pem-public": State.PUBLIC,
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
    if (beneath := damage(text)) in (State.PUBLIC, State.NOT_RSA):
        return beneath, ""
    if text.origin == "decoded" and state in (State.PEM, State.PEM_MANGLED, State.NO_KEY):
        return State.DECODED, ""
    if text.literal is None or state not in (State.GOOD, State.NO_KEY, State.MANGLED):
        return state, ""
    return _loaded(text.literal)


# Damage that stays, however the PEM is passed on.
DAMAGES = frozenset(
    {
        State.TRUNCATED,
        State.DAMAGED,
        State.INCONSISTENT,
        State.PUBLIC,
        State.NOT_RSA,
        State.ENCRYPTED,
        State.SHORT,
    }
)
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)(-----END [A-Z ]+-----|$)", re.DOTALL)


def pem_in(text: AbstractValue) -> str:
    """The PEM that a value is, with its line breaks back where they were lost; "" if it is none, or isn't known."""
    found = _PEM.search(text.literal or "")
    if not found:
        return ""
    body = re.sub(r"\\n|\s", "", found[2])
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    if ":" in body:
        # Headers, as those of an encrypted key, need their own lines.
        lines = [found[2].replace("\\n", "\n").strip()]
    return "\n".join([f"-----BEGIN {found[1]}-----", *lines, found[3], ""])


def damage(text: AbstractValue) -> State:
    """What is wrong with a PEM, however it is passed on; GOOD where nothing is, or where its text isn't known."""
    if not (pem := pem_in(text)):
        return State.GOOD
    state, _ = _loaded(_base64(pem))
    return state if state in DAMAGES else State.GOOD


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


def judge_either(text: AbstractValue) -> tuple[State, str]:
    """What a key is to code that may or may not decode base64; UNKNOWN where another reading may make sense of it."""
    pem = pem_in(text)
    state, digest = _loaded(_base64(pem)) if pem else judge(text)
    certain = state in DAMAGES or state in (State.GOOD, State.PLACEHOLDER)
    return (state, digest) if certain and text.literal is not None else (State.UNKNOWN, "")


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


def public_digest(value: str) -> str:
    """The SHA-256 of a public key, as PEM or base64 of it; "" if it can't be read."""
    import base64

    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        data = value.replace("\\n", "\n").encode() if "BEGIN" in value else base64.b64decode(value)
        key = load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return ""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
