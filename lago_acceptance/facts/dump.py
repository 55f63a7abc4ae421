"""A dump of the database, as far as it was read."""

from __future__ import annotations

import msgspec

# Tables without which a dump is none of Lago's.
TABLES = ("organizations", "customers", "subscriptions", "invoices", "fees", "events")


class Content(msgspec.Struct, frozen=True):
    """What is in a dump. ``inner`` is what a compressed file holds: sql, archive (pg_dump's own formats), text, binary,
    or empty.

    ``whole``: it was read to its end; else only its beginning (and of a plain one its end). ``code`` is the exit code of
    what read it, None where that says nothing; ``said`` its first error message. ``begun`` and ``ended``: pg_dump's mark of the
    beginning and of the end is there. ``created`` and ``filled`` are those of TABLES that it creates and has rows for.
    """

    inner: str = ""
    whole: bool = False
    code: int | None = None
    said: str = ""
    begun: bool = False
    ended: bool = False
    created: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()


class Dump(msgspec.Struct, frozen=True):
    """A dump of the database: when it was written (Unix time), and its size in bytes.

    ``kind`` is what its first bytes say: gzip, zstd, xz, bzip2, archive, other, or closed (it may not be read). Of the newest
    one the ``content`` was read.
    """

    path: str
    written: float
    size: int
    kind: str = ""
    content: Content | None = None
