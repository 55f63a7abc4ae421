"""Keys and secrets for the corpus: made once per run, written into no file of the repository."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_BLOCK = re.compile(r"^( *)@PEM@$", re.MULTILINE)


def filled(text: str) -> str:
    """The text with a value for each ``@NAME@``; the lines of ``@PEM@`` are indented as it is."""
    values = material()
    text = _BLOCK.sub(
        lambda found: "\n".join(f"{found[1]}{line}" for line in values["PEM"].splitlines()), text
    )
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


@cache
def material() -> dict[str, str]:
    """The values by the names that the corpus uses. Those with HEX are random hexadecimal digits."""
    own, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    text = _pem(own)
    lines = text.splitlines(keepends=True)
    inconsistent = bytearray(
        own.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    inconsistent[-40] ^= 1
    return {
        "PEM": text,
        "PEM_ESCAPED": text.replace("\n", "\\n"),
        "PEM_DAMAGED": "".join(lines[:5] + lines[7:]).replace("\n", "\\n"),
        "PEM_PUBLIC": base64.b64decode(_public(own)).decode().replace("\n", "\\n"),
        "B64": _encoded(text),
        "B64_OTHER": _encoded(_pem(other)),
        "B64_PUBLISHED": _encoded(_pem(_published())),
        "PUBLISHED_SECRET": hashlib.sha256(b"published secret").hexdigest(),
        "B64B64": _encoded(_encoded(text)),
        "B64_ESCAPED": _encoded(text)[:60] + "\\n" + _encoded(text)[60:],
        "B64_CUT": _encoded(text)[:1200],
        "B64_DAMAGED": _encoded("".join(lines[:5] + lines[7:])),
        "B64_INCONSISTENT": base64.b64encode(bytes(inconsistent)).decode(),
        "B64_PUBLIC": _public(own),
        "B64_PUBLIC_OTHER": _public(other),
        "B64_EC": _encoded(_pem(ec.generate_private_key(ec.SECP256R1()))),
        "B64_SHORT": _encoded(_pem(rsa.generate_private_key(65537, 1024))),
        "HEX": secrets.token_hex(32),
        "HEX64": secrets.token_hex(64),
        "HEX24": secrets.token_hex(24),
        "HEX32": secrets.token_hex(16),
    }


def _published() -> rsa.RSAPrivateKey:
    """The same key in every run, so that its digest can be in the table of published ones."""
    p, q = _prime("p", 1692), _prime("q", 1350)
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()


def _prime(name: str, above: int) -> int:
    """A prime of 1024 bits that was once looked for from a digest on."""
    digests = (hashlib.sha256(f"published {name} {part}".encode()).digest() for part in range(4))
    return (int.from_bytes(b"".join(digests), "big") | 3 << 1022 | 1) + above


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _public(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _encoded(public.decode())


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
