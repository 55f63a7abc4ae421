"""Rules about the database's name and its host's name."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, DB, FRONT, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.startup import outcome_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, variable
from lago_acceptance.rules.helpers.data_stores import URL, urls
from lago_acceptance.rules.helpers.hosts import named, url_of

_CREATES = ("db:create", "db:prepare", "db:setup", "db:reset", "migrate.sh", "scripts/start.sh")
_INIT_SCRIPTS = "/docker-entrypoint-initdb.d"


def _created(database: Service) -> str | None:
    """The database that an image creates on an empty volume; None where that can't be known."""
    if any(mount.target.startswith(_INIT_SCRIPTS) for mount in database.mounts) or database.built:
        return None
    if "bitnami" in database.image:
        names = (
            "POSTGRESQL_DATABASE",
            "POSTGRES_DATABASE",
            "POSTGRES_DB",
            "POSTGRESQL_USERNAME",
            "POSTGRES_USER",
        )
        value = next((database.value(name) for name in names[:3] if database.value(name)), "postgres")
    else:
        value = database.value("POSTGRES_DB") or database.value("POSTGRES_USER") or "postgres"
    file_given = any(name.endswith("_FILE") and "PASSWORD" not in name for name in database.environment)
    return None if unknown(value) or file_given else value


def _creates_its_own(model: Model) -> bool:
    """Whether a service of Lago creates the database of its URL."""
    for service in lago(model):
        if service.role == API and not service.command and not service.entrypoint:
            return True
        outcome = outcome_of(service, model)
        words = " ".join(word for program in outcome.programs for word in program)
        if outcome.unseen or any(each in words for each in _CREATES):
            return True
    return False


@rule(phase=2, follows=("database-disagrees", "migrate-targets-other-db", "db-url-unescaped-password"))
def database_not_created(model: Model, settings: Settings) -> Iterator[Violation]:
    """DATABASE_URL names the database that PostgreSQL creates: POSTGRES_DB, else the name of POSTGRES_USER.

    Lago's own migrate.sh creates a missing one, if its user may. The database that PostgreSQL created then stays empty, and
    backups or checks of it prove nothing.
    """
    own = _creates_its_own(model)
    for service, url in urls(model):
        databases = [each for each in named(model, url.host) if each.role == DB]
        created = _created(databases[0]) if len(databases) == 1 else None
        if created is None or not url.database or unknown(url.database) or url.raw_password:
            continue
        if url.database != created:
            yield Violation(
                service=service,
                at=variable(service, URL),
                severity=Severity.WARNING if own else None,
                problem=f"DATABASE_URL has the database {url.database}, but {databases[0].name} creates {created}",
                impact="the migration creates a second one: backups and checks of the first prove nothing"
                if own
                else "nothing creates it: migrations fail, and every call answers 500",
                fix=f"use one name: POSTGRES_DB: {url.database} (on an existing volume, change DATABASE_URL instead)",
            )


@rule(phase=2)
def url_host_with_underscore(model: Model, settings: Settings) -> Iterator[Violation]:
    """No host name in DATABASE_URL or in a public URL has an underscore.

    Rails parses DATABASE_URL by the older standard (RFC 2396), which has no underscore in host names. Redis' and the PDF
    service's URLs may have one. Certificate authorities issue no certificate for such a name.
    """
    for service, url in urls(model):
        if "_" in url.host and not url.raw_password and not unknown(url.host):
            yield Violation(
                service=service,
                at=variable(service, URL),
                problem=f"the host {url.host} in DATABASE_URL has an underscore, which Ruby refuses in it",
                impact="URI::InvalidURIError (does not accept registry part): migrate, api, worker and clock exit at boot",
                fix=f"use a name without it, such as {url.host.replace('_', '-')}: rename the service, or give it that "
                "alias on its network",
            )
    public = {
        own.host: (service, name)
        for name in ("API_URL", "LAGO_FRONT_URL", "LAGO_API_URL")
        for service in reversed(model.of_role(*LAGO_RUBY, FRONT))
        if (own := url_of(service, name)) and own.scheme == "https" and "_" in own.host and "." in own.host
    }
    for host, (service, name) in public.items():
        if not unknown(host):
            yield Violation(
                service=service,
                at=variable(service, name),
                severity=Severity.WARNING,
                problem=f"the host {host} in {name} has an underscore",
                impact="no public certificate authority issues a certificate for it: browsers refuse the page",
                fix=f"use a name without it, such as {host.replace('_', '-')}",
            )
