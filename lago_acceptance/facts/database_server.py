"""What PostgreSQL answers about itself: its state, its sessions and its settings (scripts/database.sql).

Whatever an answer lacks is None: not known. Times are Unix times by the server's clock, ages are seconds. Values are those
of the database that Lago logs in to, seen by Lago's own role.
"""

from __future__ import annotations

import msgspec


class About(msgspec.Struct, frozen=True):
    """The server, and the role and database that Lago logs in to.

    ``version`` is PostgreSQL's own number (150004 is 15.4). ``processes_started`` is when its checkpointer began: later
    than ``started`` by more than a moment, one of its processes has crashed. ``schemas`` are those of the search path that
    exist. ``standbys`` counts the connections that read WAL. ``sees_all``: the role sees what others' sessions do. ``password_until`` is when the role's password expires.
    """

    version: int | None = None
    now: float | None = None
    started: float | None = None
    processes_started: float | None = None
    in_recovery: bool | None = None
    standbys: int | None = None
    role: str = ""
    database: str = ""
    schemas: tuple[str, ...] = ()
    superuser: bool = False
    sees_all: bool | None = None
    password_until: float | None = None


class Connections(msgspec.Struct, frozen=True):
    """How many sessions there are, and how many there may be. ``reserved`` are for superusers. A limit of -1 is none."""

    used: int | None = None
    maximum: int | None = None
    reserved: int | None = None
    of_role: int | None = None
    role_limit: int | None = None
    of_database: int | None = None
    database_limit: int | None = None


class Client(msgspec.Struct, frozen=True):
    """The sessions of one client: where it connects from (None: by the socket), and as what.

    ``here``: to Lago's database. ``hidden``: its address may not be seen.
    """

    address: str | None = None
    application: str = ""
    role: str = ""
    here: bool = False
    hidden: bool = False
    count: int = 0
    since: float | None = None


class Transaction(msgspec.Struct, frozen=True):
    """A transaction that is older than a minute, and whose it is."""

    pid: int = 0
    application: str = ""
    role: str = ""
    address: str | None = None
    state: str = ""
    age: float = 0.0


class Holder(msgspec.Struct, frozen=True):
    """A session with a lock on tables that stops writes, or that others wait for.

    ``pid`` is 0 for a prepared transaction. ``age`` is that of its transaction, ``idle`` how long it has done nothing in
    it, ``kind`` PostgreSQL's backend_type: all None where they may not be seen. ``waits``: it waits for a lock itself.
    ``waiting`` sessions wait for it, the longest for ``waited``.
    """

    pid: int = 0
    application: str = ""
    role: str = ""
    address: str | None = None
    state: str = ""
    kind: str | None = None
    age: float | None = None
    idle: float | None = None
    waits: bool = False
    tables: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    waiting: int = 0
    waited: float | None = None


class Prepared(msgspec.Struct, frozen=True):
    """A prepared transaction, and when it was prepared."""

    name: str = ""
    since: float = 0.0


class Slot(msgspec.Struct, frozen=True):
    """A replication slot: whether somebody reads it, and the bytes of WAL that are kept for it."""

    name: str = ""
    kind: str = ""
    active: bool | None = None
    held: float | None = None


class Archiver(msgspec.Struct, frozen=True):
    """Whether PostgreSQL archives its WAL, how often that has failed, and when it last failed and last worked."""

    on: bool = False
    failed: int = 0
    failed_at: float | None = None
    archived_at: float | None = None


class Index(msgspec.Struct, frozen=True):
    """An index that PostgreSQL doesn't use, since it was not built to its end."""

    name: str = ""
    table: str = ""
    unique: bool = False


class Sequence(msgspec.Struct, frozen=True):
    """A sequence that has used four fifths of its numbers or more. ``maximum`` is the lesser of its own and its column's."""

    name: str = ""
    table: str = ""
    last: int = 0
    maximum: int = 0


class Collation(msgspec.Struct, frozen=True):
    """A collation whose version on this system differs from the one that the data were sorted by."""

    name: str = ""
    recorded: str = ""
    actual: str = ""


class SetFor(msgspec.Struct, frozen=True):
    """A setting that Lago's role (ALTER ROLE), its database (ALTER DATABASE), both or all roles are given."""

    name: str = ""
    role: bool = False
    database: bool = False


class Home(msgspec.Struct, frozen=True):
    """A schema with Lago's tables, and whether Lago's role may use it."""

    schema: str = ""
    usable: bool = True


class DatabaseServer(msgspec.Struct, frozen=True):
    """What PostgreSQL answered about itself, one field a statement.

    ``settings`` are values at the begin of a session, as PostgreSQL writes them without units. ``tables_off`` are tables
    without autovacuum, ``filtered`` those whose rows row security filters for Lago's role, ``refused`` the privileges that
    it lacks by table. ``collations`` is None before PostgreSQL 15.
    """

    about: About | None = None
    connections: Connections | None = None
    clients: tuple[Client, ...] | None = None
    transactions: tuple[Transaction, ...] | None = None
    holders: tuple[Holder, ...] | None = None
    prepared: tuple[Prepared, ...] | None = None
    slots: tuple[Slot, ...] | None = None
    archiver: Archiver | None = None
    indexes: tuple[Index, ...] | None = None
    sequences: tuple[Sequence, ...] | None = None
    settings: dict[str, str] | None = None
    set_for: tuple[SetFor, ...] | None = None
    tables_off: tuple[str, ...] | None = None
    filtered: tuple[str, ...] | None = None
    homes: tuple[Home, ...] | None = None
    refused: dict[str, tuple[str, ...]] | None = None
    collations: tuple[Collation, ...] | None = None

    def place_of(self, name: str) -> str:
        """Where the value of a setting comes from: "role in database", "role", "database", "all roles" or "server"."""
        found = {(each.role, each.database) for each in self.set_for or () if each.name == name}
        places = {
            (True, True): "role in database",
            (True, False): "role",
            (False, True): "database",
            (False, False): "all roles",
        }
        return next((place for which, place in places.items() if which in found), "server")
