"""``lago-gate`` says what ``pytest -m gate`` says: the same exit code, the same reports, the same text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support import edits
from tests.support.gate import gate, gate_by_pytest

TODAY = datetime.now(UTC).date()
# A worker without the volume of invoices (an error), and a front that does not come up again (a warning).
ERROR = ("@lago-worker lago-storage:/app/storage => lago-storage:/app/storage2",)
WARNING = ("@lago-pdf restart: unless-stopped\\n => \\n",)
RENAMED = ("name: lago\\n => name: billing\\n",)


def waiver(id: str, days: int = 7) -> str:
    """A waiver as it is written."""
    return f'[[waiver]]\nid = "{id}"\nreason = "known"\nexpires = {TODAY + timedelta(days)}\n'


CASES: dict[str, tuple[int, tuple[str, ...], tuple[str, ...], str]] = {
    "nothing is wrong": (0, (), (), ""),
    "an error": (1, ERROR, (), ""),
    "a warning": (0, WARNING, (), ""),
    "a warning, strict": (1, WARNING, ("--strict",), ""),
    "a change": (1, RENAMED, ("--base", "BASE"), ""),
    "no change": (0, (), ("--base", "BASE"), ""),
    "an error that is waived": (0, ERROR, (), waiver("no-storage-volume")),
    "a waiver that has expired": (1, ERROR, (), waiver("no-storage-volume", -1)),
    "a waiver that nothing needs": (1, (), (), waiver("no-storage-volume")),
    "a waiver for what does not exist": (4, (), (), waiver("no-storage-volum")),
    "settings that are not there": (4, (), ("--settings", "nowhere.toml"), ""),
}


@pytest.mark.parametrize("case", CASES)
def test_both_ways_agree(case, tmp_path):
    code, edit, options, waivers = CASES[case]
    path = edits.write(tmp_path / "deployment", "lago", edit)
    base = edits.write(tmp_path / "base", "lago")
    given = [str(base) if word == "BASE" else word for word in options]
    if waivers:
        (tmp_path / "waivers.toml").write_text(waivers)
        given += ["--waivers", str(tmp_path / "waivers.toml")]
    (tmp_path / "pytest").mkdir()
    by_pytest = gate_by_pytest(tmp_path / "pytest", "--compose-file", path, *given, GITHUB_ACTIONS="true")
    alone = gate(tmp_path, path, *given, GITHUB_ACTIONS="true")
    assert (alone.returncode, by_pytest.returncode) == (code, code), alone.stdout + alone.stderr
    if code == 4:
        assert alone.stderr.removeprefix("lago-gate: ").strip() in by_pytest.stderr
        return
    for name in ("gate.json", "gate.sarif"):
        assert (tmp_path / "reports" / name).read_bytes() == (
            tmp_path / "pytest" / "reports" / name
        ).read_bytes()
    for line in filter(None, alone.stdout.splitlines()):
        assert line in by_pytest.stdout.splitlines()
    assert "gate: 1 file, " in alone.stdout
