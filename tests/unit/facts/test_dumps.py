"""What a dump holds, read by the section's shell text from real files, and judged."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from lago_acceptance.checks import dumps as checks
from lago_acceptance.checks import host as host_checks
from lago_acceptance.core.settings import Backup
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.dump import TABLES
from lago_acceptance.facts.sections import dumps as section
from lago_acceptance.images.resolve import stand_in
from tests.support import containers
from tests.support.facts import NOW, SETTINGS, container, facts
from tests.support.patience import PATIENCE
from tests.support.pretended_host import SHELLS

BACKED_UP = msgspec.structs.replace(SETTINGS, backup=Backup("/srv/*", 26))


def sql(
    *, tables=TABLES, rows=TABLES, create: bool = True, kind: str = "", end: bool = True, quoted: bool = False
) -> bytes:
    """A text as pg_dump writes it."""
    name = '"public"."{}"' if quoted else "public.{}"
    lines = ["--", f"-- PostgreSQL database {kind}dump", "--", "", "\\restrict fmCx"]
    lines += [f"CREATE TABLE {name.format(table)} (\n    id uuid\n);" for table in tables if create]
    for table in rows:
        lines += [f"COPY {name.format(table)} (id, name) FROM stdin;", os.urandom(99).hex(), "\\."]
    if end:
        lines += ["--", f"-- PostgreSQL database {kind}dump complete", "--", "", "\\unrestrict fmCx", "", ""]
    return "\n".join(lines).encode()


def read(pattern: str, *, shell: str = "dash", members: str = "", path: str = "/usr/bin:/bin"):
    """The facts of the dumps that match a pattern."""
    variables = f"export LC_ALL=C\ntab='\t'\nmembers='{members}'\nbackups='{pattern}'\n"
    ended = subprocess.run(
        [*shell.split(), "-c", variables + section._SHELL],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        env={"PATH": path},
        check=True,
    )
    return facts(container("db", name="billing-db-1"), dumps=section.dumps(ended.stdout))


def found(seen) -> list[tuple[str, str]]:
    """Ids and severities of what is found in the last dump."""
    return [(each.id, each.severity.value) for each in checks.last_dump_can_be_restored(seen, BACKED_UP)]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "packed", [bytes, gzip.compress, lzma.compress, bz2.compress], ids=["plain", "gzip", "xz", "bzip2"]
)
def test_a_whole_dump_is_one(tmp_path: Path, shell, packed):
    folder = tmp_path / "it has blanks"
    folder.mkdir()
    for number, text in enumerate((sql(), sql(quoted=True), sql(kind="cluster "))):
        file = folder / f"lago {number}"
        file.write_bytes(packed(text))
        os.utime(file, (NOW + number,) * 2)
        seen = read(f"{folder}/*", shell=shell)
        assert [each.path for each in seen.dumps][-1] == str(file)
        assert seen.dumps[-1].content.filled == set(TABLES)
        assert found(seen) == []


@pytest.mark.parametrize(
    ("content", "words", "expected"),
    [
        (gzip.compress(b""), "gzip of no bytes", ("dump-damaged", "error")),
        (gzip.compress(sql())[:-40], "cut off or damaged: gzip", ("dump-damaged", "error")),
        (lzma.compress(sql())[:-40], "cut off or damaged: xz", ("dump-damaged", "error")),
        (gzip.compress(sql())[:12], "cut off or damaged: gzip", ("dump-damaged", "error")),
        (gzip.compress(sql(end=False)), "lacks pg_dump's end mark", ("dump-damaged", "error")),
        (sql(end=False), "lacks pg_dump's end mark", ("dump-damaged", "error")),
        (sql(kind="cluster ", end=False), "lacks pg_dump's end mark", ("dump-damaged", "error")),
        (b"pg_dump: error: connection failed\n", "not one that pg_dump", ("dump-damaged", "error")),
        (gzip.compress(b"no such database\n"), "not one that pg_dump", ("dump-damaged", "error")),
        (sql(tables=(), rows=()), "lacks Lago's tables", ("dump-incomplete", "error")),
        (
            sql(tables=TABLES[:3], rows=TABLES[:3]),
            "tables invoices, fees, events",
            ("dump-incomplete", "error"),
        ),
        (gzip.compress(sql(rows=())), "--schema-only", ("dump-incomplete", "error")),
        (sql(create=False), "--data-only", ("dump-incomplete", "warning")),
        (sql(rows=TABLES[:-1]), "no rows of events", ("dump-incomplete", "warning")),
    ],
    # Without the content, in which gzip writes the time.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_what_is_no_dump(tmp_path: Path, content, words, expected):
    (tmp_path / "lago.dump").write_bytes(content)
    seen = read(f"{tmp_path}/*")
    (finding,) = checks.last_dump_can_be_restored(seen, BACKED_UP)
    assert (finding.id, finding.severity.value) == expected and words in finding.problem
    assert "billing-db-1" in finding.fix


def test_a_dump_that_is_suddenly_small(tmp_path: Path):
    for name, size, at in (("a", 9000, 1), ("b", 100, 2)):
        (tmp_path / name).write_bytes(sql() + b"-- more\n" * size)
        os.utime(tmp_path / name, (NOW + at,) * 2)
    assert found(read(f"{tmp_path}/*")) == [("dump-shrunk", "error")]
    seen = read(f"{tmp_path}/*")
    late = msgspec.structs.replace(seen.dumps[-1].content, code=124, ended=False)
    dumps = (seen.dumps[0], msgspec.structs.replace(seen.dumps[-1], content=late))
    assert found(msgspec.structs.replace(seen, dumps=dumps)) == [("dump-shrunk", "error")]
    (tmp_path / "b").write_bytes(gzip.compress(sql()))
    os.utime(tmp_path / "b", (NOW + 2,) * 2)
    assert found(read(f"{tmp_path}/*")) == [], "another format has another size"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Salted__" + bytes(range(256)), "no format that can be read"),
        (b"PGDMP\x01\x0e", "pg_restore in the database's container"),
    ],
)
def test_what_can_not_be_read_here_is_unknown(tmp_path: Path, content, words):
    (tmp_path / "lago.dump").write_bytes(content)
    with pytest.raises(Unknown, match=words):
        found(read(f"{tmp_path}/*"))


def test_a_host_without_the_program_is_unknown(tmp_path: Path):
    (tmp_path / "tools").mkdir()
    for name in ["head", "tr", "tail", "sort", "stat", "awk", "grep", "timeout", "cat", "gzip"]:
        (tmp_path / "tools" / name).symlink_to("/bin/busybox")
    (tmp_path / "lago.gz").write_bytes(gzip.compress(sql()))
    assert found(read(f"{tmp_path}/*.gz", shell="/bin/busybox sh", path=str(tmp_path / "tools"))) == []
    (tmp_path / "lago.xz").write_bytes(lzma.compress(sql()))
    with pytest.raises(Unknown, match="xz is needed"):
        found(read(f"{tmp_path}/*.xz", shell="/bin/busybox sh", path=str(tmp_path / "tools")))


def test_a_large_dump_is_read_in_part(tmp_path: Path):
    large = sql(end=False) + b"-- more\n" * (section.WHOLE // 8)
    (tmp_path / "lago.sql").write_bytes(large + b"--\n-- PostgreSQL database dump complete\n--\n")
    seen = read(f"{tmp_path}/*.sql")
    assert not seen.dumps[-1].content.whole and found(seen) == []
    (tmp_path / "lago.sql").write_bytes(large)
    assert found(read(f"{tmp_path}/*.sql")) == [("dump-damaged", "error")]


@pytest.mark.parametrize("code", [124, 143])
def test_a_dump_that_is_not_read_in_time_is_unknown(tmp_path: Path, code):
    (tmp_path / "lago.gz").write_bytes(gzip.compress(sql(rows=())))
    seen = read(f"{tmp_path}/*")
    content = msgspec.structs.replace(seen.dumps[-1].content, code=code, ended=False)
    late = msgspec.structs.replace(seen, dumps=(msgspec.structs.replace(seen.dumps[-1], content=content),))
    with pytest.raises(Unknown, match="two seconds"):
        found(late)


def test_a_dump_that_is_being_written_is_not_judged(tmp_path: Path):
    (tmp_path / "lago.gz").write_bytes(gzip.compress(sql())[:-40])
    path = f"{tmp_path}/lago.gz"
    seen = read(path)
    growing = msgspec.structs.replace(seen, later_dump_sizes={path: seen.dumps[-1].size + 1})
    with pytest.raises(Unknown, match="being written right now"):
        found(growing)
    before = section.Dump("/srv/before.gz", NOW - 99 * 3600, 9)
    (old,) = host_checks.last_dump_is_recent(
        msgspec.structs.replace(growing, dumps=(before, *growing.dumps)), BACKED_UP
    )
    assert "before.gz, is 99 hours old" in old.problem


def test_dumps_that_this_user_may_not_see():
    closed = facts(dumps=section.dumps("1795000000\t10\t/srv/a\nkind closed\n"))
    with pytest.raises(Unknown, match="/srv/a can't be read by this user"):
        found(closed)
    with pytest.raises(Unknown, match="/root is a folder"):
        list(host_checks.last_dump_is_recent(facts(closed_dumps="/root"), BACKED_UP))
    with pytest.raises(Blocked, match="dump-old"):
        found(facts())
    with pytest.raises(Unknown, match="does not say where"):
        list(checks.last_dump_can_be_restored(facts(), msgspec.structs.replace(SETTINGS, backup=None)))


@pytest.mark.docker
def test_postgresqls_own_formats(tmp_path: Path):
    """pg_dump writes them, and pg_restore in the database's container reads them."""
    make = "; ".join(f"CREATE TABLE {name} (id int); INSERT INTO {name} VALUES (1)" for name in TABLES)
    with containers.running(
        stand_in("postgres"), options=("--env=POSTGRES_PASSWORD=x", f"--volume={tmp_path}:/dumps")
    ) as server:
        ready = "until pg_isready -q -h 127.0.0.1 -U postgres; do sleep 0.1; done"
        assert server.execute("timeout", str(PATIENCE), "sh", "-c", ready).returncode == 0
        made = server.execute("psql", "-U", "postgres", "-c", make)
        assert made.returncode == 0, made.stderr
        for name, options in (("custom", "-Fc"), ("tar", "-Ft"), ("plain", "-Fp")):
            written = server.execute(
                "sh", "-c", f"pg_dump -U postgres {options} >/dumps/{name} && chmod 644 /dumps/{name}"
            )
            assert written.returncode == 0, written.stderr
        members = f"db {server.name} trusted x x x"
        for name in ("custom", "tar", "plain"):
            assert found(read(f"{tmp_path}/{name}", members=members)) == []
        (tmp_path / "packed").write_bytes(gzip.compress((tmp_path / "custom").read_bytes()))
        assert found(read(f"{tmp_path}/packed", members=members)) == []
        (tmp_path / "cut").write_bytes((tmp_path / "custom").read_bytes()[:-30])
        assert found(read(f"{tmp_path}/cut", members=members)) == [("dump-damaged", "error")]
        with pytest.raises(Unknown, match="pg_restore in the database's container is needed"):
            found(read(f"{tmp_path}/custom", members=members.replace("trusted", "foreign")))
