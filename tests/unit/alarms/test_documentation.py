"""docs/alarms.md: its example is a file that loads, its forms are known to Apprise, and it names every metric."""

from __future__ import annotations

import re

import pytest

from lago_acceptance.alarms import notify
from lago_acceptance.alarms.settings import load
from lago_acceptance.reports.metrics import PREFIX, registry
from tests.support.nights import HOST, MEASURED, MORNING, red_night
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "alarms.md").read_text("utf-8")
FORMS = re.findall(r"^\|[^|]+\| `(\w+://[^`]+)` \|$", PAGE, re.MULTILINE)


def test_the_example_of_the_alarms_file_loads(tmp_path):
    (block,) = re.findall(
        r"^```toml\n# /etc/lago-acceptance/alarms\.toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL
    )
    (tmp_path / "alarms.toml").write_text(block)
    settings = load(tmp_path / "alarms.toml")
    assert len(settings.targets) == 2 and settings.heartbeat and settings.page


@pytest.mark.parametrize("form", FORMS)
def test_apprise_knows_each_form(form):
    assert notify.is_usable(form)


def test_there_are_forms():
    assert len(FORMS) > 8


def test_every_metric_is_there():
    names = {
        family.name for family in registry([red_night(measurements=MEASURED)], {HOST: MORNING}).collect()
    }
    counters = {"processed_jobs", "failed_jobs"}
    for name in {name.removeprefix(PREFIX) for name in names}:
        assert f"`{name}{'_total' * (name in counters)}`" in PAGE, name
