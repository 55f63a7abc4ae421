"""The tables of room `lago` that are read from Lago's source, compared with a checkout."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from lago_acceptance.lago import release_table
from lago_acceptance.lago_source import api, constraints, jobs, releases
from lago_acceptance.lago_source.history import History

Row = dict[str, str]

FOLDER = Path(release_table.__file__).parent
_READ: Mapping[str, Callable[[History], list[Row]]] = {
    "releases.tsv": releases.rows,
    "constraints.tsv": constraints.rows,
    "filling_jobs.tsv": jobs.job_rows,
    "tasks.tsv": jobs.task_rows,
    "api_changes.tsv": api.rows,
}


class Difference(msgspec.Struct, frozen=True):
    """Rows of a table that only the source has, and rows that only the table has."""

    table: str
    missing: tuple[Row, ...]
    extra: tuple[Row, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra)

    def __str__(self) -> str:
        """The rows as they are in the file, below a line that says what they are."""
        lines = []
        for rows, what in ((self.missing, "to be added"), (self.extra, "not in the source")):
            if rows:
                lines += [f"# {self.table}: {len(rows)} row{'s' if len(rows) > 1 else ''} {what}"]
                lines += ["\t".join(row.values()) for row in rows]
        return "\n".join(lines)


def read(history: History, folder: Path = FOLDER) -> dict[str, list[Row]]:
    """The rows of each table as the source has them. What only people can know is taken from the files."""
    tables = {name: [_printable(row) for row in rows(history)] for name, rows in _READ.items()}
    known = {_same(row): row["undone"] for row in written(folder / "constraints.tsv")}
    tables["constraints.tsv"] = [
        row | {"undone": known.get(_same(row), row["undone"])} for row in tables["constraints.tsv"]
    ]
    return tables


def differences(tables: Mapping[str, Sequence[Row]], folder: Path = FOLDER) -> list[Difference]:
    """What the files of a folder lack, and have too much, table by table."""
    return [
        found for name, rows in tables.items() if (found := _difference(name, rows, written(folder / name)))
    ]


def write(tables: Mapping[str, Sequence[Row]], folder: Path = FOLDER) -> None:
    """Write the tables."""
    for name, rows in tables.items():
        if rows:
            (folder / name).write_text(_text(rows), "utf-8")


def written(path: Path) -> list[Row]:
    """The rows of a file; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _printable(row: Row) -> Row:
    """The row without what a terminal would obey, or a table can't have."""
    return {key: "".join(each if each.isprintable() else "?" for each in value) for key, value in row.items()}


def _difference(name: str, rows: Sequence[Row], have: Sequence[Row]) -> Difference:
    return Difference(
        name, tuple(row for row in rows if row not in have), tuple(row for row in have if row not in rows)
    )


def _same(row: Row) -> tuple[str, str, str]:
    return row["table"], row["column"], row["migration"]


def _text(rows: Sequence[Row]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(
        stream, list(rows[0]), delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None
    )
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
