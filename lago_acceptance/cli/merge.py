"""Placeholder."""

from __future__ import annotations

from lago_acceptance.cli import Parser


def run(given: list[str]) -> int:
    """Nothing."""
    Parser(prog="lago-acceptance merge").parse_args(given)
    return 0
