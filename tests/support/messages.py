"""The messages of the library, read from its source, with … for what is filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT

FILLED_IN = "…"


def pattern(quoted: str) -> re.Pattern[str]:
    """Finds a quotation: its parts in their order, within one text."""
    parts = quoted.strip(f"{FILLED_IN} ").split(FILLED_IN)
    return re.compile("[^\0]*?".join(re.escape(part.strip()) for part in parts))


@cache
def _trees() -> dict[Path, ast.Module]:
    paths = [*(ROOT / "lago_acceptance").rglob("*.py"), *(ROOT / "fixtures").rglob("*.py")]
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(paths)}


def everywhere() -> str:
    """All texts of the library, shell scripts among them, each behind a null."""
    texts = [text for tree in _trees().values() for node in ast.walk(tree) if (text := _text(node))]
    texts += [path.read_text("utf-8") for path in sorted((ROOT / "lago_acceptance").rglob("*.sh"))]
    return "\0".join(texts)


def raised(exception: str) -> dict[str, str]:
    """The messages with which an exception is made, by file and line: the reason ``why``, or else the whole text.

    A message that is put together elsewhere, or has no words of its own, is not among them.
    """
    found = {}
    for path, node in _calls(exception):
        why = next((each.value for each in node.keywords if each.arg == "why"), None)
        text = _text(why) or _constant(why)
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


def _constant(node: ast.AST | None) -> str:
    """The text of a module's constant, by its name; "" where two modules have different ones."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    assigned = {
        _text(each.value)
        for tree in _trees().values()
        for each in tree.body
        if isinstance(each, ast.Assign)
        and any(isinstance(to, ast.Name) and to.id == name for to in each.targets)
    }
    return assigned.pop() if len(assigned) == 1 else ""


def _text(node: ast.AST | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else FILLED_IN for part in node.values)
    return ""
