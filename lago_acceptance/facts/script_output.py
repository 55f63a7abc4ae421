"""What scripts/collect.sh has printed, by its sections."""

from __future__ import annotations

import re

from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable

BEGIN, END = "facts begin", "facts end"
_LINE = re.compile(r"([a-z-]+(?::\w+)?)([ +])(.*)", re.DOTALL)


class ScriptOutput:
    """The sections of the script's output. Whatever a login's profile prints before them is ignored.

    Unreachable where the output is not whole; ``host`` is the host's name.
    """

    def __init__(self, host: str, output: str):
        _, begun, rest = output.partition(BEGIN + "\n")
        printed, ended, _ = rest.rpartition(END)
        if not begun or not ended:
            said = redact((rest or output).strip()[-200:]) if not begun else "the output broke off"
            raise Unreachable(
                f"the facts of {host} did not arrive whole: {said or 'nothing came'}; try again"
            )
        collected: dict[str, list[str]] = {}
        for line in printed.split("\n"):
            if found := _LINE.match(line):
                name, sign, text = found.groups()
                collected.setdefault(name, []).append(text if sign == "+" else f"{text}\n")
        # Long lines are sent in pieces; a letter may have been cut in two.
        self._texts = {
            name: "".join(parts).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            for name, parts in collected.items()
        }

    def text(self, name: str) -> str:
        """The text of a section, "" where it printed nothing."""
        return self._texts.get(name, "")

    def named(self, prefix: str) -> dict[str, str]:
        """The texts of all sections whose names begin with a prefix, by the rest of their names."""
        return {
            name.removeprefix(prefix): text for name, text in self._texts.items() if name.startswith(prefix)
        }
