"""Numbers that a run reads: days of certificates, ages of queues, free disk. Reports, history and metrics take them from here."""

from __future__ import annotations

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """A kind of number. ``unit`` is a plain word ("days"), ``title`` one line; ``worst`` is min or max: which of several counts."""

    unit: str
    title: str
    worst: str = "max"


MEASURES = {
    "certificate_days": Measure("days", "Days until the certificate of a public name expires", "min"),
    "queue_age": Measure("seconds", "How long the oldest job of a queue has been waiting"),
    "queue_jobs": Measure("jobs", "Jobs waiting in a queue"),
    "dead_jobs": Measure("jobs", "Jobs that Sidekiq has given up on"),
    "processed_jobs": Measure("jobs", "Jobs that Sidekiq has processed since its counters began"),
    "failed_jobs": Measure("jobs", "Attempts at jobs that failed since Sidekiq's counters began"),
    "disk_free": Measure("MiB", "Free space of a file system", "min"),
    "dump_age": Measure("hours", "Age of the newest dump of the database"),
    "dump_size": Measure("bytes", "Size of the newest dump of the database", "min"),
    "log_size": Measure("bytes", "Size of a container's log files"),
    "restarts": Measure("restarts", "How often Docker has restarted a container"),
    "containers": Measure("containers", "Containers of the deployment", "min"),
    "migrations": Measure("migrations", "Migrations applied to the database", "min"),
    "clock_drift": Measure("seconds", "How far the host's clock is from this machine's"),
    "billing_sign": Measure("rows", "Rows that show billing is late, by sign"),
    "first_invoice": Measure("seconds", "From the subscription of a new customer to its finalized invoice"),
}


class Measurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number that was read. ``name`` is in MEASURES, ``about`` what it is of: a host name, a queue, a mount point."""

    name: str
    value: float
    about: str = ""

    def __post_init__(self) -> None:
        if self.name not in MEASURES:
            raise ValueError(f"{self.name} is not in the table of measures")


def worst(measurements: tuple[Measurement, ...]) -> dict[str, float]:
    """Of each measure the value that matters most: the fewest days, the longest wait."""
    found: dict[str, float] = {}
    for each in measurements:
        choose = min if MEASURES[each.name].worst == "min" else max
        found[each.name] = choose(found.get(each.name, each.value), each.value)
    return found
