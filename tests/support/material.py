"""Keys and secrets for the corpus: made once per run, written into no file of the repository."""

from __future__ import annotations

import base64
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


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _public(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _encoded(public.decode())


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
