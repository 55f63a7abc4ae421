"""Which hosts there are: an Ansible inventory, or a list in TOML."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.core.printable import one_line
from lago_acceptance.core.user_files import content, toml, unusable
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.fleet.target import Target

# A range such as host[1:999999999] would take all memory.
AT_MOST_MIB, AT_MOST_SECONDS = 1024, 60
# Bytes of an inventory: one of 10,000 hosts has a tenth of it.
LARGEST = 16 * 2**20
# Variables of an inventory's hosts and groups that are files and names of this suite, beside Ansible's own.
OWN = "lago_acceptance_"
# Files alone: neither a script nor a plugin of a cloud is run.
_FORMS = "yaml,ini,host_list"


class _Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    address: str
    settings: str = ""
    project: str = ""
    ca_file: str = ""
    ssh_config: str = ""
    identity: str = ""
    groups: tuple[str, ...] = ()


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: tuple[_Host, ...]


def read(file: Path, limit: str = "") -> tuple[Target, ...]:
    """The hosts of an inventory, or those of a group of it. UsageError where it can't be used, or holds none.

    Paths in it are relative to its folder.
    """
    if problem := unusable(file):
        raise UsageError(f"--inventory {file} {problem}")
    found = _toml(file, limit) if file.suffix == ".toml" else _ansible(file, limit)
    if not found:
        raise UsageError(f"--inventory {file} names no host{f' of {limit}' if limit else ''}")
    return found


def _toml(file: Path, limit: str) -> tuple[Target, ...]:
    try:
        hosts = toml("--inventory", file, _List, LARGEST).host
    except UsageError as error:
        raise UsageError(
            f'{one_line(str(error))}; write [[host]] and address = "ssh://root@HOST" for each'
        ) from error
    groups = {group for host in hosts for group in host.groups}
    if limit and limit not in groups:
        there = (
            f"; there are: {', '.join(sorted(groups))}" if groups else ", because no host names any groups"
        )
        raise UsageError(f"--limit {limit}: {file} has no such group{there}")
    return tuple(
        Target(
            address=host.address,
            project=host.project,
            settings=_path(host.settings, file),
            ca_file=_path(host.ca_file, file),
            ssh_config=_path(host.ssh_config, file),
            identity=_path(host.identity, file),
        )
        for host in hosts
        if not limit or limit in host.groups
    )


def _ansible(file: Path, limit: str) -> tuple[Target, ...]:
    if limit.startswith("@"):
        raise UsageError(f"--limit {limit}: a file of names is not read; name a group or a host")
    if "," in str(file.absolute()):
        raise UsageError(
            f"--inventory {file} has a comma in its path, which Ansible takes for a list of names; rename it"
        )
    try:
        content("--inventory", file, LARGEST).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"--inventory {file} is not UTF-8 text (byte {error.start + 1})") from error
    listed = _parsed(file, limit)
    variables = listed.get("_meta", {}).get("hostvars", {})
    names = {name for group, each in listed.items() if group != "_meta" for name in each.get("hosts", ())}
    return tuple(_target(file, name, variables.get(name, {})) for name in sorted(names, key=_in_order))


def _in_order(name: str) -> tuple[int, str]:
    """web9 before web10."""
    digits = "".join(letter for letter in name if letter.isdecimal())
    return len(name) if digits else 0, name


def _parsed(file: Path, limit: str) -> dict[str, Any]:
    """What ansible-core's own parser reads, in a process of its own that finds no configuration and no plugin."""
    with tempfile.TemporaryDirectory() as empty:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        configuration = Path(empty) / "ansible.cfg"
        configuration.touch()
        own = {
            "ANSIBLE_HOME": empty,
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_INVENTORY_ENABLED": _FORMS,
            "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
            "ANSIBLE_INVENTORY_PLUGINS": empty,
            "ANSIBLE_VARS_PLUGINS": empty,
            "ANSIBLE_COLLECTIONS_PATH": empty,
            "ANSIBLE_NOCOLOR": "1",
            # Ansible refuses any other.
            "LC_ALL": "C.UTF-8",
        }
        command = [sys.executable, "-m", "ansible", "inventory", "--list", "-i", str(file.absolute())]
        try:
            ended = subprocess.run(
                [*_bounded(), *command, *([f"--limit={limit}"] if limit else [])],
                cwd=empty,
                env=kept | own,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=AT_MOST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"--inventory {file} took longer than {AT_MOST_SECONDS} s to read") from error
    if ended.returncode:
        raise UsageError(_refused(file, limit, ended.stderr.decode("utf-8", "replace")))
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def _bounded() -> list[str]:
    return ["sh", "-c", f'ulimit -v {AT_MOST_MIB * 1024}; exec "$@"', "sh"]


def _refused(file: Path, limit: str, said: str) -> str:
    if "No module named" in said:
        return f"--inventory {file} needs ansible-core: pip install 'lago-acceptance[nightly]'"
    if "MemoryError" in said:
        return f"--inventory {file} names too many hosts: it takes more than {AT_MOST_MIB} MiB to read"
    if limit and ("no hosts to target" in said or "Could not match" in said):
        return f"--limit {limit}: no host or group of {file} matches"
    errors = [line for line in said.splitlines() if line.startswith(("[ERROR]", "ERROR"))] or [said]
    # It tries each form, and says last that none has fitted.
    form = "yaml" if file.suffix in (".yml", ".yaml", ".json") else "ini"
    if why := re.search(rf"Failed to parse inventory with '{form}' plugin: (.+)", said):
        # What it got instead may be a piece of a password.
        errors = [why[1].removeprefix("Failed to parse inventory: ").partition(", got: ")[0]]
    return (
        f"--inventory {file} can't be read by Ansible's parser (INI and YAML are; no script and no plugin is run): "
        f"{one_line(errors[0])[:300]}"
    )


def _target(file: Path, name: str, variables: dict[str, Any]) -> Target:
    def variable(*names: str) -> str:
        found = next((variables[each] for each in names if variables.get(each) not in (None, "")), "")
        text = str(found)
        if isinstance(found, dict | list) or "{{" in text or "{%" in text:
            raise UsageError(f"{names[0]} of {name} in {file} is computed by Ansible; write the value itself")
        return text

    if (connection := variable("ansible_connection")) not in ("", "ssh", "smart", "ansible.builtin.ssh"):
        raise UsageError(
            f"{name} in {file} is reached by {connection}, but live hosts are reached only by ssh"
        )
    host = variable("ansible_host", "ansible_ssh_host") or name
    user = variable("ansible_user", "ansible_ssh_user")
    port = variable("ansible_port", "ansible_ssh_port")
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return Target(
        address=f"ssh://{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}",
        settings=_path(variable(f"{OWN}settings"), file),
        project=variable(f"{OWN}project"),
        ca_file=_path(variable(f"{OWN}ca_file"), file),
        ssh_config=_path(variable(f"{OWN}ssh_config"), file),
        identity=_path(variable("ansible_ssh_private_key_file", "ansible_private_key_file"), file),
    )


def _path(text: str, beside: Path) -> Path | None:
    return beside.absolute().parent / os.path.expanduser(text) if text else None
