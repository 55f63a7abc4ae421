"""The history's file: its modes, versions and locks, and whatever may lie in its place. Each is one sentence."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_acceptance.history import database
from lago_acceptance.history.database import NAME, Unusable
from lago_acceptance.history.store import History
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE
from tests.support.summaries import FIRST, HOST, NIGHT, summary, unreached

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


@pytest.fixture
def file(tmp_path) -> Path:
    """Where the history is."""
    return tmp_path / NAME


@pytest.fixture
def written(file) -> Path:
    """The history of two runs, closed."""
    with History(file) as history:
        history.add(summary(0, ["a"]))
        history.add(summary(1, ["a"]))
    return file


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 512 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "lago-test", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def refused(file: Path) -> str:
    """The sentence with which a history can be neither read nor written."""
    said = []
    for use in (lambda history: history.runs(HOST), lambda history: history.add(summary(2))):
        with History(file) as history, pytest.raises(Unusable) as error:
            use(history)
        said.append(str(error.value))
        assert not history.notes
    assert said[0] == said[1] and "\n" not in said[0]
    return said[0]


def begun_again(file: Path) -> str:
    """The note with which a damaged history is moved aside; this run is in a new one."""
    with History(file) as history:
        assert history.standing(summary(2)).before is None
        history.add(summary(2))
        (note,) = history.notes
        assert [run.run for run in history.runs(HOST)] == ["run-2"]
    assert "was damaged" in note and "\n" not in note
    return note


def aside(file: Path) -> Path:
    """What was moved aside."""
    (found,) = (
        each for each in file.parent.iterdir() if re.fullmatch(rf"{NAME}\.damaged-\d{{8}}-\d{{6}}", each.name)
    )
    return found


def test_files_are_for_their_owner_alone(tmp_path):
    old = os.umask(0)
    try:
        file = tmp_path / "a" / "b" / NAME
        with History(file) as history:
            history.add(summary(0))
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()}
    finally:
        os.umask(old)
    assert modes == {NAME: 0o600, f"{NAME}-wal": 0o600, f"{NAME}-shm": 0o600}
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [each.name for each in file.parent.iterdir()] == [NAME]


def test_one_that_everybody_could_read(written):
    written.chmod(0o644)
    with History(written) as history:
        history.add(summary(2))
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


# --- versions ---


def test_an_older_version_is_migrated(written, monkeypatch):
    later = (*database.MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",))
    monkeypatch.setattr(database, "MIGRATIONS", later)
    with History(written) as history:
        history.add(summary(2, ["a"]))
        assert len(history.runs(HOST)) == 3
    with sqlite3.connect(written) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(later),)
        assert connection.execute("SELECT DISTINCT note FROM runs").fetchall() == [("none",)]


def test_a_migration_that_fails_changes_nothing(written, monkeypatch):
    failing = ("CREATE TABLE other (x)", "ALTER TABLE runs ADD COLUMN billing TEXT")
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, failing))
        assert "duplicate column name" in refused(written)
    with History(written) as history:
        assert len(history.runs(HOST)) == 2


def test_a_newer_version_is_left_as_it_is(written):
    with sqlite3.connect(written) as connection:
        connection.execute("PRAGMA user_version=99")
        connection.execute("ALTER TABLE runs RENAME TO past")
    connection.close()
    before = written.read_bytes()
    said = refused(written)
    assert "newer version" in said and "99" in said and "--history" in said
    assert written.read_bytes() == before and [each.name for each in written.parent.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE theirs (x)",
        f"PRAGMA application_id={database.APPLICATION}; CREATE TABLE runs (key); CREATE VIEW v AS SELECT 1",
    ],
    ids=["another program's", "one with a view"],
)
def test_another_database_is_left_as_it_is(file, statement):
    connection = sqlite3.connect(file)
    connection.executescript(statement)
    connection.close()
    before = file.read_bytes()
    assert "not a history" in refused(file) and file.read_bytes() == before


# --- damage ---


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2 + 100],
        lambda content: content[:50],
        lambda content: b"x" * 5000 + content[5000:],
        lambda content: content[:4096] + b"\xa5" * (len(content) - 4096),
        lambda content: b"<html>502 Bad Gateway</html>\n",
    ],
    ids=["truncated", "of 50 bytes", "a broken start", "broken pages", "a text"],
)
def test_a_damaged_file_is_moved_aside(written, damage):
    broken = damage(written.read_bytes())
    written.write_bytes(broken)
    note = begun_again(written)
    assert aside(written).read_bytes() == broken and aside(written).name in note


def test_a_log_of_the_damaged_file_is_not_taken_for_the_new_ones(written):
    written.write_bytes(b"x" * 8192)
    Path(f"{written}-wal").write_bytes(b"their log")
    Path(f"{written}-shm").write_bytes(b"x")
    begun_again(written)
    assert aside(written) and not Path(f"{written}-wal").exists()


def test_damage_that_shows_only_where_it_is_read(written, monkeypatch):
    monkeypatch.setattr(database, "CHECKED_WHOLE", 0)
    content = written.read_bytes()
    written.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    begun_again(written)
    assert aside(written)


def test_zero_bytes_are_a_new_history(file):
    file.touch()
    with History(file) as history:
        history.add(summary(0))
        assert len(history.runs(HOST)) == 1 and not history.notes


def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path):
    theirs = tmp_path / "settings.toml"
    theirs.write_text("[deployment]\n")
    assert "is not a history" in refused(theirs)
    assert theirs.read_text() == "[deployment]\n" and list(tmp_path.iterdir()) == [theirs]


def test_a_folder_and_a_pipe(tmp_path):
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refused(tmp_path / "pipe")
    (tmp_path / "file").touch()
    assert "not a folder" in refused(tmp_path / "file" / NAME)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("past", "{"),
        ("past", '{"run": 1}'),
        ("past", None),
        ("red", "["),
        ("billing", "perhaps"),
        ("past", b"\xff"),
    ],
)
def test_rows_that_this_suite_never_writes_are_passed_over(written, column, value):
    text = Path(written)
    connection = sqlite3.connect(text)
    connection.execute("CREATE TABLE copy AS SELECT * FROM runs")
    connection.execute(f"UPDATE copy SET {column} = ? WHERE id = 2", (value,))
    connection.execute("DROP TABLE runs")
    connection.execute("ALTER TABLE copy RENAME TO runs")
    connection.commit()
    connection.close()
    with History(written) as history:
        assert history.standing(summary(2, ["a"])).changes == 0
        assert len(history.runs(HOST)) == (1 if column == "past" else 2)


@pytest.mark.parametrize("value", ["soon", b"\xff", float("inf")])
def test_a_time_that_is_none(written, value):
    connection = sqlite3.connect(written)
    connection.execute("UPDATE runs SET since = ?", (value,))
    connection.execute("UPDATE hosts SET first = ?", (value,))
    connection.commit()
    connection.close()
    with History(written) as history:
        try:
            assert history.standing(summary(2, ["a"])).since == FIRST + 2 * NIGHT
        except Unusable as error:
            assert "never writes" in str(error)


# --- what the system does not allow ---


def test_locked_by_another_process(written, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.3)
    other = sqlite3.connect(written, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with History(written) as history:
        assert len(history.runs(HOST)) == 2, "who only reads does not wait"
        with pytest.raises(Unusable, match="another process has kept it locked for"):
            history.add(summary(2))
        other.execute("ROLLBACK")
        history.add(summary(2))
        assert len(history.runs(HOST)) == 3
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert "locked" in refused(written)
    other.close()


@NEEDS_ROOT
def test_a_full_disk(small_disk):
    file, filler = small_disk / NAME, small_disk / "filler"
    filler.write_bytes(b"x" * 400 * 1024)
    with (
        History(file) as history,
        pytest.raises(Unusable, match="no space is left there; free some, or choose"),
    ):
        for number in range(10_000):
            history.add(summary(number))
    subprocess.run(["bash", "-c", f"cat /dev/zero >>{filler}"], stderr=subprocess.DEVNULL, check=False)
    with History(file) as history, pytest.raises(Unusable, match="no space is left there"):
        history.add(summary(1))
    filler.unlink()
    with History(file) as history:
        history.add(unreached(1))
        assert history.runs(HOST)[-1].exit_code == 6 and not history.notes, "a full disk damages nothing"


@NEEDS_ROOT
def test_a_folder_that_is_read_only(small_disk):
    file = small_disk / NAME
    for content in (b"", None):
        if content is None:
            with History(file) as history:
                history.add(summary(0))
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        with History(file) as history, pytest.raises(Unusable, match="read-only"):
            history.add(summary(1))
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


@NEEDS_ROOT
@pytest.mark.parametrize("log", [b"", b"what no run has moved into the file"])
def test_what_can_not_be_written_can_still_be_read(small_disk, log):
    """Such as an artefact that is mounted: since when a host is red is in it all the same."""
    file = small_disk / NAME
    with History(file) as history:
        history.add(summary(0))
    file.chmod(0o644)
    Path(f"{file}-wal").write_bytes(log)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with History(file) as history:
        assert [run.run for run in history.runs(HOST)] == ["run-0"]
        assert [f"{file} is read-only" in note for note in history.notes] == [True] * bool(log)
        with pytest.raises(Unusable, match="read-only; choose another file"):
            history.add(summary(1))
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)


@pytest.mark.parametrize("exists", [False, True])
def test_a_file_system_without_shared_memory(file, exists):
    """SQLite can't make the memory that its log needs: a folder lies there."""
    if exists:
        with History(file) as history:
            history.add(summary(0))
    Path(f"{file}-shm").mkdir()
    with History(file) as history:
        history.add(summary(1))
        assert [run.run for run in history.runs(HOST)] == ["run-0", "run-1"][not exists :]
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


# --- several runs at once ---


ADD = """
import sys
from pathlib import Path
from lago_acceptance.history.store import History
from tests.support.summaries import summary
number, count = int(sys.argv[2]), int(sys.argv[3])
for each in range(count):
    with History(Path(sys.argv[1])) as history:
        history.add(summary(number + each / 100, host=f"root@{number % 2}"))
"""


def together(file: Path, count: int) -> int:
    """How many runs are kept after eight processes have each added some, and opened the file for each."""
    processes = [
        subprocess.Popen([sys.executable, "-c", ADD, file, str(number), str(count)], cwd=ROOT)
        for number in range(8)
    ]
    assert [process.wait(PATIENCE) for process in processes] == [0] * 8
    with History(file) as history:
        found = history.keys()
        return sum(len(history.runs(key)) for key in found)


def test_eight_processes_add_at_once(file):
    assert together(file, 10) == 80


def test_eight_processes_find_it_damaged(file):
    file.write_bytes(b"x" * 8192)
    assert together(file, 1) == 8
    assert aside(file).read_bytes() == b"x" * 8192


def test_a_file_that_another_process_has_replaced_is_kept(file, monkeypatch):
    file.write_bytes(b"x" * 8192)
    begin_again = database.Database._begin_again

    def after_another(found, error):
        monkeypatch.undo()
        with History(file) as other:
            other.add(summary(1))
        begin_again(found, error)

    monkeypatch.setattr(database.Database, "_begin_again", after_another)
    with History(file) as history:
        history.add(summary(2))
        assert [run.run for run in history.runs(HOST)] == ["run-1", "run-2"]
    assert aside(file).read_bytes() == b"x" * 8192
