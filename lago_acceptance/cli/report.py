"""Placeholder."""

from lago_acceptance.cli import Parser


def run(given):
    Parser(prog="lago-acceptance report").parse_args(given)
    return 0
