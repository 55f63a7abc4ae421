"""A secret that is known is found however it is written, and nothing else is taken for it."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import shlex
import textwrap
import threading
from urllib.parse import quote, quote_plus

import pytest

from lago_acceptance.core.secrets import Redactor, redact

SECRETS = {
    "letters": lambda: "k" + secrets.token_hex(20),
    "signs": lambda: f"p@s\"s w<o$r'd/é+{secrets.token_hex(4)}&\\n=%?",
    "short": lambda: "s" + secrets.token_hex(4),
    "words": lambda: f"two {secrets.token_hex(4)}",
    "lines": lambda: f"{secrets.token_hex(9)}\n{secrets.token_hex(9)}+/=",
}


ENCODINGS = {
    "as it is": lambda secret: secret,
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "percent": lambda secret: quote(secret, safe=""),
    "percent, small": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "a path": lambda secret: quote(secret),
    "plus": quote_plus,
    "all percent": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "JSON in letters": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON with slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON for a page": lambda secret: (
        json.dumps(secret)[1:-1].replace("<", "\\u003c").replace("&", "\\u0026")
    ),
    "JSON of codes": lambda secret: "".join(f"\\u{ord(letter):04x}" for letter in secret),
    "Python": lambda secret: repr(secret)[1:-1],
    "a shell": lambda secret: shlex.quote(secret).strip("'"),
    "a shell's escapes": lambda secret: "".join(
        f"\\{letter}" if letter in " $\"'<&?" else letter for letter in secret
    ),
    "a compose file": lambda secret: secret.replace("$", "$$"),
    "HTML": html.escape,
    "lines of base64": lambda secret: "\n".join(
        textwrap.wrap(base64.b64encode(f"{'x' * 50}{secret}{'y' * 50}".encode()).decode(), 64)
    ),
}


def left_of(form: str, redacted: str) -> str:
    """The longest piece of eight characters or more of a form that can still be read."""
    bare, text = "".join(form.split()), "".join(redacted.split())
    return next((bare[at : at + 8] for at in range(len(bare) - 7) if bare[at : at + 8] in text), "")


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_form_of_a_secret_is_found(kind, encoding):
    secret = SECRETS[kind]()
    Redactor.shared.learn(secret)
    form = ENCODINGS[encoding](secret)
    for before in ("", "a", "of ", "to: ", "x=\n"):
        redacted = redact(f"{before}{form} behind")
        assert "<secret>" in redacted and redacted.endswith(" behind")
        # What is around the secret in its lines of base64 looks like a key.
        if encoding != "lines of base64":
            assert redacted.startswith(before) and left_of(form, redacted) == "", redacted


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", range(3))
def test_base64_of_more_than_the_secret_is_found(kind, alphabet, before):
    secret = SECRETS[kind]()
    Redactor.shared.learn(secret)
    inside = alphabet(b"u" * before + secret.encode() + b"tail").decode()
    redacted = redact(f"got {inside}.")
    # The first and the last letter also depend on what is beside the secret.
    assert "<secret>" in redacted and len(redacted) <= len("got <secret>.") + 16, redacted


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("between", ["\n", "\r\n      ", "\\n", "\\\n  "])
def test_a_secret_that_is_broken_over_lines_is_found(kind, between):
    secret = SECRETS[kind]()
    Redactor.shared.learn(secret)
    for form in (secret, base64.b64encode(secret.encode()).decode(), quote(secret, safe="")):
        for at in range(1, len(form)):
            if form[at - 1] != "\\":
                redacted = redact(f"it is {form[:at]}{between}{form[at:]} here")
                assert redacted.startswith("it is <secret>") and redacted.endswith(" here"), redacted


def test_other_text_is_left_as_it_is():
    Redactor.shared.learn("abcdefgh")
    Redactor.shared.learn("short")
    text = "abcdefg abc def g h? short \\n abcdefgg\té \\u0041"
    assert redact(text) == text


def test_what_is_learned_later_and_by_other_threads_is_found_too():
    values = [secrets.token_hex(16) for _ in range(200)]
    assert redact(values[0]) == values[0]
    threads = [threading.Thread(target=Redactor.shared.learn, args=(value,)) for value in values]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert redact(" ".join(values)) == " ".join(["<secret>"] * 200)
    assert all(Redactor.shared.leaks(f"x{value}x") for value in values)
    assert not Redactor.shared.leaks("nothing here")


def test_text_of_any_bytes_is_redacted():
    Redactor.shared.learn("abcdefgh")
    assert redact("\udcff\ud800 abcdefgh \x00") == "\udcff\ud800 <secret> \x00"
