"""The last run of each host as metrics of Prometheus, for node_exporter's textfile collector and for a Pushgateway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lago_acceptance.core import report_files
from lago_acceptance.core.measurements import MEASURES
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import PHASES
from lago_acceptance.core.secrets import redact
from lago_acceptance.reports.summary import OUTCOMES, Summary, unix
from lago_acceptance.reports.verdict import BILLING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

PREFIX = "lago_acceptance_"
# node_exporter runs as a user of its own. There is no secret in the file, and no path or name that its users don't see.
MODE = 0o644
_INSTEAD = "name a file in node_exporter's textfile folder, which must exist"
_DAY, _HOUR, _MIB = 86400.0, 3600.0, 2.0**20
_RED = ("failed", "crashed", "blocked")
_GREEN = ("passed", "waived")
Convert = Callable[[float, float], float]


class Series(NamedTuple):
    """How a measure is called in Prometheus, in its base units. ``label`` says what it is of, "" for the host as a whole;
    ``convert`` makes the value of a measure's and of the time of the run.
    """

    name: str
    label: str = ""
    convert: Convert = lambda value, ended: value
    help: str = ""


SERIES = {
    "certificate_days": Series(
        "certificate_expiry_timestamp_seconds",
        "name",
        lambda value, ended: ended + value * _DAY,
        "When the certificate of a public name expires, as Unix time",
    ),
    "queue_age": Series("queue_age_seconds", "queue"),
    "queue_jobs": Series("queue_jobs", "queue"),
    "dead_jobs": Series("dead_jobs"),
    "processed_jobs": Series("processed_jobs_total"),
    "failed_jobs": Series("failed_jobs_total"),
    "disk_free": Series("disk_free_bytes", "mountpoint", lambda value, ended: value * _MIB),
    "dump_age": Series("dump_age_seconds", "path", lambda value, ended: value * _HOUR),
    "dump_size": Series("dump_size_bytes", "path"),
    "log_size": Series("log_size_bytes", "container"),
    "restarts": Series("container_restarts", "container"),
    "containers": Series("containers"),
    "migrations": Series("migrations"),
    "clock_drift": Series("clock_drift_seconds"),
    "billing_sign": Series("billing_sign_rows", "sign"),
    "first_invoice": Series("invoice_latency_seconds"),
}
# Metrics of the run itself: what they say, and their labels beside host and project.
_OF_RUNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "suite_info": ("Versions of the suite and of Lago in the last run", ("version", "lago")),
    "accepted": ("Whether the last run accepted the deployment", ()),
    "billing_state": ("Whether the deployment bills: 1 for the state of the last run", ("state",)),
    "phase_accepted": (
        "Whether a phase of the deployment has no red check; missing if nothing in it was judged",
        ("phase", "title"),
    ),
    "findings": ("Findings of the last run by id", ("id", "severity")),
    "checks": ("Checks of the last run by outcome", ("outcome",)),
    "run_duration_seconds": ("How long the last run took", ()),
    "last_run_timestamp_seconds": ("When the last run ended, as Unix time", ()),
    "last_success_timestamp_seconds": (
        "When a run last accepted the deployment, as Unix time; missing if none is known",
        (),
    ),
}


def write(path: Path, summaries: Sequence[Summary], last_success: Mapping[str, float]) -> None:
    """Write the metrics to a file that ends in .prom, in one step, readable for all. NotWritten where that fails.

    ``last_success`` is Unix time by ``Summary.key``. Of two summaries of one host the later in the list counts.
    """
    from prometheus_client import generate_latest

    report_files.write(path, generate_latest(registry(summaries, last_success)), MODE, _INSTEAD)


def registry(summaries: Sequence[Summary], last_success: Mapping[str, float]) -> CollectorRegistry:
    """The metrics as prometheus-client has them."""
    from prometheus_client import CollectorRegistry

    made = CollectorRegistry()
    made.register(_Fixed(list(_families(summaries, last_success))))
    return made


class _Fixed:
    """A collector of what is known already."""

    def __init__(self, families: list[Metric]):
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _families(summaries: Sequence[Summary], last_success: Mapping[str, float]) -> Iterator[Metric]:
    # By their labels: a file that has a sample twice is refused as a whole.
    of_hosts = {tuple(_labels(summary)): summary for summary in summaries}.values()
    for name, (help, labels) in _OF_RUNS.items():
        yield _family(
            name,
            help,
            labels,
            (
                (_labels(summary, *values), number)
                for summary in of_hosts
                for values, number in _of_run(name, summary, last_success)
            ),
        )
    for measure, series in SERIES.items():
        yield _family(
            series.name,
            series.help or MEASURES[measure].title,
            (series.label,) if series.label else (),
            (
                (_labels(summary, *([about] if series.label else [])), number)
                for summary in of_hosts
                for about, number in _of_measure(measure, summary).items()
            ),
        )


def _family(
    name: str, help: str, labels: tuple[str, ...], values: Iterable[tuple[list[str], float]]
) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    family = kind(PREFIX + name, help, labels=["host", "project", *labels])
    for mine, number in values:
        family.add_metric(mine, number)
    return family


def _of_run(
    name: str, summary: Summary, last_success: Mapping[str, float]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Values of a metric of the run, each with its labels."""
    ended = unix(summary.ended)
    match name:
        case "suite_info":
            yield (summary.version, summary.deployment.lago), 1
        case "accepted":
            yield (), summary.exit_code == 0
        case "billing_state":
            for state in BILLING:
                yield (state,), state == summary.billing
        case "phase_accepted":
            for phase in summary.phases:
                counted = summary.counts(phase)
                red = any(counted[outcome] for outcome in _RED)
                if red or any(counted[outcome] for outcome in _GREEN):
                    yield (str(phase), PHASES.get(phase, "")), not red
        case "findings":
            found = Counter(
                (finding.id, str(finding.severity)) for check in summary.checks for finding in check.findings
            )
            yield from found.items()
        case "checks":
            outcomes = Counter(check.outcome for check in summary.checks)
            for outcome in OUTCOMES:
                yield (outcome,), outcomes[outcome]
        case "run_duration_seconds":
            yield (), summary.seconds
        case "last_run_timestamp_seconds" if ended is not None:
            yield (), ended
        case "last_success_timestamp_seconds":
            known = [last_success[summary.key]] if summary.key in last_success else []
            if known := known + ([ended] if ended is not None and summary.exit_code == 0 else []):
                yield (), max(known)


def _of_measure(measure: str, summary: Summary) -> dict[str, float]:
    """Values of a measure by what they are of; where that is the same twice, the worst counts."""
    ended = unix(summary.ended) or 0.0
    found: dict[str, float] = {}
    series, choose = SERIES[measure], min if MEASURES[measure].worst == "min" else max
    for each in summary.measurements:
        if each.name == measure:
            about, value = _safe(each.about) if series.label else "", series.convert(each.value, ended)
            found[about] = choose(found.get(about, value), value)
    return found


def _labels(summary: Summary, *more: str) -> list[str]:
    return [_safe(each) for each in (summary.host, summary.named, *more)]


def _safe(text: str) -> str:
    return redact(one_line(text))
