"""What is read from the register: docs/checks.md, pages and lists, also where not every library is installed."""

from __future__ import annotations

import subprocess
import sys

from lago_acceptance.core import explain, registry
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

# As a gate's installation is: a finder that finds none of what only the other vantage points need.
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"httpx", "playwright", "psutil", "pytest", "testcontainers", "testinfra"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from lago_acceptance.cli.suite import main
raise SystemExit(main(sys.argv[1:]))
"""


def test_the_page_of_checks_is_current():
    written = (ROOT / "docs" / "checks.md").read_text("utf-8")
    assert written == explain.markdown(), "run `make docs`"


def test_the_page_of_checks_has_a_heading_for_each_id():
    headings = [line[4:] for line in explain.markdown().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(registry.entries())


def without_libraries(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run lago-acceptance as if some libraries were not installed."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_rules_are_explained_where_only_the_gate_is_installed():
    ended = without_libraries("explain", "no-clock-service")
    assert ended.returncode == 0 and ended.stdout.startswith("no-clock-service: "), ended.stderr


def test_no_id_is_missing_where_only_the_gate_is_installed():
    ended = without_libraries("list")
    assert ended.returncode == 0, ended.stderr
    listed = {words[0] for line in ended.stdout.splitlines() if (words := line.split())}
    assert len(registry.entries()) > 300 and registry.entries().keys() - listed == set()
