"""What differs between the structure of Lago's schema in the database and the one that the image's schema file states."""

from __future__ import annotations

import msgspec

from lago_acceptance.facts.structure import Structure


class Difference(msgspec.Struct, frozen=True):
    """One thing in which the two structures differ: the table that it is about ("" for none), and its name for a reader."""

    table: str
    text: str


# PostgreSQL cuts longer names.
_LONGEST = 63
# Left out where the server doesn't offer it.
_OPTIONAL = frozenset(("pg_partman",))


def differences(has: Structure, stated: Structure) -> dict[str, list[Difference]]:
    """What differs, by the id of the finding. What follows from a missing table is not among it."""
    found = {
        "schema-table-missing": _tables(has, stated),
        "schema-column-missing": _columns(has, stated),
        "schema-column-added": _unfilled(has, stated),
        "schema-unique-index-missing": _unique(has, stated),
        "schema-unique-index-added": _unique_added(has, stated),
        **_foreign(has, stated),
        **_required(has, stated),
        **_additions(has, stated),
        "schema-function-added": [
            Difference("", name) for name in sorted(set(has.functions) - set(stated.functions))
        ],
        "schema-extension-missing": [
            Difference("", name) for name in sorted(set(stated.extensions) - set(has.extensions) - _OPTIONAL)
        ],
        "schema-foreign-key-off": [
            Difference(name, name) for name in sorted(set(has.unenforced) & _names(stated))
        ],
    }
    return {id: each for id, each in found.items() if each}


def _names(structure: Structure) -> set[str]:
    return set(structure.columns or {})


def _cut(name: str) -> str:
    return name.encode()[:_LONGEST].decode("utf-8", "ignore")


def _tables(has: Structure, stated: Structure) -> list[Difference]:
    return [Difference(name, name) for name in sorted(_names(stated) - _names(has))]


def _both(has: Structure, stated: Structure) -> dict[str, tuple[dict[str, bool], dict[str, bool]]]:
    """The columns of the tables that both have, each with whether it must not be NULL."""
    return {
        name: (_columns_of(has, name), _columns_of(stated, name))
        for name in sorted(_names(has) & _names(stated))
    }


def _columns_of(structure: Structure, table: str) -> dict[str, bool]:
    return {each.rstrip("!"): each.endswith("!") for each in (structure.columns or {})[table]}


def _columns(has: Structure, stated: Structure) -> list[Difference]:
    return [
        Difference(table, f"{table}.{column}")
        for table, (there, wanted) in _both(has, stated).items()
        for column in wanted
        if column not in there
    ]


def _unfilled(has: Structure, stated: Structure) -> list[Difference]:
    """Not of tables that lack a column: there one was renamed."""
    lacking = {each.table for each in _columns(has, stated)}
    return [
        Difference(table, f"{table}.{column.rstrip('!')}")
        for table, (_, wanted) in _both(has, stated).items()
        for column in (has.columns or {})[table]
        if column.endswith("!!") and column.rstrip("!") not in wanted and table not in lacking
    ]


def _required(has: Structure, stated: Structure) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {"schema-not-null-missing": [], "schema-not-null-added": []}
    for table, (there, wanted) in _both(has, stated).items():
        for column, required in wanted.items():
            if there.get(column, required) != required:
                id = "schema-not-null-missing" if required else "schema-not-null-added"
                found[id].append(Difference(table, f"{table}.{column}"))
    return found


def _unique(has: Structure, stated: Structure) -> list[Difference]:
    names = {(each.table, each.name): each for each in has.unique}
    kinds = {(each.table, each.columns, each.partial) for each in has.unique}
    found = []
    for each in stated.unique:
        if each.table not in _names(has) or (each.table, each.columns, each.partial) in kinds:
            continue
        text = f"{_cut(each.name)} on {each.table} ({', '.join(each.columns)})"
        if other := names.get((each.table, _cut(each.name))):
            where = " of some rows only" if other.partial and not each.partial else ""
            text += f", which is on ({', '.join(other.columns)}){where}"
        found.append(Difference(each.table, text))
    return found


def _unique_added(has: Structure, stated: Structure) -> list[Difference]:
    """Those that refuse rows which the stated ones let in. One on more columns than a stated one refuses none."""
    return [
        Difference(each.table, f"{each.name} on {each.table} ({', '.join(each.columns)})")
        for each in has.unique
        if each.table in _names(stated)
        and not any(
            own.table == each.table
            and (own.columns == each.columns or set(own.columns) < set(each.columns))
            and each.partial >= own.partial
            for own in stated.unique
        )
    ]


def _foreign(has: Structure, stated: Structure) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {
        "schema-foreign-key-missing": [],
        "schema-foreign-key-unchecked": [],
    }
    explicit = {(each.table, each.columns) for each in stated.foreign if each.columns}
    for each in stated.foreign:
        if each.table not in _names(has) or each.target not in _names(has):
            continue
        matching = [
            key
            for key in has.foreign
            if (key.table, key.target) == (each.table, each.target)
            and (
                set(key.columns) == set(each.columns)
                if each.columns
                else (key.table, key.columns) not in explicit
            )
        ]
        columns = f" ({', '.join(each.columns)})" if each.columns else ""
        text = f"{each.table}{columns} to {each.target}"
        if not matching:
            found["schema-foreign-key-missing"].append(Difference(each.table, text))
        elif each.valid and not any(key.valid for key in matching):
            found["schema-foreign-key-unchecked"].append(Difference(each.table, text))
    return found


def _additions(has: Structure, stated: Structure) -> dict[str, list[Difference]]:
    own = {(each.table, _cut(each.name), each.kind) for each in stated.additions}
    there = {(each.table, each.name, each.kind) for each in has.additions}
    added = sorted(
        each for each in there - own if each[0] in _names(stated) and each[2] != "disabled trigger"
    )
    missing = sorted(each for each in own - there if each[2] == "trigger" and each[0] in _names(has))
    return {
        "schema-trigger-added": [
            Difference(table, f"{kind} {name} on {table}") for table, name, kind in added
        ],
        "schema-trigger-missing": [Difference(table, f"{name} on {table}") for table, name, _ in missing],
    }
