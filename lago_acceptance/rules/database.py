"""Rules about PostgreSQL: who logs in where, and where its data are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.findings import Severity
from lago_acceptance.core.roles import DB, LAGO_RUBY, MIGRATE
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import shape, unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, named, reference, url_of, variable

URL = "DATABASE_URL"
# They read, copy or hand on the database, and migrate nothing.
TOOL = re.compile(
    r"(?i)export|backup|dump|admin|pgweb|pghero|metabase|superset|grafana|datadog|prometheus|pgbouncer|pgcat|walg|barman"
)
POOLER = re.compile(r"(?i)pooler|pgbouncer|pgcat|supavisor|odyssey")


def urls(model: Model) -> Iterator[tuple[Service, ServiceUrl]]:
    """Each of Lago's services with its database URL, where it has one."""
    for service in lago(model):
        if url := url_of(service, URL):
            yield service, url


def _weak(password: str, user: str) -> bool:
    return shape(password) in ("default", "placeholder") or (
        bool(password) and not is_masked(password) and password == user
    )


@rule(phase=2)
def default_db_password(model: Model, settings: Settings) -> Iterator[Violation]:
    """The database's password is neither a default nor a placeholder.

    Such a password is the first that anybody tries; and once it is changed under an old volume, PostgreSQL
    keeps the old one and every login fails.
    """
    guilty: list[tuple[Service, str]] = [
        (service, "POSTGRES_PASSWORD")
        for service in model.of_role(DB)
        if _weak(service.value("POSTGRES_PASSWORD"), service.value("POSTGRES_USER"))
    ]
    if not guilty:
        guilty = [(service, URL) for service, url in urls(model) if _weak(url.password, url.user)][:1]
    for service, name in guilty:
        yield Violation(
            service=service,
            at=variable(service, name),
            problem="the database's password is a default or a placeholder",
            impact="anybody who reaches PostgreSQL logs in with the first password that one tries",
            fix="make one (openssl rand -hex 24), give it by ${POSTGRES_PASSWORD:?}, and change it in "
            "the database too",
        )
    for service in model.of_role(DB):
        if service.value("POSTGRES_HOST_AUTH_METHOD") == "trust":
            yield Violation(
                service=service,
                at=variable(service, "POSTGRES_HOST_AUTH_METHOD"),
                problem="PostgreSQL lets everybody in without a password",
                impact="whoever reaches it reads and changes all bills",
                fix="take POSTGRES_HOST_AUTH_METHOD out and set POSTGRES_PASSWORD",
            )


def _sources_differ(one: str, other: str) -> bool:
    """Whether two passwords come from two variables, or one of them from a variable and the other not.

    A variable that is called so may hold the other's percent-encoded form.
    """
    given = unknown(one) or unknown(other)
    return bool(
        one and other and given and one != other and not re.search(r"encoded|escaped|url", f"{one}{other}")
    )


def _bare(password: str) -> str:
    return password.removesuffix("raw") if is_masked(password) else password


@rule(phase=2)
def db_password_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago logs in with the user, password and database that the database was made with, in every service."""
    first: tuple[Service, ServiceUrl] | None = None
    for service, url in urls(model):
        first = first or (service, url)
        databases = [db for db in named(model, url.host) if db.role == DB]
        if databases:
            against, password = databases[0].name, databases[0].value("POSTGRES_PASSWORD")
            user = databases[0].value("POSTGRES_USER") or "postgres"
        elif first[0] is not service and first[1].host == url.host and first[1].user == url.user:
            against, password, user = first[0].name, _bare(first[1].password), url.user
        else:
            continue
        if unknown(url.user) or unknown(user):
            continue
        if not url.raw_password and _sources_differ(url.password, password):
            yield Violation(
                service=service,
                at=variable(service, URL),
                severity=Severity.WARNING,
                problem=f"its password for the database has another source than that of {against}",
                impact="password authentication failed, as soon as one of the two is changed alone",
                fix="write both from one variable: ${POSTGRES_PASSWORD:?}",
            )
            continue
        differ = (
            password
            and url.password
            and not unknown(password)
            and not unknown(url.password)
            and _bare(url.password) != password
        )
        if differ and not (url.raw_password and not is_masked(url.password)):
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem=f"its password for the database is not that of {against}",
                impact="password authentication failed: migrations fail or the service answers 500",
                fix="write both from one variable: ${POSTGRES_PASSWORD:?}",
            )
        elif databases and user != url.user and "lago" in f"{user} {url.user}" and not is_masked(user):
            yield Violation(
                service=service,
                at=variable(service, URL),
                severity=Severity.WARNING,
                problem=f"it logs in as {url.user or 'nobody'}, the database was made for {user}",
                impact="password authentication failed, unless somebody made that user by hand",
                fix="use POSTGRES_USER of the database in DATABASE_URL",
            )


@rule(phase=2)
def db_url_unescaped_password(model: Model, settings: Settings) -> Iterator[Violation]:
    """A password in a URL is percent-encoded, or holds nothing that a URL reads otherwise.

    `openssl rand -base64` gives + / and =: the slash ends the host part, and Lago looks for another host.
    """
    for service in lago(model):
        for name in (URL, "REDIS_URL", "LAGO_REDIS_CACHE_URL"):
            url = url_of(service, name)
            if url is None or not url.raw_password or unknown(url.password):
                continue
            harmless = not is_masked(url.password) and not re.search(r"[/?#@ %]", url.password)
            yield Violation(
                service=service,
                at=variable(service, name),
                severity=Severity.WARNING if harmless else None,
                problem=f"the password in {name} holds characters that a URL reads otherwise (+ / = @ # ? %)",
                impact="the URL is cut at that character: another host, another user, no connection",
                fix="use hexadecimal passwords (openssl rand -hex 24), or percent-encode it in the URL",
            )


@rule(phase=2, severity=Severity.WARNING)
def shared_database(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago has a database of its own.

    Lago migrates everything in its schema. Beside another application's tables its migrations stop half-way,
    and what runs then answers 200 on /health and 500 to logins.
    """
    ours = {(url.host, url.database): service for service, url in urls(model)}
    told = set()
    for other in model.services:
        if other.role in (*LAGO_RUBY, DB) or "getlago/" in other.image or TOOL.search(other.image):
            continue
        for name, value in other.environment.items():
            url = service_url(value) if value and "postgres" in value else None
            if url and (url.host, url.database) in ours and not unknown(url.database):
                told.add((url.host, url.database))
                yield Violation(
                    service=other,
                    at=variable(other, name),
                    problem=f"{other.name} uses Lago's database {url.database}",
                    impact="two applications migrate one schema: half-run migrations, logins that answer 500",
                    fix="make a database, or at least a schema, of its own for each",
                )
    for (host, database), service in ours.items():
        if (host, database) in told or unknown(host) or unknown(database) or not database:
            continue
        outside = not any(each.role == DB for each in named(model, host))
        elsewhere = database in ("postgres", "defaultdb", "neondb", "app", "main", "public")
        others = elsewhere or re.search(r"(?i)shared|brain|saas|gateway|platform|staging", database)
        foreign = others and not re.search(r"(?i)lago|billing", database)
        if (outside and foreign) or re.search(r"(?i)shared", host):
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem=f"Lago's database is {database} on {host}, which is not Lago's alone by its name",
                impact="two applications migrate one schema: half-run migrations, logins that answer 500",
                fix="make a database called lago, with a user of its own",
            )


@rule(phase=2)
def pgbouncer_pooler_url(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago talks to PostgreSQL itself, not to a pooler.

    Migrations take an advisory lock and Rails prepares statements; a pooler that hands out connections per
    transaction loses both.
    """
    for service, url in urls(model):
        target = [each for each in named(model, url.host) if POOLER.search(each.image)]
        if POOLER.search(url.host) or POOLER.search(url.query) or url.port in (6432, 6543) or target:
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem="DATABASE_URL goes through a connection pooler",
                impact="migrations lose their lock and stop half-way; prepared statements vanish "
                "between queries",
                fix="use PostgreSQL's own address and port 5432",
            )


def _differing(model: Model, roles: tuple[str, ...]) -> Iterator[Violation]:
    first = reference(model)
    expected = url_of(first, URL) if first else None
    for service, url in urls(model):
        if expected is None or service is first or service.role not in roles:
            continue
        for what, own, its in (
            ("host", url.host, expected.host),
            ("port", url.port or 5432, expected.port or 5432),
            ("database", url.database, expected.database),
            ("parameters", url.query, expected.query),
            ("schema", service.value("POSTGRES_SCHEMA"), first.value("POSTGRES_SCHEMA")),
        ):
            if own != its and not unknown(str(own)) and not unknown(str(its)):
                yield Violation(
                    service=service,
                    at=variable(service, URL),
                    problem=f"its database is another one than that of {first.name} "
                    + (
                        f"(another {what})"
                        if what == "parameters"
                        else f"({what} {own or 'none'}, there {its or 'none'})"
                    ),
                    impact="what one of them writes, or migrates, the other doesn't see",
                    fix="one DATABASE_URL for all, by an anchor",
                )
                break


@rule(phase=2)
def migrate_targets_other_db(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration migrates the database that the API uses."""
    return _differing(model, (MIGRATE,))


@rule(phase=2)
def database_disagrees(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock use one database."""
    return _differing(model, ("api", "worker", "clock"))
