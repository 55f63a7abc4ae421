"""The row of this run's tenant in the gateway's own database, which a gateway looks up for each token."""

from __future__ import annotations

from importlib.resources import files

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import excerpt
from lago_acceptance.hosts.base import Host, WriteCommand

_PSQL = 'printf %s "$statements" | psql -X -q -v ON_ERROR_STOP=1 -v tenant="$tenant" -U brain -d brain'


def insert(host: Host, permit: Permit, container: str, tenant: str) -> str:
    """Give the tenant a row in ``tenants``, whatever other columns that table wants; why there is none, or "".

    It has the tenant's id as its slug and name. A gateway without such a table needs no row.
    """
    statements = (files("lago_acceptance.targets.stack") / "scripts" / "tenant_row.sql").read_text("utf-8")
    change = WriteCommand(
        "the tenant's row in the gateway's database",
        ("docker", "exec", "-e", "statements", "-e", "tenant", container, "sh", "-c", _PSQL),
        {"statements": statements, "tenant": tenant},
        deadline=20,
    )
    outcome = host.change(change, permit)
    if not outcome.code:
        return ""
    return f"this run's tenant has no row in the gateway's database: {excerpt(outcome.output.strip(), 300)}"
