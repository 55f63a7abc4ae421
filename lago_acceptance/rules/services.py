"""Rules about which services there are, and what they must share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.findings import Severity
from lago_acceptance.lago_reading import before
from lago_acceptance.model import Model, Service
from lago_acceptance.roles import API, CLOCK, FRONT, PDF, REDIS, WORKER
from lago_acceptance.rules import Hit, rule
from lago_acceptance.rules.looking import (
    agreement,
    lago,
    named,
    part,
    reference,
    stores_elsewhere,
    url_of,
    uses,
    variable,
)
from lago_acceptance.secret_values import is_masked
from lago_acceptance.settings import Settings
from lago_acceptance.values import unknown


@rule("no-pdf-service", phase=2, severity=Severity.WARNING)
def no_pdf(model: Model, settings: Settings) -> Iterator[Hit]:
    """There is a PDF service, and the worker knows it.

    Without one every invoice is finalized without its PDF, and a job dies for each; nothing else shows it.
    """
    first = reference(model)
    pdf = model.of_role(PDF)
    for service in model.of_role(WORKER) or model.of_role(API):
        url = url_of(service, "LAGO_PDF_URL")
        said = model.written is None or model.written.text(service.name, "LAGO_PDF_URL") is not None
        outside = said and unknown(service.value("LAGO_PDF_URL")) or url is not None and "." in url.host
        if not pdf and not outside and uses(model):
            yield Hit(
                service=first,
                at=variable(service, "LAGO_PDF_URL") if url else ("services",),
                wrong="no service makes PDFs" + (f": nobody is called {url.host}" if url else ""),
                leads_to="invoices are finalized without a PDF, and each leaves a dead job",
                mend="add getlago/lago-gotenberg:7.8.2 and LAGO_PDF_URL: http://lago-pdf:3000",
            )
            return
        if pdf and not service.value("LAGO_PDF_URL"):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_PDF_URL"),
                wrong="there is a PDF service, but LAGO_PDF_URL is not set",
                leads_to="the worker doesn't find it: invoices without PDFs, and a dead job for each",
                mend=f"LAGO_PDF_URL: http://{pdf[0].name}:3000 on the worker and the API",
            )
            return
        target = next((each for each in named(model, url.host) if each.role == PDF), None) if url else None
        if target and (url.port or 80) != 3000 and not re.search(r"--api-port|API_PORT", _told(target)):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_PDF_URL"),
                wrong=f"LAGO_PDF_URL names port {url.port or 80} of {target.name}, which listens on 3000",
                leads_to="connection refused: invoices without PDFs, and a dead job for each",
                mend=f"LAGO_PDF_URL: http://{target.name}:3000",
            )
            return


def _told(service: Service) -> str:
    return " ".join((service.full_command, *service.environment))


@rule("no-clock-service", phase=2)
def no_clock(model: Model, settings: Settings) -> Iterator[Hit]:
    """There is a clock: nothing recurring happens without it."""
    if uses(model) and not model.of_role(CLOCK):
        yield Hit(
            service=reference(model),
            at=("services",),
            wrong="no service runs Lago's clock (./scripts/start.clock.sh)",
            leads_to="no recurring invoices, no activation of future subscriptions, no end dates, no "
            "finalized drafts",
            mend="add a service with the API's image and environment and command ./scripts/start.clock.sh",
        )


@rule("no-worker-service", phase=2)
def no_worker(model: Model, settings: Settings) -> Iterator[Hit]:
    """There is a worker: without it nothing is billed, and no webhook is sent."""
    if uses(model) and not model.of_role(WORKER):
        yield Hit(
            service=reference(model),
            at=("services",),
            wrong="no service runs Lago's worker (./scripts/start.worker.sh)",
            leads_to="jobs pile up in Redis: no invoices, no webhooks, no deletions, usage that stands still",
            mend="add a service with the API's image and environment and command ./scripts/start.worker.sh",
        )


@rule("no-storage-volume", phase=2)
def no_storage(model: Model, settings: Settings) -> Iterator[Hit]:
    """API and worker share one volume at /app/storage, or an object store.

    The worker writes the PDFs there and the API hands them out. In a container's own layer the API doesn't
    see them, and the next container has lost them.
    """
    services = [service for service in model.of_role(API, WORKER) if not stores_elsewhere(service)]
    sources = {}
    for service in services:
        mount = service.mount_at("/app/storage")
        anonymous = mount is not None and (not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source))
        if mount is None or anonymous or mount.kind == "tmpfs":
            yield Hit(
                service=service,
                at=part(service, "volumes") if service.mounts else part(service),
                wrong="no volume is mounted at /app/storage",
                leads_to="PDFs of invoices stay in one container: the API "
                "answers 404 for what the worker wrote, and a new container has lost them",
                mend="mount one named volume at /app/storage in both the API and the worker",
            )
        elif mount.read_only and service.role == WORKER:
            yield Hit(
                service=service,
                at=part(service, "volumes"),
                wrong="the volume at /app/storage is mounted read-only in the worker",
                leads_to="no PDF can be written: invoices without PDFs, and a dead job for each",
                mend="mount it writable in the worker",
            )
        else:
            sources.setdefault(mount.source, service)
    if len(sources) > 1:
        service = list(sources.values())[1]
        yield Hit(
            service=service,
            at=part(service, "volumes"),
            wrong="API and worker have different volumes at /app/storage",
            leads_to="the API answers 404 for the PDFs that the worker wrote",
            mend="mount the same named volume in both",
        )


@rule("redis-disagrees", phase=2)
def redis_disagrees(model: Model, settings: Settings) -> Iterator[Hit]:
    """API, worker and clock use one Redis database.

    With another number or host the worker waits for jobs that the API puts elsewhere; all healthchecks stay
    green.
    """
    first = reference(model)
    expected = url_of(first, "REDIS_URL") if first else None
    for service in lago(model):
        url = url_of(service, "REDIS_URL")
        if expected is None or url is None or service is first or unknown(url.host) or unknown(expected.host):
            continue
        own, its = (
            (url.host, url.port or 6379, url.database),
            (expected.host, expected.port or 6379, expected.database),
        )
        if own != its:
            yield Hit(
                service=service,
                at=variable(service, "REDIS_URL"),
                wrong=f"its Redis is {url.host}/{url.database}, that of {first.name} is "
                f"{expected.host}/{expected.database}",
                leads_to="jobs of one are never seen by the other: nothing is billed, while everything "
                "is healthy",
                mend="one REDIS_URL for all, by an anchor",
            )


@rule("cache-disagrees", phase=2)
def cache_disagrees(model: Model, settings: Settings) -> Iterator[Hit]:
    """API, worker and clock use one cache."""
    for service, first, _, _ in agreement(model, "LAGO_REDIS_CACHE_URL"):
        if service.role in (WORKER, CLOCK):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                wrong=f"its cache is another one than that of {first.name}",
                leads_to="the worker can't expire what the API has cached: current usage stands still "
                "until the period ends",
                mend="one LAGO_REDIS_CACHE_URL for all, by an anchor",
            )


@rule("cache-url-missing", phase=2, severity=Severity.WARNING)
def cache_missing(model: Model, settings: Settings) -> Iterator[Hit]:
    """API and worker share a cache in Redis (LAGO_REDIS_CACHE_URL) or memcached.

    Without one each caches in its own container, and the worker can't expire what the API has cached.
    """
    for service in model.of_role(API, WORKER):
        if not service.value("LAGO_REDIS_CACHE_URL") and not service.value("LAGO_MEMCACHE_SERVERS"):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_REDIS_CACHE_URL"),
                wrong="LAGO_REDIS_CACHE_URL is not set",
                leads_to="each container caches for itself: current usage stands still until the period ends",
                mend="LAGO_REDIS_CACHE_URL: redis://lago-redis:6379/1 on API, worker and clock",
            )


@rule("secrets-disagree", phase=2)
def secrets_disagree(model: Model, settings: Settings) -> Iterator[Hit]:
    """SECRET_KEY_BASE and the encryption keys are the same in all of Lago's services."""
    names = (
        "SECRET_KEY_BASE",
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    for name in names:
        for service, first, _, _ in agreement(model, name):
            yield Hit(
                service=service,
                at=variable(service, name),
                wrong=f"its {name} is another one than that of {first.name}",
                leads_to="what one writes encrypted or signed, the other can't read",
                mend="one value for all, by an anchor",
            )


@rule("redis-evicts", phase=2)
def redis_evicts(model: Model, settings: Settings) -> Iterator[Hit]:
    """The Redis that holds the jobs evicts nothing."""
    for service in model.of_role(REDIS):
        found = re.search(r"maxmemory-policy[\s\"',]+((?:allkeys|volatile)-\w+)", service.full_command)
        if found:
            yield Hit(
                service=service,
                at=part(service, "command"),
                wrong=f"Redis evicts when its memory is full ({found[1]})",
                leads_to="jobs are thrown away unseen: invoices that are never made",
                mend="--maxmemory-policy noeviction",
            )


@rule("redis-not-persistent", phase=2, severity=Severity.WARNING)
def redis_persistent(model: Model, settings: Settings) -> Iterator[Hit]:
    """Redis' data are on a volume, for jobs live there."""
    for service in model.of_role(REDIS):
        mount = service.mount_at("/data") or service.mount_at("/bitnami/redis/data")
        if (mount is None or not mount.source or re.fullmatch(r"[0-9a-f]{64}", mount.source)) and lago(model):
            yield Hit(
                service=service,
                at=part(service),
                wrong="Redis' folder /data is on no named volume",
                leads_to="jobs that wait when the container is made anew are lost",
                mend="mount a named volume at /data",
            )


@rule("redis-password-drift", phase=2)
def redis_password(model: Model, settings: Settings) -> Iterator[Hit]:
    """Lago gives Redis the password that Redis asks for."""
    for redis in model.of_role(REDIS):
        found = re.search(r"--requirepass[\s=]+([^\s\"']+)", redis.full_command)
        wanted = found[1] if found else redis.value("REDIS_PASSWORD") if "bitnami" in redis.image else ""
        if is_masked(wanted) or unknown(wanted) or model.observed or "$" in wanted:
            continue
        for service in lago(model):
            url = url_of(service, "REDIS_URL")
            if url is None or redis not in named(model, url.host):
                continue
            given = url.password or service.value("REDIS_PASSWORD")
            if given != wanted and not unknown(given) and not url.raw_password:
                yield Hit(
                    service=service,
                    at=variable(service, "REDIS_URL"),
                    wrong="Redis asks for a password that REDIS_URL doesn't give"
                    if wanted
                    else "REDIS_URL gives a password that Redis doesn't have",
                    leads_to="NOAUTH or WRONGPASS: the worker exits, and calls that enqueue a job answer 500",
                    mend="write both from one variable",
                )


@rule("signup-disabled-only-in-ui", phase=2)
def signup(model: Model, settings: Settings) -> Iterator[Hit]:
    """Sign-up that the front hides is closed at the API too."""
    fronts = [front for front in model.of_role(FRONT) if front.value("LAGO_DISABLE_SIGNUP") == "true"]
    for service in model.of_role(API) if fronts else ():
        if service.value("LAGO_DISABLE_SIGNUP") != "true" and not unknown(
            service.value("LAGO_DISABLE_SIGNUP")
        ):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_DISABLE_SIGNUP"),
                wrong="LAGO_DISABLE_SIGNUP is true on the front and not on the API",
                leads_to="the page hides sign-up, but anybody can register through GraphQL",
                mend='LAGO_DISABLE_SIGNUP: "true" on both',
            )


@rule("sidekiq-web-open", phase=2)
def sidekiq_web(model: Model, settings: Settings) -> Iterator[Hit]:
    """Sidekiq's web page, which asks for no password, is off."""
    for service in model.of_role(API):
        if service.value("LAGO_SIDEKIQ_WEB") == "true":
            yield Hit(
                service=service,
                at=variable(service, "LAGO_SIDEKIQ_WEB"),
                wrong="LAGO_SIDEKIQ_WEB serves /sidekiq without authentication",
                leads_to="anybody reads and deletes jobs at the API's public name",
                mend="take LAGO_SIDEKIQ_WEB out",
            )


@rule("queue-without-worker", phase=2)
def stranded(model: Model, settings: Settings) -> Iterator[Hit]:
    """A queue that is switched on has a worker that reads it (SIDEKIQ_EVENTS, SIDEKIQ_PDFS)."""
    for variable_name, script in (
        ("SIDEKIQ_EVENTS", "start.events.worker.sh"),
        ("SIDEKIQ_PDFS", "start.pdfs.worker.sh"),
    ):
        if any(script in service.full_command for service in model.services):
            continue
        for service in model.of_role(API, WORKER, CLOCK):
            if service.value(variable_name) not in ("", "false"):
                yield Hit(
                    service=service,
                    at=variable(service, variable_name),
                    wrong=f"{variable_name} is set, but no service runs {script}",
                    leads_to="jobs of that queue are never done",
                    mend=f"add a worker with ./scripts/{script}, or take {variable_name} out",
                )
                break


@rule("seeding-incomplete", phase=2)
def seeding(model: Model, settings: Settings) -> Iterator[Hit]:
    """Seeding has what it needs, in the spelling that this version of Lago reads.

    Before v1.19.1 the branch is taken by LAGO_ORG_API_KEY and the value by LAGO_API_KEY: both must be set.
    """
    for service in lago(model):
        if service.value("LAGO_CREATE_ORG") != "true":
            continue
        needed = [
            name
            for name in ("LAGO_ORG_USER_PASSWORD", "LAGO_ORG_USER_EMAIL", "LAGO_ORG_NAME")
            if not service.value(name)
        ]
        if needed:
            yield Hit(
                service=service,
                at=variable(service, needed[0]),
                wrong=f"LAGO_CREATE_ORG is true, but {', '.join(needed)} is empty",
                leads_to="the seeding stops with a RuntimeError: no organization, nobody can log in",
                mend="set all three, or leave LAGO_CREATE_ORG out",
            )
        email = service.value("LAGO_ORG_USER_EMAIL")
        if not unknown(email) and email != email.lower():
            yield Hit(
                service=service,
                at=variable(service, "LAGO_ORG_USER_EMAIL"),
                severity=Severity.WARNING,
                wrong="LAGO_ORG_USER_EMAIL holds capitals",
                leads_to="the login page turns what is typed into small letters: that user can't log in",
                mend="write it in small letters",
            )
        if (
            before(service, settings, (1, 19, 1))
            and service.value("LAGO_ORG_API_KEY")
            and not service.value("LAGO_API_KEY")
        ):
            yield Hit(
                service=service,
                at=variable(service, "LAGO_ORG_API_KEY"),
                wrong="LAGO_ORG_API_KEY is set without LAGO_API_KEY, whose value this version of Lago takes",
                leads_to="each start adds a random API key and then fails with value_is_mandatory",
                mend="set LAGO_API_KEY to the same key",
            )


@rule("encryption-keys-missing", phase=2, severity=Severity.WARNING)
def encryption(model: Model, settings: Settings) -> Iterator[Hit]:
    """The API has its three encryption keys: payment providers can't be added without them."""
    names = (
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    )
    for service in model.of_role(API):
        missing = [
            name
            for name in names
            if not service.value(name) and not service.value(name.removeprefix("LAGO_"))
        ]
        if missing:
            yield Hit(
                service=service,
                at=variable(service, missing[0]),
                wrong=f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                leads_to="adding a payment provider or an integration answers 500",
                mend="make each: openssl rand -hex 16",
            )
