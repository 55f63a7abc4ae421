"""The corpus: healthy compose files, and each of them changed so that a rule must report it."""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import DATA, ROOT

FOLDER = DATA / "corpus_lines"
SHIPPED = ROOT / "compose" / "docker-compose.lago.yml"
HEALTHY = ("lago", "list", "shared", "newer")


class Case(NamedTuple):
    """One changed file: the rules that must report it, first the one that it is for; where it stands in cases.txt."""

    rules: tuple[str, ...]
    base: str
    edits: tuple[str, ...]
    line: int


def cases(name: str = "cases.txt") -> list[Case]:
    """Every case of a table of the corpus."""
    found = []
    for number, text in enumerate((FOLDER / name).read_text("utf-8").splitlines(), 1):
        if text and not text.startswith("#"):
            rules, base, *edits = text.split(" ;; ")
            found.append(Case(tuple(each.strip() for each in rules.split(",")), base, tuple(edits), number))
    return found


def incidents() -> list[tuple[str, tuple[str, ...]]]:
    """What went wrong with this deployment, each with the rules that see it in a file."""
    lines = [
        line
        for line in (FOLDER / "incidents.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    return [
        (name, tuple(each.strip() for each in seen_by.split(",")))
        for name, seen_by in (line.split(" ;; ") for line in lines)
    ]


def healthy(name: str) -> str:
    """The text of a healthy compose file."""
    return (SHIPPED if name == "lago" else FOLDER / f"{name}.yml").read_text("utf-8")


def write(folder: Path, name: str, edits: tuple[str, ...] = ()) -> Path:
    """A healthy file with changes, in a folder of its own together with what it names; its path."""
    text, variables = healthy(name), (FOLDER / "lago.env").read_text("utf-8")
    for edit in edits:
        if edit.startswith("env: "):
            variables = _changed(variables, edit.removeprefix("env: "), edit)
        elif re.fullmatch(r"-[\w-]+", edit):
            start, end = _service(text, edit[1:])
            text = text[:start] + text[end:]
        elif edit.startswith("@") and " " in edit and _has_service(text, edit[1:].split(" ", 1)[0]):
            service, change = edit[1:].split(" ", 1)
            start, end = _service(text, service)
            text = text[:start] + _changed(text[start:end], change, edit) + text[end:]
        else:
            text = _changed(text, edit, edit)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "docker-compose.yml"
    path.write_text(_filled(text), "utf-8")
    (folder / "lago.env").write_text(_filled(variables), "utf-8")
    (folder / "rsa_key.rb").write_text(SHIPPED.with_name("rsa_key.rb").read_text("utf-8"), "utf-8")
    return path


def _changed(text: str, change: str, edit: str) -> str:
    old, new = _lines(change).split(" => ") if " => " in change else ("", "")
    if not old or old not in text:
        raise ValueError(f"the corpus changes what is not there: {edit}")
    return text.replace(old, new)


def _lines(text: str) -> str:
    """Line breaks for backslash-n; a doubled backslash stays one."""
    return text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def _has_service(text: str, name: str) -> bool:
    return f"\n  {name}:\n" in text


def _service(text: str, name: str) -> tuple[int, int]:
    start = text.index(f"\n  {name}:\n", text.index("\nservices:")) + 1
    end = re.compile(r"^(?:  \S|\S)", re.MULTILINE).search(text, start + 3)
    return start, end.start() if end else len(text)


def _filled(text: str) -> str:
    for name, value in _material().items():
        text = text.replace(f"@{name}@", value)
    return text


@cache
def _material() -> dict[str, str]:
    """Keys and secrets by the names that the corpus uses; made once per run, written nowhere else."""
    import secrets

    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    def pem(key) -> str:
        return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    def public(key) -> str:
        return encoded(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )

    own, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    text = pem(own)
    lines = text.splitlines(keepends=True)
    der = bytearray(own.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    der[-40] ^= 1
    return {
        "PEM_QUOTED": text.replace("\n", "\\n"),
        "PEM_ESCAPED": text.replace("\n", "\\n"),
        "PEM_INDENTED": "".join(f"      {line}" for line in lines),
        "B64": encoded(text),
        "B64_OTHER": encoded(pem(other)),
        "B64B64": encoded(encoded(text)),
        "B64_ESCAPED": encoded(text)[:60] + "\\n" + encoded(text)[60:],
        "B64_CUT": encoded(text)[:1200],
        "B64_DAMAGED": encoded("".join(lines[:5] + lines[7:])),
        "B64_INCONSISTENT": base64.b64encode(bytes(der)).decode(),
        "B64_PUBLIC": public(own),
        "B64_PUBLIC_OTHER": public(other),
        "B64_EC": encoded(pem(ec.generate_private_key(ec.SECP256R1()))),
        "B64_SHORT": encoded(pem(rsa.generate_private_key(65537, 1024))),
        "HEX": secrets.token_hex(32),
        "HEX64": secrets.token_hex(64),
        "HEX24": secrets.token_hex(24),
        "HEX32": secrets.token_hex(16),
    }
