"""Live runs against several hosts: a run for each of them, side by side."""

from __future__ import annotations

import pytest

from lago_acceptance.core import interrupts
from lago_acceptance.fleet import run
from lago_acceptance.fleet.target import Target, checked
from lago_acceptance.plugin.options import OPTIONS, SETTINGS
from lago_acceptance.plugin.selection import gate_only, runs_tests


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    options = config.stash[OPTIONS]
    if len(options.hosts) < 2 or gate_only(config) or not runs_tests(config.option):
        return None
    targets = checked(Target(address=host) for host in options.hosts)
    how = run.Look(
        reports=options.reports,
        arguments=config.invocation_params.args,
        seconds=config.option.host_deadline,
        history=options.history,
        keep=config.stash[SETTINGS].reports.history,
        history_on_host=options.history_on_host,
        ssh_config=options.ssh_config,
        project=options.project,
        scheduled=options.scheduled,
    )
    try:
        interrupts.release()
        return run.finish(targets, run.look(targets, how, print), how, print)
    except KeyboardInterrupt:
        interrupts.end()
        print("interrupted: hosts without a verdict above were not judged")
        return pytest.ExitCode.INTERRUPTED
