"""How a secret may be written: as it is, encoded, escaped, and quoted."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import quote

# What percent-encoding leaves as it is: nothing, as in a query; slashes; all that may be in a path.
_LEFT_BY_PERCENT_ENCODING = ("", "/", "!$&'()*+,;=:@/?")


def forms_of(secret: str) -> set[bytes]:
    """The forms of a secret as UTF-8, without the blanks in them."""
    raw = secret.encode("utf-8", "surrogatepass")
    texts = {secret, raw.hex(), raw.hex().upper(), *_base64(raw)}
    if not secret.isalnum() or not secret.isascii():
        texts.update(_escaped(secret), _percent_encoded(raw))
    texts.update(("".join(f"%{byte:02X}" for byte in raw), "".join(f"\\u{ord(each):04x}" for each in secret)))
    return {b"".join(text.encode("utf-8", "surrogatepass").split()) for text in texts}


def _escaped(secret: str) -> Iterator[str]:
    # As compose files write a dollar sign.
    yield secret.replace("$", "$$")
    yield shlex.quote(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    as_json = json.dumps(secret)[1:-1]
    yield as_json
    # As Go, Rails and Python write JSON that can be put into a web page.
    for signs in ("[<>&]", "[<>&']"):
        yield re.sub(signs, lambda found: f"\\u{ord(found[0]):04x}", as_json)
        yield re.sub(signs, lambda found: f"\\u{ord(found[0]):04X}", as_json)


def _percent_encoded(raw: bytes) -> Iterator[str]:
    for left in _LEFT_BY_PERCENT_ENCODING:
        encoded = quote(raw, safe=left)
        for text in {encoded, encoded.replace("%20", "+")}:
            yield text
            yield re.sub("%..", lambda found: found[0].lower(), text)


def _base64(raw: bytes) -> Iterator[str]:
    """The characters that don't depend on what precedes and follows the secret, wherever its first byte is."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        text = encoded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
        yield text
        yield text.replace("+", "-").replace("/", "_")
