"""The gate's time beside what it stands on, and how many planted defects it and general linters report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import _linters
from bench._measuring import machine, seconds
from lago_acceptance.core.resources import ROOT, SHIPPED_COMPOSE_FILE

ROUNDS = 9
ONE, ABOVE, FIFTY = 0.9, 0.3, 8.0


def gate(*command: str) -> Callable[[], object]:
    """The gate as people start it, in the project's folder."""
    return lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)


def main(folder: Path) -> None:
    """Prints the times, and the table of planted defects."""
    from tests.support import corpus

    healthy = {case.name: case.write(folder / "healthy" / case.name) for case in corpus.healthy_cases()}
    cases = corpus.cases()
    paths = [case.write(folder / "cases" / case.name) for case in cases]
    linters: list[_linters.Linter] = []
    for make in (
        lambda: _linters.config([*healthy.values(), *paths]),
        _linters.compose_lint,
        _linters.dclint,
    ):
        try:
            linters.append(make())
        except _linters.Unavailable as reason:
            print(f"not compared: {reason}")
    machine()
    _times(folder, healthy["lago"], paths[:50], linters)
    _planted(cases, paths, healthy, linters)


def _times(folder: Path, one: Path, fifty: list[Path], linters: list[_linters.Linter]) -> None:
    config, python = seconds(
        lambda: linters[0].run([one]),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=False),
        rounds=ROUNDS,
    )
    reports = f"--reports={folder / 'reports'}"
    print(f"one file: docker-compose config -q {config:.2f} s, python -c pass {python:.2f} s")
    pytest = (str(Path(sys.executable).with_name("pytest")), "-m", "gate", reports)
    inside = str(SHIPPED_COMPOSE_FILE.relative_to(ROOT))
    for spelling, command in {
        "pytest --compose-file FILE, inside": (*pytest, "--compose-file", inside),
        "pytest --compose-file FILE, elsewhere": (*pytest, "--compose-file", str(one)),
        "pytest --compose-file=FILE": (*pytest, f"--compose-file={one}"),
        "pytest -c pytest.ini --compose-file FILE": (*pytest, "-c", "pytest.ini", "--compose-file", str(one)),
        "bin/gate FILE": ("bin/gate", reports, str(one)),
    }.items():
        [taken] = seconds(gate(*command), rounds=ROUNDS)
        print(
            f"one file, {spelling}: {taken:.2f} s (at most {ONE}), {taken - config - python:.2f} s above both "
            f"(at most {ABOVE}), {taken / config:.1f} of config -q"
        )
    for linter in linters[1:]:
        [taken] = seconds(lambda linter=linter: linter.run([one]), rounds=ROUNDS)
        print(f"one file, {linter.name}: {taken:.2f} s, {taken / config:.1f} of config -q")
    [many] = seconds(lambda: [linters[0].run([path]) for path in fifty], rounds=1)
    print(f"fifty files: docker-compose config -q, one after the other {many:.2f} s")
    [taken] = seconds(gate(*pytest, *(f"--compose-file={path}" for path in fifty)), rounds=3)
    print(f"fifty files, the gate: {taken:.2f} s (at most {FIFTY:.0f}), {taken / many:.1f} of config -q")
    for linter in linters[1:]:
        [taken] = seconds(lambda linter=linter: linter.run(fifty), rounds=1)
        print(f"fifty files, {linter.name}: {taken:.2f} s, {taken / many:.1f} of config -q")


def _planted(
    cases: list, paths: list[Path], healthy: dict[str, Path], linters: list[_linters.Linter]
) -> None:
    """A linter reports a defect when it says something of the changed file that it doesn't say of the healthy one."""
    from lago_acceptance.composefile.loader import load_all
    from lago_acceptance.core import settings
    from lago_acceptance.gate.engine import findings_of
    from lago_acceptance.rules import rules

    for linter in linters:
        try:
            said = linter.said([*healthy.values(), *paths])
        except (subprocess.TimeoutExpired, ValueError, OSError) as error:
            print(
                f"planted defects, {linter.name}: not known, for it did not answer ({type(error).__name__})"
            )
            continue
        reported = sum(
            bool(said[path] - said[healthy[case.base]]) for case, path in zip(cases, paths, strict=True)
        )
        print(f"planted defects, {linter.name}: {reported} of {len(cases)}")
    own = settings.load(ROOT / "settings.toml")
    hits = sum(
        bool(findings_of(rules()[case.rule], [source], own))
        for case, source in zip(cases, load_all(paths, None), strict=True)
    )
    print(f"planted defects, the gate, by the very rule: {hits} of {len(cases)}")
