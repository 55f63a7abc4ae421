"""Faults of a running host, one after the other: which finding names each, whether it is the cause, what else is red."""

from __future__ import annotations

from pathlib import Path

from bench._measuring import machine
from tests.support.live import faults, lago
from tests.support.live.faults.every import FAULTS


def main(folder: Path) -> None:
    """The table of all faults. The host is judged without one at its end, and must be accepted."""
    machine()
    up = lago.bring_up(folder / "host")
    try:
        print(faults.HEAD)
        judged = []
        for number, fault in enumerate(FAULTS):
            judged.append(faults.judge(fault, up, folder / str(number)))
            print(judged[-1].row, flush=True)
    finally:
        lago.take_down(up)
    right = sum(each.names_cause for each in judged)
    alone = sum(len(each.others) <= 1 for each in judged)
    print(f"{len(judged)} faults: {right} named at their cause, {alone} with at most one other red")
