"""The stand-in's db/schema.rb, as Rails writes it from the tables that its migrations make.

``python -m tests.support.standin.schema_file`` writes it; tests/standins/test_schema_dump.py compares it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lago_acceptance.core.waiting import until
from lago_acceptance.images import resolve
from tests.support.containers import Container, docker, running
from tests.support.lago_tables import MIGRATIONS, LagoTables, lago_tables
from tests.support.patience import PATIENCE

FILE = MIGRATIONS.parent / "schema.rb"
_WITH_KEY = "export LAGO_RSA_PRIVATE_KEY=$(ruby -ropenssl -e 'puts [OpenSSL::PKey::RSA.new(2048).to_pem].pack(\"m0\")'); exec "
_DUMP = "bundle exec rails runner ActiveRecord::SchemaDumper.dump"


@contextlib.contextmanager
def api(tables: LagoTables) -> Iterator[Container]:
    """A container of the stand-in for Lago's image, with these tables as its database. Its main process alone has a key."""
    address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", tables.container.name)
    options = (
        f"--env=DATABASE_URL=postgresql://postgres:postgres@{address}/lago",
        "--env=SECRET_KEY_BASE=not-a-secret",
        "--env=RAILS_ENV=production",
    )
    with running(
        resolve.stand_in("lago-api"), "sh", "-c", _WITH_KEY + "sleep 600", options=options
    ) as container:
        has_key = ("grep", "-q", "LAGO_RSA_PRIVATE_KEY=", "/proc/1/environ")
        assert until(lambda: container.execute(*has_key).returncode == 0, PATIENCE)
        yield container


def main() -> None:
    """Write the file."""
    with lago_tables() as tables, api(tables) as container:
        written = container.execute("sh", "-c", _WITH_KEY + _DUMP)
    assert written.returncode == 0, written.stderr
    lines = written.stdout.splitlines(keepends=True)
    FILE.write_text("".join(line for line in lines if not line.lstrip().startswith("#")).lstrip())


if __name__ == "__main__":
    main()
