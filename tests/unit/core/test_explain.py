"""What is read from the register: docs/checks.md, pages and lists, also where not every library is installed."""

from __future__ import annotations

import subprocess
import sys

from lago_acceptance.core import explain, registry
from tests.support.paths import ROOT

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
        timeout=60,
        check=False,
    )


def test_rules_are_explained_where_only_the_gate_is_installed():
    ended = without_libraries("explain", "no-clock-service")
    assert ended.returncode == 0 and ended.stdout.startswith("no-clock-service: "), ended.stderr


def test_no_check_is_missing_where_only_the_gate_is_installed():
    ended = without_libraries("list")
    listed = {words[0] for line in ended.stdout.splitlines() if (words := line.split())}
    checks = {id for id, entry in registry.entries().items() if entry.phase > 0}
    assert len(checks) > 100 and checks - listed == set()


def test_what_is_not_installed_is_said():
    ended = without_libraries("list")
    assert ended.returncode == 0 and "no-clock-service" in ended.stdout
    assert "some ids are not listed, because testcontainers is not installed" in ended.stdout
    ended = without_libraries("explain", "no-such-id")
    assert ended.returncode == 4 and "because testcontainers is not installed" in ended.stderr


def test_no_waiver_is_refused_for_what_is_not_installed(tmp_path):
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waiver]]\nid = "of-a-check"\nreason = "known"\nexpires = 2999-01-01\n')
    ended = without_libraries("gate", "--reports=", "--waivers", str(waivers))
    assert "of-a-check is not known here, because testcontainers is not installed" in ended.stdout
    assert ended.returncode == 0, ended.stdout + ended.stderr
