"""Looking at Ruby text without running it: comments away, methods by name, and the tables of models."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_METHOD = re.compile(r"^( *)def (?:self\.)?(\w+)[^\n]*\n(.*?)^\1end", re.MULTILINE | re.DOTALL)
_TABLE_NAME = re.compile(r"""self\.table_name = ["'](\w+)["']""")
_LITERAL = re.compile(r"""["']([^"'#]*)["']""")


def without_comments(text: str) -> str:
    """The text without lines that are comments."""
    return _COMMENT.sub("", text)


def method(text: str, *names: str) -> str:
    """The body of the first of these methods that there is, "" if there is none."""
    found = {match[2]: match[3] for match in _METHOD.finditer(text)}
    return next((found[each] for each in names if each in found), "")


def literal(text: str) -> str:
    """The first string in a text, with its line breaks as blanks; "" if there is none."""
    found = _LITERAL.search(text)
    return " ".join(found[1].split()) if found else ""


def table_of(model: str, texts: dict[str, str]) -> str:
    """The table of a model such as Charge::AppliedTax, whose class is in app/models."""
    path = "app/models/" + "/".join(underscored(each) for each in model.split("::")) + ".rb"
    stated = _TABLE_NAME.search(texts.get(path, ""))
    return stated[1] if stated else plural(underscored(model.rpartition("::")[2]))


def underscored(name: str) -> str:
    """A class's name in lower case, such as fixed_charge."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def plural(word: str) -> str:
    """The plural of a table's name, as far as Lago's tables need it."""
    if word.endswith("metadata"):
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"
