"""The SQLite file of the history: opened, recognized, migrated, and begun again where it is damaged."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from lago_acceptance.core import report_files
from lago_acceptance.core.waiting import until

T = TypeVar("T")
NAME = "history.sqlite3"
INSTEAD = "choose another file with --history"
# How long another process may keep the file locked.
BUSY_SECONDS = 5.0
# "Lago", by which SQLite's own header tells this file from another program's.
APPLICATION = 0x4C61676F
# A larger file is checked only where it is read: all of it would take longer than a report may.
CHECKED_WHOLE = 16 * 2**20
_HEADER = b"SQLite format 3\0"
# What each version of the schema adds to the one before. Never changed, only added to.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
             id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, scheduled INTEGER NOT NULL,
             billing TEXT NOT NULL, since REAL NOT NULL, counts INTEGER NOT NULL, red TEXT NOT NULL,
             observed_at REAL, waived TEXT, past TEXT NOT NULL)""",
        "CREATE INDEX runs_by_key ON runs (key, id)",
        "CREATE TABLE hosts (key TEXT PRIMARY KEY, first REAL NOT NULL, succeeded REAL)",
        """CREATE TABLE alarms (
             key TEXT PRIMARY KEY, sent REAL NOT NULL, billing TEXT NOT NULL, cause TEXT NOT NULL, run TEXT NOT NULL)""",
    ),
)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# What SQLite says where a file system has no memory that processes share, which WAL needs.
_NO_WAL = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
)
# The ways to open the file, each for where the one before fails.
_SHARED, _ALONE, _FROZEN = range(3)
# SQLite's words for what the system has refused.
_SYSTEM = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_REASONS = {
    sqlite3.SQLITE_FULL: "no space is left there; free some, or",
    sqlite3.SQLITE_READONLY: "it, its folder or its file system is read-only;",
    sqlite3.SQLITE_CANTOPEN: "this account may not open it, or not write beside it;",
    sqlite3.SQLITE_PERM: "this account may not open it;",
}


class Unusable(report_files.NotWritten):
    """The history can't be read or written. The text is one sentence; no verdict depends on it."""


class Database:
    """A connection that is made when it is first used. ``notes`` are sentences on what was done to the file."""

    def __init__(self, path: Path):
        self.path = path
        self.notes: list[str] = []
        self._connection: sqlite3.Connection | None = None
        self._file: os.stat_result | None = None
        self._way = _SHARED

    def run(self, work: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        """The result of ``work`` in one transaction. A damaged file is moved aside first. Unusable where it fails.

        What can't be written can still be read.
        """
        with _failures(self.path):
            if writes and self._way == _FROZEN:
                # It says best itself why it can't be written.
                self.close()
                self._way = _SHARED
            begun_again = False
            while True:
                try:
                    return self._transaction(work, writes)
                except sqlite3.DatabaseError as error:
                    if _code(error) in _DAMAGED and self._way != _FROZEN and not begun_again:
                        begun_again = True
                        self._begin_again(error)
                    elif _code(error) in _NO_WAL and self._way < (_ALONE if writes else _FROZEN):
                        self.close()
                        self._way += 1
                    else:
                        raise

    def close(self) -> None:
        """End the connection. SQLite then moves what its log holds into the file."""
        connection, self._connection = self._connection, None
        if connection:
            with suppress(sqlite3.Error):
                connection.close()

    def _transaction(self, work: Callable[[sqlite3.Connection], T], writes: bool) -> T:
        connection = self._connection = self._connection or self._opened()
        connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return result

    def _opened(self) -> sqlite3.Connection:
        """A new connection; with a log that processes share, or with a journal, which also a network's file system has."""
        if self._way == _FROZEN:
            return self._opened_to_read()
        _make_file(self.path)
        self._file = self.path.stat()
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            # The file may have come from a host.
            connection.execute("PRAGMA trusted_schema=OFF")
            if self._way == _ALONE:
                # A file that has a log can be read without its shared memory only so.
                connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchone()
            self._recognize(connection)
            # Another process may be doing the same; its mode is this one's too.
            with _unless_locked():
                connection.execute(
                    f"PRAGMA journal_mode={'WAL' if self._way == _SHARED else 'DELETE'}"
                ).fetchone()
            connection.execute("PRAGMA locking_mode=NORMAL").fetchone()
            self._require_whole(connection)
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _opened_to_read(self) -> sqlite3.Connection:
        """A new connection to a file that nobody can write: without locks, for which a file would be made beside it."""
        place = quote(str(self.path.absolute()))
        connection = sqlite3.connect(f"file:{place}?mode=ro&immutable=1", uri=True, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            self._recognize(connection)
            self._require_whole(connection)
        except BaseException:
            connection.close()
            raise
        with suppress(OSError):
            if Path(f"{self.path}-wal").stat().st_size:
                self.notes.append(
                    f"the history {self.path} is read-only: what its last runs saw is not in it"
                )
        return connection

    def _recognize(self, connection: sqlite3.Connection) -> None:
        """Unusable where another program, or a newer version, has written the file."""
        kinds = {kind for (kind,) in connection.execute("SELECT DISTINCT type FROM sqlite_master")}
        # Views and triggers could run anything.
        if kinds and (_pragma(connection, "application_id") != APPLICATION or kinds - {"table", "index"}):
            raise Unusable(
                f"{self.path} is a database, but not a history of this suite; it was left as it is: {INSTEAD}"
            )
        if (version := _pragma(connection, "user_version")) > len(MIGRATIONS):
            raise Unusable(
                f"the history {self.path} was written by a newer version of this suite (its schema is {version}, and this "
                f"version knows {len(MIGRATIONS)}); it was left as it is: update lago-acceptance, or {INSTEAD}"
            )

    def _require_whole(self, connection: sqlite3.Connection) -> None:
        if self.path.stat().st_size <= CHECKED_WHOLE:
            [(found,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                raise _damage(found)

    def _begin_again(self, error: sqlite3.DatabaseError) -> None:
        """Move the file that was found damaged aside, unless another process has replaced it in the meantime."""
        self.close()
        # A file of the history's own name is the history, whatever has become of it; any other may be dear to somebody.
        if self.path.name != NAME and not _is_database(self.path):
            raise Unusable(f"{self.path} is not a history of this suite; it was left as it is: {INSTEAD}")
        with report_files.writing(f"the history {self.path}", INSTEAD), suppress(FileNotFoundError):
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                if not until(lambda: _taken(descriptor), BUSY_SECONDS):
                    raise Unusable(f"the history {self.path} is damaged, and another process keeps it locked")
                found = self.path.stat()
                if (
                    self._file
                    and os.path.samestat(found, self._file)
                    and os.path.samestat(found, os.fstat(descriptor))
                ):
                    aside = _free_name(self.path)
                    # Before the file: a log that is there after it belongs to the new one.
                    for beside in ("-wal", "-journal"):
                        with suppress(FileNotFoundError):
                            Path(f"{self.path}{beside}").rename(f"{aside}{beside}")
                    Path(f"{self.path}-shm").unlink(missing_ok=True)
                    self.path.rename(aside)
                    self.notes.append(
                        f"the history {self.path} was damaged ({error}): it was moved to {aside.name}, and a new one "
                        "begins with this run"
                    )
            finally:
                os.close(descriptor)


def _make_file(path: Path) -> None:
    """Create it for this account alone, since SQLite would leave that to the umask. Its log gets the same mode."""
    with report_files.writing(f"the history {path}", INSTEAD):
        if not next(each for each in path.parents if each.exists()).is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is not in a folder")
        report_files.make_folder(path.parent)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, report_files.FILE))
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
            raise Unusable(f"the history {path} is {kind}: {INSTEAD}")
        if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
            try:
                path.chmod(report_files.FILE)
            except OSError as error:
                # There it can only be read.
                if error.errno != errno.EROFS:
                    raise


def _migrate(connection: sqlite3.Connection) -> None:
    if _pragma(connection, "user_version") == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it meanwhile.
        for statements in MIGRATIONS[_pragma(connection, "user_version") :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id={APPLICATION}")
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code of an error."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _damage(found: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(" ".join(found.split()))
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


@contextmanager
def _unless_locked() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if _code(error) not in _LOCKED:
            raise


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_HEADER)) == _HEADER


def _free_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    names = (
        path.with_name(f"{path.name}.damaged-{stamp}{more}")
        for more in ("", *map("-{}".format, range(2, 100)))
    )
    return next(name for name in names if not name.exists())


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into Unusable, with what to do about it."""
    try:
        yield
    except sqlite3.Error as error:
        code = _code(error)
        if code in _LOCKED:
            raise Unusable(
                f"the history {path} can't be used: another process has kept it locked for {BUSY_SECONDS:.0f} s; see which "
                f"(fuser -v {path})"
            ) from error
        if code in _SYSTEM and not os.access(path.parent, os.W_OK):
            code = sqlite3.SQLITE_READONLY
        reason = _REASONS.get(code, f"{error};")
        raise Unusable(f"the history {path} can't be used: {reason} {INSTEAD}") from error
    except OSError as error:
        raise Unusable(f"the history {path} can't be used: {error.strerror or error}; {INSTEAD}") from error
    except (TypeError, ValueError, OverflowError) as error:
        # A file that came from a host.
        raise Unusable(
            f"the history {path} contains data that this suite never writes ({error}); {INSTEAD}"
        ) from error
    except report_files.NotWritten as error:
        raise error if isinstance(error, Unusable) else Unusable(str(error)) from error
