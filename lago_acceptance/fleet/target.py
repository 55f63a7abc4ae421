"""One host of many: where it is, and what is special about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from lago_acceptance.core.user_files import unusable
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.hosts.address import parse


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A host to look at: ``address`` is ssh://[user@]host[:port]. What is None or "" is what the command line says.

    ``identity`` is the file of the private key that it is entered with.
    """

    address: str
    settings: Path | None = None
    project: str = ""
    ca_file: Path | None = None
    ssh_config: Path | None = None
    identity: Path | None = None

    @property
    def name(self) -> str:
        """The address without its scheme, as reports name it, and the project where one is named."""
        return f"{self.address.removeprefix('ssh://')} {self.project}".strip()

    @property
    def folder(self) -> str:
        """The name of its folder of reports."""
        return re.sub(r"[^A-Za-z0-9.@-]+", "_", self.name)

    @property
    def options(self) -> list[str]:
        """The options of a run against it. Of an option that is given twice the last one counts."""
        given = {
            "--hosts": self.address,
            "--settings": self.settings,
            "--project": self.project,
            "--ca-file": self.ca_file,
            "--ssh-config": self.ssh_config,
        }
        return [word for option, value in given.items() if value for word in (option, str(value))]


def checked(targets: Iterable[Target]) -> tuple[Target, ...]:
    """The same targets, with their addresses in one form. UsageError where one can't be used, or is there twice."""
    folders: dict[str, Target] = {}
    for given in targets:
        target = msgspec.structs.replace(given, address=parse(given.address).spec)
        files = (
            ("settings", target.settings),
            ("ca_file", target.ca_file),
            ("ssh_config", target.ssh_config),
            ("private key", target.identity),
        )
        for what, file in files:
            if file and (problem := unusable(file)):
                raise UsageError(f"the {what} of {target.address}, {file}, {problem}")
        other = folders.setdefault(target.folder, target)
        if other is not target:
            raise UsageError(
                f"{target.address} is named twice; leave one out"
                if other.name == target.name
                else f"{other.name} and {target.name} would share the folder of reports {target.folder}; "
                "give one of them an alias in ssh_config"
            )
    return tuple(folders.values())


def part_of(targets: tuple[Target, ...], part: str) -> tuple[Target, ...]:
    """Of all targets those of one part: ``0/4`` is every fourth, beginning with the first. UsageError for anything else."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", part, re.ASCII)
    if not found or int(found[1]) >= int(found[2]):
        raise UsageError(f"--part {part} is not a part; the parts of four are 0/4, 1/4, 2/4 and 3/4")
    if not (mine := targets[int(found[1]) :: int(found[2])]):
        raise UsageError(f"--part {part}: there are more parts than hosts ({len(targets)}); use fewer parts")
    return mine
