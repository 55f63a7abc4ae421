"""Assembles the scripts that run on a host: renders tables as awk, sections as shell functions, and signs as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files

from lago_acceptance.core import roles, urls, value_shapes
from lago_acceptance.facts import signs, upgrade
from lago_acceptance.facts.sections import Section, sections

# An argument's limits are blanks, as in Python's words.
_ROLE_OF = r"""function role_of(label, text,    image, last) {
    if (label ~ /^(%s)$/) return label
    gsub(/","/, " ", text); sub(/ \["/, " ", text); sub(/"\]$/, "", text)
    image = text; sub(/ .*/, "", image); last = image; sub(/.*\//, "", last)
    if (last !~ /[:@]/) text = image ":latest" substr(text, length(image) + 1)
    text = text " "
%s
    return ""
}
"""
_SHAPE = """function shape(value,    lowered) {
    lowered = tolower(value)
%s
    return "%s"
}
"""
_SOUNDS_SECRET = """function sounds_secret(name) {
    name = tolower(name)
    if (name !~ %(words)s || name ~ %(endings)s) return 0
    if (name ~ %(always)s) return 1
    gsub(%(harmless)s, "", name)
    return name ~ %(words)s
}
"""
_UNESCAPED = """function is_unescaped(password) { return password ~ %s }
"""


def script(name: str, *, whole: bool = True) -> str:
    """The text of one of the scripts of this folder, with what is rendered from Python.

    ``whole``: whether database.sql asks for more than who is connected, migrations and tables: that costs PostgreSQL the most.
    """
    text = (files(__package__) / name).read_text("utf-8")
    match name:
        case "plan.awk":
            return roles_as_awk() + values_as_awk() + script("encodings.awk") + text
        case "mask.awk":
            return values_as_awk() + text
        case "collect.sh":
            return sections_as_shell(sections()) + script("declaration.sh") + text
        case "database.sql" if not whole:
            return re.sub("-- server\n.*-- everywhere\n", "", text, flags=re.DOTALL)
        case "database.sql":
            return text.replace(
                "-- signs\n", signs.BEFORE + signs.bare(script("structure.sql")) + "\n" + signs.statements()
            )
        case "upgrade.sql":
            return (
                signs.bare(text.replace("-- proofs\n", upgrade.as_values(upgrade.proofs().values()))) + "\n"
            )
        case "lago_process.rb":
            text = text.replace("# stores\n", script("stores.rb"))
            return text.replace("  # schema_file.rb\n", script("schema_file.rb"))
        case "elsewhere.rb":
            return text.replace("# stores\n", script("stores.rb"))
        case _:
            return text


def sections_as_shell(printed: Iterable[Section]) -> str:
    """The functions ``host_sections`` and ``last_sections``, which print these sections.

    Each runs in a subshell: variables that it sets, or a folder that it goes to, are its own business.
    """
    bodies = {"host_sections": "", "last_sections": ""}
    for each in printed:
        bodies["last_sections" if each.last else "host_sections"] += (
            f"begin {each.name}\n(\n{each.shell}\n)\n"
        )
    return "".join(f"{name}() {{\n{body or ':'}\n}}\n" for name, body in bodies.items())


def roles_as_awk() -> str:
    """``role_of(label, text)``, where text is "<image> <path> <arguments as JSON>"; "" where the table has no role."""
    arms = (
        _arm("text", [roles.regular_expression(pattern) for pattern in patterns], role)
        for role, patterns in roles.PATTERNS
    )
    return _ROLE_OF % ("|".join(roles.ALL), "\n".join(arms))


def values_as_awk() -> str:
    """``shape(value)``, ``sounds_secret(name)`` and ``is_unescaped(password)``; values are escaped as JSON escapes them."""
    arms = (
        _arm("lowered" if each.lowered else "value", each.expressions, each.name)
        for each in value_shapes.SHAPES
    )
    names = {
        "words": _literal(value_shapes.SECRET_WORDS),
        "endings": _literal(value_shapes.NO_SECRET_ENDINGS),
        "always": _literal(value_shapes.ALWAYS_SECRET_WORDS),
        "harmless": _literal(value_shapes.HARMLESS_PHRASES),
    }
    return (
        _SHAPE % ("\n".join(arms), value_shapes.PLAIN)
        + _SOUNDS_SECRET % names
        + _UNESCAPED % _literal(urls.UNESCAPED)
    )


def _arm(variable: str, expressions: list[str] | tuple[str, ...], result: str) -> str:
    tests = " || ".join(f"{variable} ~ {_literal(expression)}" for expression in expressions)
    return f'    if ({tests}) return "{result}"'


def _literal(expression: str) -> str:
    """A regular expression as awk writes it: a slash would end it."""
    return "/" + re.sub(r"(\\.)|/", lambda found: found[1] or r"\/", expression) + "/"
