"""The shells complete commands, options, files and finding ids, by the script that ``completion`` prints."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.cli.commands import COMMANDS
from tests.support import signals
from tests.support.patience import PATIENCE

# What bash does at the tab key: it calls the function that the script has named, and reads COMPREPLY.
TAB = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
function_name=$(complete -p lago-acceptance | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$function_name" lago-acceptance "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    (folder / "there.pem").write_text("")
    with signals.watched(), open(folder / "bash", "w") as file, pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", file)
        assert suite.main(["completion", "bash"]) == 0
    return folder / "bash"


def completed(script: Path, line: str) -> list[str]:
    ended = subprocess.run(
        ["bash", "-c", TAB, "bash", str(script), *line.split(" ")],
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert ended.stderr == ""
    return ended.stdout.split()


def test_bash_completes_each_command(script):
    assert set(COMMANDS) <= set(completed(script, "lago-acceptance "))
    assert completed(script, "lago-acceptance pro") == ["provision"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("lago-acceptance smoke --keep --ima", "--images"),
        ("lago-acceptance smoke --images u", "upstream"),
        ("lago-acceptance live --ca-file th", "there.pem"),
        ("lago-acceptance deploy --pl", "--plan"),
        ("lago-acceptance gate --str", "--strict"),
        ("lago-acceptance gate --explain no-clock", "no-clock-service"),
        ("lago-acceptance explain no-clock", "no-clock-service"),
        ("lago-acceptance deploy --despite rsa-key-cha", "rsa-key-changed"),
        ("lago-acceptance completion z", "zsh"),
    ],
)
def test_bash_completes(line, wanted, script):
    assert completed(script, line) == [wanted]


def test_bash_offers_nothing_of_another_command(script):
    assert completed(script, "lago-acceptance status --pla") == []


@pytest.mark.parametrize(("shell", "first"), [("zsh", "#compdef lago-acceptance"), ("fish", "")])
def test_other_shells_have_each_command_too(shell, first, capsys):
    with signals.watched():
        assert suite.main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(first)
    assert [name for name in COMMANDS if name not in printed] == []
    assert "no-clock-service" in printed
