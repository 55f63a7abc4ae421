"""The gate's time beside what it stands on, and how many planted defects it and general linters report."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench import _linters
from bench._measuring import DEADLINE, line, machine, seconds
from lago_acceptance.core.resources import ROOT, SETTINGS, SHIPPED_COMPOSE_FILE

ROUNDS = 11
# Of the time that docker-compose config -q takes for the same file.
PROMISED = 3.5
# Of fifty of them, one after the other.
PROMISED_OF_FIFTY = 0.6


def gate(program: str, *arguments: str) -> Callable[[], object]:
    """A program of this environment, started in the project's folder as people start it."""
    command = (str(Path(sys.executable).with_name(program)), *arguments)
    return lambda: subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=DEADLINE)


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
    compose, reports = linters[0], f"--reports={folder / 'reports'}"
    alone = gate("lago-gate", reports, str(one))
    config, python, taken = seconds(
        lambda: compose.run([one]), gate(Path(sys.executable).name, "-c", "pass"), alone, rounds=ROUNDS
    )
    line("one file, docker-compose config -q", f"{config:.3f} s")
    line("python -c pass", f"{python:.3f} s")
    line("one file, lago-gate FILE", f"{taken:.3f} s")
    line("lago-gate beside config -q", f"{taken / config:.1f} times", f"at most {PROMISED} times")
    inside = str(SHIPPED_COMPOSE_FILE.relative_to(ROOT))
    for spelling, arguments in {
        "--compose-file FILE, inside": ("--compose-file", inside),
        "--compose-file FILE, elsewhere": ("--compose-file", str(one)),
        "-c pytest.ini --compose-file FILE": ("-c", "pytest.ini", "--compose-file", str(one)),
    }.items():
        command = gate("pytest", "-m", "gate", reports, *arguments)
        config, taken = seconds(lambda: compose.run([one]), command, rounds=ROUNDS)
        line(f"one file, pytest -m gate {spelling}", f"{taken:.3f} s", f"{taken / config:.1f} times")
    for linter in linters[1:]:
        config, taken = seconds(
            lambda: compose.run([one]), lambda linter=linter: linter.run([one]), rounds=ROUNDS
        )
        line(f"one file, {linter.name}", f"{taken:.3f} s", f"{taken / config:.1f} times")
    many, taken = seconds(
        lambda: [compose.run([path]) for path in fifty],
        gate("lago-gate", reports, *map(str, fifty)),
        rounds=3,
    )
    line("fifty files, docker-compose config -q, one after the other", f"{many:.2f} s")
    line("fifty files, lago-gate", f"{taken:.2f} s")
    line("lago-gate beside fifty", f"{taken / many:.2f} times", f"at most {PROMISED_OF_FIFTY} times")
    for linter in linters[1:]:
        [taken] = seconds(lambda linter=linter: linter.run(fifty), rounds=1)
        line(f"fifty files, {linter.name}", f"{taken:.2f} s", f"{taken / many:.1f} times")


def _planted(
    cases: list, paths: list[Path], healthy: dict[str, Path], linters: list[_linters.Linter]
) -> None:
    """A linter reports a defect when it says something of the changed file that it doesn't say of the healthy one."""
    from lago_acceptance.core import settings
    from lago_acceptance.gate.engine import found_in
    from tests.support.gate import load_all

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
    own = settings.load(SETTINGS)
    hits = sum(
        bool(found_in(source, own)[case.rule]) for case, source in zip(cases, load_all(paths), strict=True)
    )
    print(f"planted defects, the gate, by the very rule: {hits} of {len(cases)}")
