"""Whether a stack that came up is ready to be judged: its worker has worked, its proxy has certificates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from lago_acceptance.core.waiting import until
from lago_acceptance.facts.types import Facts
from lago_acceptance.probes.tls import TlsProber
from lago_acceptance.targets.stack import startup

WORK_SECONDS = 15
CERTIFICATE_SECONDS = 40


def wait_for_work(observe: Callable[[], Facts]) -> None:
    """Wait until the worker has finished a first job: the clock enqueues some when it starts. Facts judge it later."""
    until(lambda: startup.has_worked(observe()), WORK_SECONDS, what="first job of the worker")


def wait_for_certificates(names: Sequence[str], origin: str, root: str) -> None:
    """Wait until the proxy serves certificates for these names, or time is up. Probes judge it later."""
    prober = TlsProber(root)
    until(
        lambda: all(asyncio.run(prober.shake(name, origin)).names_host for name in names),
        CERTIFICATE_SECONDS,
        what="certificates",
    )
