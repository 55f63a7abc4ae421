"""Metrics name every measure in base units, and node_exporter can read them; tests/monitoring has promtool read them."""

from __future__ import annotations

import os
import stat

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lago_acceptance.core.measurements import MEASURES, Measurement
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.report_files import NotWritten
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.reports.metrics import PREFIX, SERIES, write
from lago_acceptance.reports.summary import Check, Deployment
from tests.support.nights import DAY, HOST, MEASURED, MORNING, finding, night, red_night


@pytest.fixture
def written(tmp_path):
    """Call it with summaries and the last successes: values by name and labels, as Prometheus reads them."""

    def read(summaries, last_success=None):
        path = tmp_path / "lago.prom"
        write(path, summaries, last_success or {})
        return {
            (
                sample.name.removeprefix(PREFIX),
                *(v for _, v in sorted(sample.labels.items()) if v),
            ): sample.value
            for family in text_string_to_metric_families(path.read_text("utf-8"))
            for sample in family.samples
        }

    return read


def test_every_measure_has_a_metric():
    assert set(SERIES) == set(MEASURES)


def test_numbers_are_in_base_units(written):
    values = written([night(measurements=MEASURED)])
    assert (
        values["certificate_expiry_timestamp_seconds", HOST, "billing-api.example.com"] == MORNING + 40 * DAY
    )
    assert values["disk_free_bytes", HOST, "/"] == 20480 * 2**20
    assert values["dump_age_seconds", HOST, "/var/backups/lago.sql.gz"] == 6.5 * 3600
    assert values["queue_age_seconds", HOST, "default"] == 2.5
    assert values["queue_jobs", HOST, "default"] == 4
    assert values["dead_jobs", HOST] == 0
    assert values["invoice_latency_seconds", HOST] == 12.5
    assert values["failed_jobs_total", HOST] == 7


def test_stacks_on_one_machine_are_told_apart_and_no_sample_is_there_twice(written, tmp_path):
    """Of a file that has one twice, Prometheus reads nothing."""
    stacks = [
        night("this machine", target="stack", deployment=Deployment(compose_file=name), exit_code=code)
        for name, code in (("a.yml", 0), ("b.yml", 1))
    ]
    values = written([*stacks, night("this machine", project="b.yml")])
    assert values["accepted", "this machine", "a.yml"] == values["accepted", "this machine", "b.yml"] == 1
    lines = (tmp_path / "lago.prom").read_text().splitlines()
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(samples) == len(set(samples))


def test_a_red_run_is_red_by_phase_finding_and_state(written):
    warning = finding("log-large", severity=Severity.WARNING)
    checks = (
        *red_night().checks,
        Check(
            "suites/a.py::test_names",
            3,
            "passed",
            1.0,
            1.0,
            "",
            (warning, finding("log-large", severity=Severity.WARNING)),
        ),
        Check("suites/a.py::test_plans", 6, "unknown", 1.0, 1.0),
    )
    values = written([red_night(checks=checks)])
    assert values["accepted", HOST] == 0
    states = {key[2]: value for key, value in values.items() if key[0] == "billing_state"}
    assert states == {"bills": 0, "does not bill": 1, "bills, with faults": 0, "not known": 0}
    phases = {key[2]: value for key, value in values.items() if key[0] == "phase_accepted"}
    assert phases == {"2": 0, "5": 0, "3": 1}
    assert values["findings", HOST, "service-down", "error"] == 1
    assert values["findings", HOST, "log-large", "warning"] == 2
    outcomes = {key[2]: value for key, value in values.items() if key[0] == "checks"}
    assert outcomes == {
        "passed": 1, "failed": 1, "waived": 0, "blocked": 1, "unknown": 1, "skipped": 0, "crashed": 0,
    }  # fmt: skip
    assert values["run_duration_seconds", HOST] == 60
    assert values["last_run_timestamp_seconds", HOST] == MORNING
    assert values["suite_info", HOST, "v1.16.0", "1.2.3"] == 1


def test_the_last_success_is_this_run_or_the_one_that_is_known(written):
    name = "last_success_timestamp_seconds"
    assert (name, HOST) not in written([red_night()])
    assert written([red_night()], {HOST: MORNING - DAY})[name, HOST] == MORNING - DAY
    assert written([night()], {HOST: MORNING - DAY})[name, HOST] == MORNING


def test_each_host_and_project_has_its_own(written):
    summaries = [night(), night(host="root@b"), red_night(host="root@b", project="second")]
    values = written(summaries)
    assert values["accepted", HOST] == values["accepted", "root@b"] == 1
    assert values["accepted", "root@b", "second"] == 0


def test_what_is_there_twice_is_written_once_and_the_worst_counts(written):
    twice = tuple(Measurement("certificate_days", days, "lago.example.com") for days in (60, 5, 30))
    values = written([night(), night(measurements=twice)])
    assert values["certificate_expiry_timestamp_seconds", HOST, "lago.example.com"] == MORNING + 5 * DAY


def test_hostile_names_stay_labels_and_secrets_stay_out(tmp_path):
    Redactor.shared.learn("k3y-of-the-operator")
    hostile = 'x"} 1\nlago_acceptance_accepted{host="forged"} 1\x1b[31m\\ k3y-of-the-operator'
    write(
        tmp_path / "lago.prom", [night(host=hostile, measurements=(Measurement("restarts", 3, hostile),))], {}
    )
    text = (tmp_path / "lago.prom").read_text()
    assert "k3y-of-the-operator" not in text and "\x1b" not in text
    hosts = {
        sample.labels["host"] for family in text_string_to_metric_families(text) for sample in family.samples
    }
    assert len(hosts) == 1 and "forged" not in hosts


def test_the_file_is_whole_and_readable_for_node_exporter_whatever_the_umask(tmp_path):
    path, before = tmp_path / "lago.prom", os.umask(0o077)
    try:
        write(path, [night()], {})
        old = path.open()
        write(path, [red_night()], {})
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with old:
        assert "lago_acceptance_accepted" in old.read()
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(NotWritten, match=r"lago\.prom can't be written: .*textfile folder"):
        write(tmp_path / "missing" / "lago.prom", [night()], {})
