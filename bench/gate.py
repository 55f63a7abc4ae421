"""The gate's time beside what it stands on, and how many planted defects it and general linters report."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lago_acceptance.compose import binary
from lago_acceptance.options import ROOT, SHIPPED_COMPOSE_FILE

sys.path.insert(0, str(ROOT / "selftest"))
REPEATS = 7


def seconds(*command: str) -> float:
    """The median wall time of a command, warm."""
    times = []
    for _ in range(REPEATS):
        started = time.monotonic()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
        times.append(time.monotonic() - started)
    return statistics.median(times)


def main() -> None:
    """Prints the times and the table of planted defects."""
    import corpus_files

    gate = (sys.executable, "-m", "pytest", "-m", "gate")
    with tempfile.TemporaryDirectory() as folder:
        one = seconds(*gate, f"--compose-file={SHIPPED_COMPOSE_FILE}", f"--reports={folder}")
        python = seconds(sys.executable, "-c", "pass")
        config = seconds(binary(), "-f", str(corpus_files.write(Path(folder) / "config", "lago")), "config", "-q", "--no-interpolate")
        print(f"one file: {one:.2f} s (at most 0.90); above python and compose config {one - python - config:.2f} s (at most 0.30)")
        cases = corpus_files.cases()
        paths = [corpus_files.write(Path(folder) / "cases" / str(case.line), case.base, case.edits) for case in cases]
        fifty = [f"--compose-file={path}" for path in paths[:50]]
        started = time.monotonic()
        subprocess.run((*gate, *fifty, f"--reports={folder}"), cwd=ROOT, capture_output=True, check=False, timeout=120)
        print(f"fifty files: {time.monotonic() - started:.2f} s (at most 8)")
        _planted(cases, paths, Path(folder))


def _planted(cases: list, paths: list[Path], folder: Path) -> None:
    """A linter reports a defect when it says more about the changed file than about the healthy one."""
    import corpus_files

    healthy = {name: corpus_files.write(folder / "healthy" / name, name) for name in corpus_files.HEALTHY}
    linters = {"docker-compose config -q": (binary(), "-f", "{}", "config", "-q", "--no-interpolate")}
    for name, arguments in (("compose-lint", ("{}",)), ("dclint", ("{}",))):
        beside = Path(sys.executable).with_name(name)
        found = str(beside) if beside.exists() else shutil.which(name)
        if found:
            linters[name] = (found, *arguments)
        else:
            print(f"{name}: not installed here, so not compared")
    for name, command in linters.items():
        def said(path: Path, command: tuple[str, ...] = command) -> tuple[int, int]:
            ended = subprocess.run([word.replace("{}", str(path)) for word in command], capture_output=True, check=False, timeout=60)
            return ended.returncode, len((ended.stdout + ended.stderr).splitlines())

        before = {base: said(path) for base, path in healthy.items()}
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(said, paths))
        reported = sum(answer > before[case.base] for case, answer in zip(cases, answers, strict=True))
        print(f"{name}: {reported} of {len(cases)} planted defects")
    from lago_acceptance import settings
    from lago_acceptance.compose_source import load_all
    from lago_acceptance.gate import findings_of
    from lago_acceptance.rules import rules

    own = settings.load(ROOT / "settings.toml")
    hits = sum(bool(findings_of(rules()[case.rules[0]], [source], own)) for case, source in zip(cases, load_all(paths, None), strict=True))
    print(f"the gate: {hits} of {len(cases)} planted defects")
