"""The gateway's own tables, in PostgreSQL: what answers when Lago does not."""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from pg8000 import dbapi

from gateway.settings import DATABASE_URL

OWN_PLANS = (
    ("trial", "Free trial", 0, "Try everything for a while"),
    ("starter", "Starter", 29, "For one person"),
    ("professional", "Professional", 79, "For a small team"),
    ("business", "Business", 199, "For a company"),
    ("enterprise", "Enterprise", 499, "For many companies"),
)
TABLES = (
    "create table if not exists tenants(id uuid primary key, name varchar(255) not null, slug varchar(255) not null unique,"
    " created_at timestamptz not null default now(), updated_at timestamptz not null)",
    "create table if not exists plans(id uuid primary key, slug text unique, name text, amount float8, description text)",
    "create table if not exists subscriptions(number serial, id uuid, tenant uuid, plan_slug text, status text,"
    " period_end text)",
)
_state = {"prepared": False}


class NoDatabase(Exception):
    """The database can't be used."""


@contextlib.contextmanager
def connect() -> Iterator[Any]:
    """A cursor for one request. NoDatabase where the database can't be reached."""
    url = urlsplit(DATABASE_URL)
    try:
        connection = dbapi.connect(
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            host=url.hostname or "",
            port=url.port or 5432,
            database=url.path.lstrip("/"),
            timeout=5,
        )
    except (dbapi.Error, OSError) as error:
        raise NoDatabase(str(error)) from error
    with contextlib.closing(connection):
        cursor = connection.cursor()
        if not _state["prepared"]:
            _prepare(cursor)
            connection.commit()
            _state["prepared"] = True
        yield cursor
        connection.commit()


def _prepare(cursor: Any) -> None:
    # Two requests may come first at a time.
    cursor.execute("select pg_advisory_xact_lock(1)")
    for table in TABLES:
        cursor.execute(table)
    for slug, name, amount, description in OWN_PLANS:
        row = (str(uuid.uuid4()), slug, name, amount, description)
        cursor.execute("insert into plans values(%s, %s, %s, %s, %s) on conflict do nothing", row)


def ping() -> None:
    """Raises where the database can't be read."""
    with connect() as cursor:
        cursor.execute("select count(*) from tenants")


def tenant_row(tenant: str) -> dict[str, str] | None:
    """A tenant's name and slug, None where it has no row."""
    with connect() as cursor:
        cursor.execute("select name, slug from tenants where id = %s", (tenant,))
        row = cursor.fetchone()
    return {"name": row[0], "slug": row[1]} if row else None


def plans() -> list[dict[str, Any]]:
    """The gateway's own plans."""
    with connect() as cursor:
        cursor.execute("select id, name, slug, amount, description from plans order by amount")
        rows = cursor.fetchall()
    return [
        {
            "id": str(id),
            "name": name,
            "slug": slug,
            "amount": amount,
            "currency": "USD",
            "interval": "monthly",
            "description": description,
        }
        for id, name, slug, amount, description in rows
    ]


def subscribe(tenant: str, plan: str) -> dict[str, Any]:
    """A subscription that only the gateway knows; where there is one already, that one, whatever its plan."""
    if kept := subscription(tenant):
        return kept
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    made = {"id": str(uuid.uuid4()), "plan_slug": plan, "status": "active", "current_period_end": end}
    with connect() as cursor:
        cursor.execute(
            "insert into subscriptions(id, tenant, plan_slug, status, period_end) values(%s, %s, %s, %s, %s)",
            (made["id"], tenant, plan, made["status"], end),
        )
    return made


def subscription(tenant: str) -> dict[str, Any] | None:
    """The first subscription that only the gateway has of a tenant, or None."""
    with connect() as cursor:
        cursor.execute(
            "select id, plan_slug, status, period_end from subscriptions where tenant = %s order by number",
            (tenant,),
        )
        row = cursor.fetchone()
    names = ("id", "plan_slug", "status", "current_period_end")
    return dict(zip(names, (str(row[0]), *row[1:]), strict=True)) if row else None
