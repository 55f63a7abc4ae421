"""Rules about PostgreSQL: which database Lago uses, and how it logs in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, LAGO_RUBY, MIGRATE
from lago_acceptance.core.secrets import is_masked
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl, service_url
from lago_acceptance.core.value_shapes import shape, unknown
from lago_acceptance.lago.ports import listens_on
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, reference, variable
from lago_acceptance.rules.helpers.data_stores import URL, services_of, urls
from lago_acceptance.rules.helpers.hosts import named, service_at, url_of

# Tools that read, copy or proxy the database, and migrate nothing.
TOOL = re.compile(
    r"(?i)export|backup|dump|admin|pgweb|pghero|metabase|superset|grafana|datadog|prometheus|pgbouncer|pgcat|walg|barman"
)
POOLER = re.compile(r"(?i)pooler|pgbouncer|pgcat|supavisor|odyssey")


def _weak(password: str, user: str) -> bool:
    return shape(password) in ("default", "placeholder") or (
        bool(password) and not is_masked(password) and password == user
    )


@rule(phase=2, follows_at=("hardcoded-secret-defaults",))
def default_db_password(model: Model, settings: Settings) -> Iterator[Violation]:
    """The database's password is neither a default nor a placeholder.

    Default passwords are the first that an attacker tries. Changing one later takes an ALTER USER as well:
    PostgreSQL ignores a new POSTGRES_PASSWORD on an existing volume, and every login fails.
    """
    weak: list[tuple[Service, str]] = [
        (service, "POSTGRES_PASSWORD")
        for service in services_of(model, DB)
        if _weak(service.value("POSTGRES_PASSWORD"), service.value("POSTGRES_USER"))
    ]
    if not weak:
        weak = [(service, URL) for service, url in urls(model) if _weak(url.password, url.user)][:1]
    for service, name in weak:
        yield Violation(
            service=service,
            at=variable(service, name),
            problem="the database's password is a default or a placeholder",
            impact="anyone who reaches PostgreSQL can guess the password",
            fix="generate one (openssl rand -hex 24), set it by ${POSTGRES_PASSWORD:?}, and change it in "
            "the database too (ALTER USER)",
        )
    for service in services_of(model, DB):
        if service.value("POSTGRES_HOST_AUTH_METHOD") == "trust":
            yield Violation(
                service=service,
                at=variable(service, "POSTGRES_HOST_AUTH_METHOD"),
                problem="PostgreSQL accepts every login without a password",
                impact="anyone who reaches PostgreSQL can read and change all billing data",
                fix="remove POSTGRES_HOST_AUTH_METHOD and set POSTGRES_PASSWORD",
            )


def _sources_differ(one: str, other: str) -> bool:
    """Whether two passwords come from different variables, or only one of them from a variable.

    A variable called ..._ENCODED, ..._ESCAPED or ..._URL may hold the other one in percent-encoded form.
    """
    from_variable = unknown(one) or unknown(other)
    return bool(
        one
        and other
        and from_variable
        and one != other
        and not re.search(r"encoded|escaped|url", f"{one}{other}")
    )


def _without_raw_mark(password: str) -> str:
    return password.removesuffix("raw") if is_masked(password) else password


@rule(phase=2)
def db_password_drift(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every service logs in with the user and password that the database was created with."""
    first: tuple[Service, ServiceUrl] | None = None
    for service, url in urls(model):
        first = first or (service, url)
        databases = [db for db in named(model, url.host) if db.role == DB]
        if databases:
            against, password = databases[0].name, databases[0].value("POSTGRES_PASSWORD")
            user = databases[0].value("POSTGRES_USER") or "postgres"
        elif first[0] is not service and first[1].host == url.host and first[1].user == url.user:
            against, password, user = first[0].name, _without_raw_mark(first[1].password), url.user
        else:
            continue
        if unknown(url.user) or unknown(user):
            continue
        if not url.raw_password and _sources_differ(url.password, password):
            yield Violation(
                service=service,
                at=variable(service, URL),
                severity=Severity.WARNING,
                problem=f"its database password comes from another source than that of {against}",
                impact="when only one of the two changes, logins fail: password authentication failed",
                fix="set both from one variable: ${POSTGRES_PASSWORD:?}",
            )
            continue
        differ = (
            password
            and url.password
            and not unknown(password)
            and not unknown(url.password)
            and _without_raw_mark(url.password) != password
        )
        if differ and not (url.raw_password and not is_masked(url.password)):
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem=f"its database password differs from that of {against}",
                impact="password authentication failed: migrations fail, or the service answers 500",
                fix="set both from one variable: ${POSTGRES_PASSWORD:?}",
            )
        elif databases and user != url.user and "lago" in f"{user} {url.user}" and not is_masked(user):
            yield Violation(
                service=service,
                at=variable(service, URL),
                severity=Severity.WARNING,
                problem=f"it logs in as {url.user or 'no user'}, but the database was created for {user}",
                impact="password authentication failed, unless that user was created by hand",
                fix="use the database's POSTGRES_USER in DATABASE_URL",
            )


@rule(phase=2)
def db_url_unescaped_password(model: Model, settings: Settings) -> Iterator[Violation]:
    """Passwords in URLs are percent-encoded or contain no special characters.

    `openssl rand -base64` produces + / and =. A slash ends the host part of a URL, and Lago connects to
    another host.
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
                problem=f"the password in {name} contains special characters that aren't percent-encoded "
                f"(+ / = @ # ? %)",
                impact="the URL is cut at that character: wrong host or user, no connection",
                fix="use a hexadecimal password (openssl rand -hex 24), or percent-encode it in the URL",
            )


@rule(phase=2, severity=Severity.WARNING)
def shared_database(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago has its own database.

    Lago's migrations expect a schema without other tables. Beside another application's tables they stop
    halfway: /health then answers 200 and logins answer 500.
    """
    ours: dict[tuple[str, str], Service] = {}
    for service, own in urls(model):
        ours.setdefault((service_at(model, own.host), own.database), service)
    reported = set()
    for other in model.services:
        if other.role in (*LAGO_RUBY, DB) or "getlago/" in other.image or TOOL.search(other.image):
            continue
        for name, value in other.environment.items():
            url = service_url(value) if value and "postgres" in value else None
            place = (service_at(model, url.host), url.database) if url else ("", "")
            if url and place in ours and not unknown(url.database):
                reported.add(place)
                yield Violation(
                    service=other,
                    at=variable(other, name),
                    problem=f"it uses Lago's database {url.database}",
                    impact="two applications migrate one schema: migrations stop halfway, logins answer 500",
                    fix="create a separate database (or at least a schema) for each application",
                )
    for (host, database), service in ours.items():
        if (host, database) in reported or unknown(host) or unknown(database) or not database:
            continue
        external = not any(each.role == DB for each in named(model, host))
        common_name = database in ("postgres", "defaultdb", "neondb", "app", "main", "public")
        shared = common_name or re.search(r"(?i)shared|brain|saas|gateway|platform|staging", database)
        named_so = re.search(r"(?i)lago|billing", database)
        if (external and shared and not named_so) or re.search(r"(?i)shared", host):
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem=f"Lago's database is {database} on {host}, which by its name is shared with other "
                f"applications",
                impact="two applications migrate one schema: migrations stop halfway, logins answer 500",
                fix="create a database for Lago alone: CREATE DATABASE lago OWNER lago",
            )


@rule(phase=2)
def pgbouncer_pooler_url(model: Model, settings: Settings) -> Iterator[Violation]:
    """Lago connects to PostgreSQL directly, not through a pooler.

    Migrations take an advisory lock and Rails prepares statements. A pooler in transaction mode loses both.
    """
    for service, url in urls(model):
        target = [each for each in named(model, url.host) if POOLER.search(each.image)]
        if POOLER.search(url.host) or POOLER.search(url.query) or url.port in (6432, 6543) or target:
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem="DATABASE_URL goes through a connection pooler",
                impact="migrations lose their lock and stop halfway; prepared statements disappear "
                "between queries",
                fix="use PostgreSQL's own host and port 5432",
            )


def _differing(model: Model, roles: tuple[str, ...]) -> Iterator[Violation]:
    for service, url in urls(model):
        first = reference(model, service)
        expected = url_of(first, URL) if first else None
        if first is None or expected is None or service is first or service.role not in roles:
            continue
        # A port on which its database doesn't listen is url-wrong-port.
        judged = any(listens_on(each, model) for each in named(model, url.host))
        for what, own, its in (
            ("host", service_at(model, url.host), service_at(model, expected.host)),
            ("port", *((0, 0) if judged else (url.port or 5432, expected.port or 5432))),
            ("database", url.database, expected.database),
            ("parameters", url.query, expected.query),
            ("schema", service.value("POSTGRES_SCHEMA"), first.value("POSTGRES_SCHEMA")),
        ):
            if own != its and not unknown(str(own)) and not unknown(str(its)):
                yield Violation(
                    service=service,
                    at=variable(service, URL),
                    problem=f"its database differs from that of {first.name} "
                    + (
                        f"(other {what})"
                        if what == "parameters"
                        else f"({what} {own or 'none'}, {first.name} has {its or 'none'})"
                    ),
                    impact="what one of them writes or migrates, the other doesn't see",
                    fix="use one DATABASE_URL for all of Lago's services (a YAML anchor)",
                )
                break


@rule(
    phase=2,
    follows=("two-deployments",),
    follows_at=("host-unknown", "localhost-in-container", "pgbouncer-pooler-url"),
)
def migrate_targets_other_db(model: Model, settings: Settings) -> Iterator[Violation]:
    """The migration runs on the database that the API uses."""
    return _differing(model, (MIGRATE,))


@rule(
    phase=2,
    follows=("two-deployments",),
    follows_at=("host-unknown", "localhost-in-container", "pgbouncer-pooler-url"),
)
def database_disagrees(model: Model, settings: Settings) -> Iterator[Violation]:
    """API, worker and clock use the same database."""
    return _differing(model, ("api", "worker", "clock"))
