"""Rules about the queues that workers read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.roles import API, CLOCK, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.releases import release_or_newest
from lago_acceptance.lago.sidekiq import Sidekiq, sidekiq_of
from lago_acceptance.lago.switches import FALSE, meant_as_on
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.lago.workers import workers_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import has_api, reference, start, variable


def _started(model: Model, settings: Settings) -> list[tuple[Service, Sidekiq | None]]:
    """The workers that a plain `up` starts, each with its Sidekiq."""
    workers = (service for service in model.of_role(WORKER) if model.starts(service))
    return [(service, sidekiq_of(service, model, settings)) for service in workers]


def _read(workers: list[tuple[Service, Sidekiq | None]]) -> frozenset[str] | None:
    """The queues that workers read together; None where one reads queues that aren't known."""
    read: frozenset[str] = frozenset()
    for _, sidekiq in workers:
        if sidekiq is None or sidekiq.queues is None:
            return None
        read |= sidekiq.queues
    return read


@rule(phase=2)
def worker_config_missing(model: Model, settings: Settings) -> Iterator[Violation]:
    """The worker's configuration file is in this version's image.

    Up to 1.17.0 it is config/sidekiq.yml, from 1.17.1 on config/sidekiq/sidekiq.yml.
    """
    for service in model.of_role(WORKER):
        sidekiq = sidekiq_of(service, model, settings)
        release = release_or_newest(service, model, settings)
        if sidekiq is None or release is None or not sidekiq.missing:
            continue
        yield Violation(
            service=service,
            at=start(service),
            problem=f"its image has no {sidekiq.missing}",
            impact="Sidekiq exits at once, and the container restarts forever: no invoices, no webhooks",
            fix=f"use sidekiq -C {release.worker_config}",
        )


@rule(phase=2, follows=("worker-config-missing", "image-version-drift"))
def worker_leaves_queues(model: Model, settings: Settings) -> Iterator[Violation]:
    """The workers together read every queue that Lago fills.

    Without -C Sidekiq reads config/sidekiq.yml, which the image has up to 1.17.0 only, and else the queue `default`
    alone. Queues given by -q take the place of those in the file.
    """
    workers = _started(model, settings)
    read = _read(workers)
    first = reference(model)
    release = release_or_newest(first, model, settings) if first and stock_image(first) else None
    if not workers or read is None or release is None or not has_api(model):
        return
    main = workers_of(release)[""]
    left = [queue for queue in main.queues if queue not in read]
    if not left:
        return
    service, sidekiq = next(
        ((each, own) for each, own in workers if own and not (own.kind and own.kind.name)), workers[0]
    )
    dedicated = bool(sidekiq and sidekiq.kind and sidekiq.kind.name)
    shown = ", ".join(left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
    yield Violation(
        service=service,
        at=start(service),
        problem=f"no worker reads {'the queue' if len(left) == 1 else 'the queues'} {shown}",
        impact="jobs pile up there and never run: " + _work_in(left),
        fix=f"add a worker that runs ./scripts/{main.script}"
        if dedicated
        else f"run ./scripts/{main.script}, or sidekiq -C {main.config}"
        + (" without -q" if re.search(r"\s(-q|--queue)", service.full_command) else ""),
    )


def _work_in(queues: list[str]) -> str:
    """What isn't done while queues aren't read."""
    done = {
        "billing": "no invoices",
        "clock": "nothing recurring is billed",
        "webhook": "no webhooks",
        "invoices": "no invoice is finalized",
        "mailers": "no e-mails",
        "providers": "no payments",
        "wallets": "wallets aren't topped up",
    }
    return ", ".join([done[queue] for queue in queues if queue in done][:3]) or "that work is never done"


@rule(phase=2)
def queue_without_worker(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every queue that is switched on (SIDEKIQ_EVENTS, SIDEKIQ_PDFS, ...) has a worker."""
    read = _read(_started(model, settings))
    first = reference(model)
    if read is None or first is None:
        return
    release = release_or_newest(first, model, settings) if stock_image(first) else None
    for kind in workers_of(release).values():
        for service in model.of_role(API, WORKER, CLOCK):
            value = service.value(kind.switch) if kind.switch else ""
            # One that is on but was meant as off: switch-misread.
            off = value in FALSE or meant_as_on(value) is False
            if unknown(value) or off or read.issuperset(kind.queues):
                continue
            yield Violation(
                service=service,
                at=variable(service, kind.switch),
                problem=f"{kind.switch} is set, but no service runs {kind.script}",
                impact=f"jobs in the queue {kind.queues[0]} are never processed",
                fix=f"add a worker that runs ./scripts/{kind.script}, or remove {kind.switch}",
            )
            break
