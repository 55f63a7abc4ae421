"""The wheel with what a stack needs, installed into an empty environment: a verdict from any folder, as cron starts it."""

from __future__ import annotations

import json

import pytest

from lago_acceptance import __version__
from tests.support import installed

pytestmark = pytest.mark.stack


@pytest.mark.exhaustive
def test_a_stack_is_brought_up_and_judged_from_another_folder(tmp_path):
    built = installed.wheel(installed.checkout(tmp_path / "source"), tmp_path / "wheel")
    programs = installed.environment(tmp_path / "venv", built, "stack")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    ended = installed.run(programs / "lago-acceptance", "smoke", folder=folder)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
    summary = json.loads((folder / "reports" / "latest" / "summary.json").read_text())
    assert summary["version"] == __version__ and summary["verdict"].startswith("accepted")
    assert {check["phase"] for check in summary["checks"]} >= {1, 2, 3}
    assert f"lago-acceptance {__version__})" in ended.stdout
    assert [each.name for each in folder.iterdir()] == ["reports"]
