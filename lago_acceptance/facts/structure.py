"""The structure of Lago's schema, as the database has it and as the schema file of the image states it.

scripts/structure.sql reads the one in the catalogs, scripts/schema_file.rb the other inside the API's container.
"""

from __future__ import annotations

import msgspec


class UniqueIndex(msgspec.Struct, frozen=True):
    """A unique index or primary key. ``partial``: it holds for some rows only."""

    table: str = ""
    name: str = ""
    columns: tuple[str, ...] = ()
    partial: bool = False


class ForeignKey(msgspec.Struct, frozen=True):
    """A foreign key. No ``columns``: those that Rails takes for the target. ``valid``: rows that were there were checked."""

    table: str = ""
    target: str = ""
    columns: tuple[str, ...] = ()
    valid: bool = True


class Addition(msgspec.Struct, frozen=True):
    """What changes or refuses writes to a table. ``kind``: trigger, disabled trigger, rule, row level security or
    check constraint.
    """

    table: str = ""
    name: str = ""
    kind: str = ""


class Structure(msgspec.Struct, frozen=True):
    """Names in Lago's schema. ``columns``: of each table, with "!" behind those that may not be NULL, and "!!" in a database
    where no default fills them; ``unenforced``: tables whose foreign keys are switched off; ``functions``: those that belong
    to no extension; ``file``: where it was stated; ``error``: why it is not known.
    """

    columns: dict[str, tuple[str, ...]] | None = None
    unique: tuple[UniqueIndex, ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    unenforced: tuple[str, ...] = ()
    additions: tuple[Addition, ...] = ()
    functions: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    file: str = ""
    error: str = ""
