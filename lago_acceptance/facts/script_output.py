"""What scripts/collect.sh has printed, by its sections."""

from __future__ import annotations

import re
import secrets

from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable

_LINE = re.compile(r"([a-z-]+(?::\w+)?)([ +])(.*)", re.DOTALL)


def new_nonce() -> str:
    """A word that nothing on a host can know before the script of one reading runs there.

    A letter comes first, for awk takes digits with an e among them for a number.
    """
    return f"n{secrets.token_hex(16)}"


def begin(nonce: str) -> str:
    """The line before all sections."""
    return f"facts begin {nonce}\n"


def end(nonce: str) -> str:
    """The line behind all sections."""
    return f"facts end {nonce}\n"


class ScriptOutput:
    """The sections of the script's output. Whatever a login's profile prints around them is ignored.

    Unreachable where the output is not whole; ``host`` is the host's name, ``nonce`` the one that the script was given.
    """

    def __init__(self, host: str, output: str, nonce: str):
        _, begun, rest = output.partition(begin(nonce))
        printed, ended, _ = rest.partition(end(nonce))
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
