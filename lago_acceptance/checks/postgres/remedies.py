"""What is said in several findings: the command to type, and whose session it is."""

from __future__ import annotations

import shlex

from lago_acceptance.checks import elsewhere
from lago_acceptance.core.moments import minute
from lago_acceptance.core.roles import API, CLOCK, DB, WORKER
from lago_acceptance.facts.database_server import DatabaseServer
from lago_acceptance.facts.types import Facts


def server(facts: Facts) -> DatabaseServer:
    """What PostgreSQL answered about itself; nothing where it did not answer."""
    return facts.database.server if facts.database else DatabaseServer()


def database_name(facts: Facts) -> str:
    """The name of the database's container, or what stands for it."""
    container = facts.running(DB) or next(iter(facts.of_role(DB)), None)
    return container.name if container else "NAME"


def psql(facts: Facts, *statements: str) -> str:
    """The command that runs statements in Lago's database as the container's own superuser, or elsewhere as Lago."""
    if DB in facts.elsewhere:
        return f"{elsewhere.CLIENTS[DB]} " + shlex.join(word for each in statements for word in ("-c", each))
    container = facts.running(DB)
    user = (container and container.service.value("POSTGRES_USER")) or "postgres"
    about = server(facts).about
    database = (about and about.database) or (container and container.service.value("POSTGRES_DB")) or user
    words = ["docker", "exec", database_name(facts), "psql", "-U", user, "-d", database]
    return shlex.join([*words, *(word for each in statements for word in ("-c", each))])


def log(facts: Facts, options: str = "--tail 50 ") -> str:
    """Where PostgreSQL's log is read: a command, or where it runs."""
    return elsewhere.log(facts, DB, database_name(facts), options)


def identifier(name: str) -> str:
    """A name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def unset(facts: Facts, name: str, meanwhile: str) -> str:
    """The command that takes a setting back where it is made. ``meanwhile`` is the value that lets the command itself work."""
    found, place = server(facts), server(facts).place_of(name)
    about = found.about
    role = identifier(about.role if about else "")
    database = identifier(about.database if about else "")
    whose = {
        "role in database": f"ROLE {role} IN DATABASE {database}",
        "role": f"ROLE {role}",
        "database": f"DATABASE {database}",
        "all roles": "ROLE ALL",
    }
    first = f"SET {name} = {meanwhile}"
    if place == "server":
        command = psql(facts, first, f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")
        return f"remove it from PostgreSQL's command and postgresql.conf, and run {command}"
    return f"run {psql(facts, first, f'ALTER {whose[place]} RESET {name}')}{_restart(facts)}"


def _restart(facts: Facts) -> str:
    """What lets Lago's open sessions take a setting over."""
    names = [each.name for each in facts.of_role(API, WORKER, CLOCK) if each.running]
    return f", then docker restart {shlex.join(names)}" if names else ""


def to_default(facts: Facts, name: str) -> str:
    """The command that lets a setting of the server have its default."""
    command = psql(facts, f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")
    return f"remove {name} from PostgreSQL's command and postgresql.conf, and run {command}"


def set_where(facts: Facts, name: str) -> str:
    """Where a setting is made, in words."""
    found = server(facts)
    role, database = (found.about.role, found.about.database) if found.about else ("", "")
    return {
        "role in database": f"for the role {role} in the database {database}",
        "role": f"for the role {role}",
        "database": f"for the database {database}",
        "all roles": "for all roles",
    }.get(found.place_of(name), "for the whole server")


def whose(facts: Facts, application: str, address: str | None, role: str) -> str:
    """Whose session it is: application, address and the container that has it, else the role."""
    if address is None:
        return (
            f"{application or 'a client without a name'} of the role {role}" if role else application or "?"
        )
    owner = facts.owner(address)
    return f"{application or 'a client'} from {address}" + (f" ({owner.name})" if owner else "")


def lasting(seconds: float) -> str:
    """A time span for readers."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def begun(facts: Facts, age: float) -> str:
    """When something began that is so old, in words."""
    about = server(facts).about
    return f" since {minute(about.now - age)}" if about and about.now else ""
