"""Rules about jobs in flight while a worker is stopped, as at every deploy."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.releases import Release, release_of
from lago_acceptance.lago.sidekiq import sidekiq_of, without_bundler
from lago_acceptance.lago.startup import script_text
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.lago.workers import TIMEOUT, workers_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, start
from lago_acceptance.shell.first_process import Signals, signals
from lago_acceptance.shell.words import name_of

# Docker's own.
GRACE = 10.0
_STOPS_SIDEKIQ = ("", "TERM", "SIGTERM", "15", "INT", "SIGINT", "2")
_LOST = (
    "at every stop and every deploy its jobs in flight are lost for good: webhooks are never sent, invoices stay "
    "half made"
)


def term_reaches_sidekiq(service: Service, model: Model, release: Release | None) -> Signals:
    """Whether Sidekiq gets the TERM that stops a worker's container."""
    scripts = {kind.script for kind in workers_of(release).values()}

    def program(words: tuple[str, ...]) -> Signals:
        path = words[0].removeprefix("/app/").removeprefix("./")
        if path.removeprefix("scripts/") in scripts and not service.mount_at(f"/app/{path}"):
            return Signals.REACH if release is None or release.worker_exec else Signals.LOST
        called = without_bundler(words)
        return Signals.REACH if called and name_of(called[0]) == "sidekiq" else Signals.UNKNOWN

    if not stock_image(service):
        return Signals.UNKNOWN
    words = (*service.entrypoint, *service.command)
    return signals(words, program, lambda path: script_text(service, model, path))


@rule(phase=2, follows=("worker-config-missing", "wrong-script-path", "command-needs-shell"))
def jobs_lost_at_stop(model: Model, settings: Settings) -> Iterator[Violation]:
    """Sidekiq gets the signal that stops its container, and ends its jobs.

    A shell passes no signal on to what it started without `exec`. Up to 1.17.1 ./scripts/start.worker.sh has no
    `exec`: `docker stop` waits, and then kills the worker with the jobs that it is doing. `init: true` doesn't help:
    the shell ends, and the container with it.
    """
    for service in model.of_role(WORKER):
        release = release_of(service, settings)
        signal = service.stop_signal.upper()
        if signal not in _STOPS_SIDEKIQ and stock_image(service):
            yield Violation(
                service=service,
                at=part(service, "stop_signal"),
                problem=f"its stop_signal is {service.stop_signal}, which ends Sidekiq without its jobs",
                impact=_LOST,
                fix="remove stop_signal: Sidekiq ends its jobs at TERM, Docker's default",
            )
            continue
        if term_reaches_sidekiq(service, model, release) is not Signals.LOST:
            continue
        sidekiq = sidekiq_of(service, model, settings)
        kind = (sidekiq and sidekiq.kind) or workers_of(release)[""]
        yield Violation(
            service=service,
            at=start(service),
            problem="a shell runs Sidekiq and doesn't pass the stop signal on",
            impact=_LOST,
            fix=f"use command: [bundle, exec, sidekiq, -C, {kind.config}]"
            + (", or put `exec` before it in the shell" if "-c" in service.full_command else ""),
        )


@rule(phase=2, severity=Severity.WARNING, follows=("jobs-lost-at-stop", "worker-config-missing"))
def stop_grace_too_short(model: Model, settings: Settings) -> Iterator[Violation]:
    """A worker has as long to stop as Sidekiq takes to end its jobs.

    Sidekiq waits 25 seconds for jobs in flight and puts the rest back into Redis. Docker kills it after 10, unless
    stop_grace_period says otherwise.
    """
    for service in model.of_role(WORKER):
        release = release_of(service, settings)
        if term_reaches_sidekiq(service, model, release) is not Signals.REACH:
            continue
        sidekiq = sidekiq_of(service, model, settings)
        timeout = sidekiq.timeout if sidekiq else TIMEOUT
        grace = GRACE if service.stop_grace_period is None else service.stop_grace_period
        if timeout is None or grace >= timeout:
            continue
        given = "stop_grace_period is" if service.stop_grace_period is not None else "Docker's default is"
        yield Violation(
            service=service,
            at=part(service, "stop_grace_period") if service.stop_grace_period is not None else part(service),
            problem=f"Docker kills it {grace:g} seconds after a stop ({given} {grace:g}s), Sidekiq needs up to "
            f"{timeout:g}",
            impact="jobs that take longer are lost at every deploy, such as invoices and slow webhooks",
            fix=f"set stop_grace_period: {timeout + 5:g}s",
        )
