"""The messages of the library, read from its source, with … for what is filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT

FILLED_IN = "…"


def matches(quoted: str, message: str) -> bool:
    """Whether the parts of a quotation occur in a message, in their order."""
    at = 0
    for part in filter(None, (each.strip() for each in quoted.split(FILLED_IN))):
        at = message.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


@cache
def _trees() -> dict[Path, ast.Module]:
    paths = [*(ROOT / "lago_acceptance").rglob("*.py"), *(ROOT / "fixtures").rglob("*.py")]
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(paths)}


def everywhere() -> list[str]:
    """All texts of the library, shell scripts among them."""
    texts = [text for tree in _trees().values() for node in ast.walk(tree) if (text := _text(node))]
    return texts + [path.read_text("utf-8") for path in sorted((ROOT / "lago_acceptance").rglob("*.sh"))]


def raised(exception: str) -> dict[str, str]:
    """The messages with which an exception is made, by file and line: the reason ``why``, or else the whole text.

    A message that is put together elsewhere, or has no words of its own, is not among them.
    """
    found = {}
    for path, node in _calls(exception):
        why = next((each.value for each in node.keywords if each.arg == "why"), None)
        text = _text(why) if why is not None else ""
        if not text and node.args:
            text = _text(node.args[0])
        if any(map(str.isalpha, text)):
            found[f"{path.relative_to(ROOT)}:{node.lineno}"] = text
    return found


def _calls(name: str) -> Iterator[tuple[Path, ast.Call]]:
    for path, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield path, node


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else FILLED_IN for part in node.values)
    return ""
