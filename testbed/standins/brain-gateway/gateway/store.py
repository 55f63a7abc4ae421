"""The gateway's own tables: what answers when Lago does not."""

import sqlite3
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.settings import DATABASE, TENANTS

OWN_PLANS = (
    ("trial", "Free trial", 0, "Try everything for a while"),
    ("starter", "Starter", 29, "For one person"),
    ("professional", "Professional", 79, "For a small team"),
    ("business", "Business", 199, "For a company"),
    ("enterprise", "Enterprise", 499, "For many companies"),
)


def connect() -> sqlite3.Connection:
    """A connection for one request."""
    connection = sqlite3.connect(DATABASE, timeout=2)
    connection.row_factory = sqlite3.Row
    return connection


def prepare() -> None:
    """Make the tables, the own plans and the tenants, where they are not there yet."""
    with connect() as database:
        database.executescript(
            "create table if not exists tenants(id text primary key);"
            "create table if not exists plans(id text, slug text unique, name text, amount real, description text);"
            "create table if not exists subscriptions(id text, tenant text, plan_slug text, status text, period_end text);"
            "create table if not exists invoices(id text, tenant text, amount real, created_at text);"
        )
        for slug, name, amount, description in OWN_PLANS:
            row = (str(uuid.uuid4()), slug, name, amount, description)
            database.execute("insert or ignore into plans values(?,?,?,?,?)", row)
        database.executemany("insert or ignore into tenants values(?)", [(tenant,) for tenant in TENANTS])


def ping() -> None:
    """Raises where the database can't be read."""
    with connect() as database:
        database.execute("select count(*) from tenants").fetchone()


def require_tenant(tenant: str) -> None:
    """Raises what the real gateway shows to the caller where the tenant has no row."""
    with connect() as database:
        if not database.execute("select 1 from tenants where id = ?", (tenant,)).fetchone():
            raise LookupError(
                f"No row was found: SELECT tenants.id FROM tenants WHERE tenants.id = '{tenant}'"
            )


def plans() -> list[dict[str, Any]]:
    """The gateway's own plans."""
    with connect() as database:
        rows = database.execute(
            "select id, name, slug, amount, description from plans order by amount"
        ).fetchall()
    return [{**row, "currency": "USD", "interval": "monthly"} for row in map(dict, rows)]


def subscribe(tenant: str, plan: str) -> dict[str, Any]:
    """A subscription that only the gateway knows."""
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    made = {"id": str(uuid.uuid4()), "plan_slug": plan, "status": "active", "current_period_end": end}
    remember(tenant, made)
    return made


def remember(tenant: str, made: dict[str, Any]) -> None:
    """Keep a subscription."""
    row = (made["id"], tenant, made["plan_slug"], made["status"], made["current_period_end"])
    with connect() as database:
        database.execute("insert into subscriptions values(?,?,?,?,?)", row)


def subscription(tenant: str) -> dict[str, Any] | None:
    """The last subscription that the gateway made for a tenant, or None."""
    query = (
        "select id, plan_slug, status, period_end as current_period_end from subscriptions"
        " where tenant = ? order by rowid desc limit 1"
    )
    with connect() as database:
        row = database.execute(query, (tenant,)).fetchone()
    return dict(row) if row else None
