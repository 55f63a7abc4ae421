"""Whether a program gets the signals of its container's first process."""

from __future__ import annotations

import pytest

from lago_acceptance.shell.first_process import Signals, signals
from lago_acceptance.shell.words import name_of

SCRIPTS = {
    "/own.sh": "#!/bin/bash\nexport A=b\nexec server",
    "/child.sh": "#!/bin/bash\nserver",
    "/hands-on.sh": '#!/bin/sh\nset -e\nexec "$@"',
}


def program(words: tuple[str, ...]) -> Signals:
    return Signals.REACH if name_of(words[0]) == "server" else Signals.UNKNOWN


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("server",), Signals.REACH),
        (("tini", "--", "server"), Signals.REACH),
        (("env", "A=b", "/usr/bin/server"), Signals.REACH),
        (("bash", "-c", "server"), Signals.REACH),
        (("bash", "-ec", "sleep 1 && server"), Signals.REACH),
        (("bash", "-c", "export A=b; server"), Signals.REACH),
        (("bash", "-c", "server 2>&1"), Signals.LOST),
        (("bash", "-c", "server || exit 1"), Signals.LOST),
        (("bash", "-c", "false || server"), Signals.REACH),
        (("bash", "-c", "! server"), Signals.LOST),
        (("bash", "-c", "(server)"), Signals.LOST),
        (("bash", "-c", "{ server; }"), Signals.LOST),
        (("bash", "-c", "time server"), Signals.LOST),
        (("bash", "-c", "sleep 1 & server"), Signals.LOST),
        (("bash", "-lc", "server"), Signals.LOST),
        (("bash", "-lc", "exec server"), Signals.REACH),
        (("bash", "-c", "server; echo done"), Signals.LOST),
        (("bash", "-c", "server & wait"), Signals.LOST),
        (("bash", "-c", "server | tee /log"), Signals.LOST),
        (("bash", "-c", "trap 'kill 7' TERM; server & wait"), Signals.UNKNOWN),
        (("bash", "-c", "start() { server; }; start"), Signals.UNKNOWN),
        (("bash", "-c", "other"), Signals.UNKNOWN),
        (("sh", "-c", "server"), Signals.LOST),
        (("sh", "-c", "sleep 1; exec server"), Signals.REACH),
        (("sh", "-c", "if true; then exec server; fi"), Signals.REACH),
        (("sh", "-c", 'exec "$@"', "--", "server"), Signals.REACH),
        (("sh", "-c", '"$@"', "--", "server"), Signals.LOST),
        (("sh", "-c", "bash -c server"), Signals.LOST),
        (("sh", "-c", "exec bash -c server"), Signals.REACH),
        (("tini", "--", "sh", "-c", "server"), Signals.LOST),
        (("tini", "-g", "--", "sh", "-c", "server"), Signals.UNKNOWN),
        (("/own.sh",), Signals.REACH),
        (("bash", "/own.sh"), Signals.REACH),
        (("/child.sh",), Signals.LOST),
        (("/hands-on.sh", "server"), Signals.REACH),
        (("/hands-on.sh", "/child.sh"), Signals.LOST),
        (("bash", "-c", "server ("), Signals.UNKNOWN),
        ((), Signals.UNKNOWN),
    ],
)
def test_signals(words, expected):
    assert signals(words, program, SCRIPTS.get) is expected
