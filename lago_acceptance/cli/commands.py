"""The commands of ``lago-acceptance``: each one's name, group, line in the help, and the module that runs it.

A command's module is loaded when the command is run or its help is shown, so that one that needs little starts fast.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from lago_acceptance.cli import parser_of
from lago_acceptance.core.verdicts import UsageError

CHECK, MANY, CHANGE = "check", "many hosts, every night", "change a deployment"
UNDERSTAND, HOUSEKEEPING = "understand a result", "housekeeping"

# Modules that are there only where an extra is installed.
_LIVE = ("pytest", "testinfra", "httpx", "dns")
EXTRAS = {
    "live": _LIVE,
    "nightly": _LIVE,
    "stack": (*_LIVE, "docker", "filelock", "testcontainers", "trustme"),
    "completion": ("shtab", "pytest"),
}


class Command(NamedTuple):
    """A command. ``module`` is below cli/; its ``function`` takes the arguments and returns the exit code.

    ``extra`` is what must be installed beside the gate, "" for nothing.
    """

    name: str
    takes: str
    group: str
    title: str
    module: str
    function: str = "run"
    extra: str = ""

    def run(self, arguments: list[str]) -> int:
        """The exit code of the command. UsageError where its extra is not installed."""
        if missing := [name for name in EXTRAS.get(self.extra, ()) if find_spec(name) is None]:
            raise UsageError(
                f"{self.name} needs more than the gate ({', '.join(missing)} not found): "
                f"pip install 'lago-acceptance[{self.extra}]'"
            )
        return self._loaded()(arguments)

    def parser(self) -> argparse.ArgumentParser:
        """The parser of the command's arguments."""
        return parser_of(self._loaded())

    def _loaded(self) -> Callable[[list[str]], int]:
        function: Callable[[list[str]], int] = getattr(
            import_module(f"lago_acceptance.cli.{self.module}"), self.function
        )
        return function


COMMANDS = {
    each.name: each
    for each in (
        Command("gate", "FILE...", CHECK, "judge compose files, as lago-gate does", "gate"),
        Command("smoke", "", CHECK, "bring the deployment up here and check it", "by_pytest", "smoke", "stack"),
        Command("live", "HOST...", CHECK, "check running deployments, read-only", "by_pytest", "live", "live"),
        Command("nightly", "HOST...", MANY, "check hosts on a schedule, send alarms", "nightly", extra="nightly"),
        Command("merge", "DIR...", MANY, "merge the reports of several machines", "merge", extra="live"),
        Command("history", "[HOST]", MANY, "show how earlier runs ended", "history"),
        Command("upgrade-check", "HOST [TO]", CHECK, "say what an upgrade needs first", "upgrade_check", extra="live"),
        Command("deploy", "HOST [DIR]", CHANGE, "deploy, check, roll back if red", "by_pytest", "deploy", "live"),
        Command("status", "HOST", CHANGE, "show deploys and backups; changes nothing", "deploy", "status", "live"),
        Command("rollback", "HOST", CHANGE, "return to what ran before", "deploy", "rollback", "live"),
        Command("provision", "[FOLDER]", CHANGE, "make .env.lago and the RSA key", "provision"),
        Command("rehearse", "HOST|DUMP", CHANGE, "restore a dump beside production", "rehearse", extra="stack"),
        Command("api-key", "HOST", CHANGE, "list Lago's API keys, or replace one", "api_key", extra="live"),
        Command("admin-password", "HOST", CHANGE, "set a user's password", "admin_password", extra="live"),
        Command("settings", "[FILE|HOST]", UNDERSTAND, "print what a deployment says of itself", "settings"),
        Command("upgrade-path", "FROM TO", UNDERSTAND, "print the way to a later Lago", "upgrade_path"),
        Command("explain", "[ID]", UNDERSTAND, "print the page on a finding", "register", "explain"),
        Command("report", "", UNDERSTAND, "build Allure's report from the newest runs", "report", extra="live"),
        Command("list", "", UNDERSTAND, "list all finding ids by phase", "register", "listing"),
        Command("images", "", HOUSEKEEPING, "build missing stand-in images", "images", extra="stack"),
        Command("completion", "SHELL", HOUSEKEEPING, "print a shell completion script", "completion", extra="completion"),
        Command("version", "", HOUSEKEEPING, "print the versions in use", "version"),
    )
}  # fmt: skip


def in_groups() -> str:
    """The commands for ``--help``, one on a line, under the names of their groups."""
    lines = []
    width = max(len(f"{each.name} {each.takes}") for each in COMMANDS.values())
    for group in dict.fromkeys(each.group for each in COMMANDS.values()):
        lines += ["", f"{group}:"]
        lines += [
            f"  {f'{each.name} {each.takes}':{width}}  {each.title}"
            for each in COMMANDS.values()
            if each.group == group
        ]
    return "\n".join(lines[1:])
