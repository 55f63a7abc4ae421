"""``lago-acceptance live HOST...``: are these deployments healthy? Changes nothing there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lago_acceptance.cli import many
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet import run as fleet


def run(arguments: Sequence[str], pytest: Callable[[list[str]], int]) -> int:
    """One command line of it; ``pytest`` runs the suite with the options that it is given."""
    return many.as_plugin(lambda words: _run(words, pytest), arguments)


def _run(arguments: Sequence[str], pytest: Callable[[list[str]], int]) -> int:
    parser = many.parser("live", "Checks running deployments; changes nothing there.")
    given, rest = many.parse(parser, arguments)
    if not given.targets:
        raise UsageError("no host given: lago-acceptance live ssh://root@HOST [OPTION...]")
    if not (given.inventory or given.part or given.nagios or given.metrics):
        return pytest(_plain(list(arguments)))
    how = many.look(given, rest)
    write = many.aside if given.nagios else many.say
    summaries = fleet.look(given.targets, how, write)
    code = fleet.finish(given.targets, summaries, how, write)
    return many.publish(given, summaries, how.history_file, code)


def _plain(words: list[str]) -> list[str]:
    """The options of pytest: hosts that are named first become --hosts."""
    first = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    hosts = ["--hosts", ",".join(words[:first])] if first else []
    return ["--target", "live", *hosts, *words[first:]]
