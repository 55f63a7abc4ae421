"""The options of a run, validated."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Literal

import msgspec

from lago_acceptance.core.resources import SETTINGS, SHIPPED_COMPOSE_FILE
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import UsageError

# Which images a stack runs: upstream's with stand-ins where they are missing, upstream's only, or stand-ins only.
Images = Literal["auto", "upstream", "standins"]

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[\\s!-~]+?-----END CERTIFICATE-----")


def unusable(file: Path) -> str:
    """Why a file that an option names can't be read, "" where it can."""
    if os.path.isdir(file):
        return "is a folder"
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "is not a regular file"
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"can't be read: {getattr(error, 'strerror', None) or error}"
    return "" if os.access(file, os.R_OK) else "can't be read: this account may not read it"


def roots_of(ca_file: Path | None) -> str | None:
    """The root certificates of --ca-file as PEM, None without it. UsageError where it holds none."""
    if ca_file is None:
        return None
    import ssl

    try:
        # Remarks between certificates may be in any language.
        found = _CERTIFICATE.findall(ca_file.read_text("utf-8", "replace"))
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--ca-file {ca_file} holds no certificates that can be used: give root certificates as PEM, each "
            "from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        ) from error
    return "\n".join(found) + "\n"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one run. ``compose_files``: one file for a stack; for the gate also several, and folders.

    ``scheduled``: the run was started by a timer; ``history`` is the file of earlier runs, None for the one in ``reports``,
    ``history_on_host`` the path of one that lies on the live host, "" for none.
    """

    reports: Path
    target: str = "stack"
    hosts: tuple[str, ...] = ()
    compose_files: tuple[Path, ...] = (SHIPPED_COMPOSE_FILE,)
    env_file: Path | None = None
    settings: Path = SETTINGS
    images: Images = "auto"
    keep: bool = False
    deadline: float = 180
    ssh_config: Path | None = None
    ca_file: Path | None = None
    project: str = ""
    waivers: Path | None = None
    allow_writes: bool = False
    api_key_file: Path | None = None
    allow_mount: tuple[Path, ...] = ()
    scheduled: bool = False
    history: Path | None = None
    history_on_host: str = ""

    def __post_init__(self) -> None:
        # Compose resolves relative paths against its project's folder.
        msgspec.structs.force_setattr(self, "reports", self.reports.absolute())

    @property
    def compose_file(self) -> Path:
        """The one compose file that a stack is started from."""
        if len(self.compose_files) != 1:
            raise UsageError(
                "a stack is started from one --compose-file; only the gate (-m gate) takes several"
            )
        return self.compose_files[0]

    def given_key(self) -> Secret | None:
        """The organization's API key that the user passes: by --api-key-file, else by LAGO_API_KEY."""
        text = (
            self.api_key_file.read_text("utf-8", "replace")
            if self.api_key_file
            else os.environ.get("LAGO_API_KEY", "")
        )
        key = text.strip()
        if key and not re.fullmatch(r"[!-~]+", key):
            where = (
                f"--api-key-file {self.api_key_file}" if self.api_key_file else "the variable LAGO_API_KEY"
            )
            raise UsageError(f"{where} holds more than one word, or characters that no API key has")
        return Secret(key) if key else None

    def roots(self) -> str | None:
        """The root certificates of --ca-file as PEM, None without it. UsageError where it holds none."""
        return roots_of(self.ca_file)

    def check(self) -> None:
        """UsageError, in one sentence, if options contradict each other or name files that can't be used."""
        if self.target == "live" and not self.hosts:
            raise UsageError("--target live needs --hosts ssh://root@HOST")
        if self.target != "live" and self.hosts:
            raise UsageError("--hosts needs --target live; a stack always runs on this machine")
        if self.target != "live" and (self.ssh_config or self.ca_file or self.project):
            raise UsageError("--ssh-config, --ca-file and --project need --target live")
        if self.target != "live" and self.allow_writes:
            raise UsageError("--allow-writes needs --target live; on a stack, writing is always allowed")
        if self.target == "live" and self.allow_mount:
            raise UsageError("--allow-mount needs --target stack; a live host's mounts are not changed")
        for path in self.allow_mount:
            if not path.exists():
                raise UsageError(
                    f"--allow-mount {path} does not exist; give a file or folder of this machine"
                )
        files = (
            ("--ssh-config", self.ssh_config),
            ("--ca-file", self.ca_file),
            ("--waivers", self.waivers),
            ("--api-key-file", self.api_key_file),
            ("--env-file", self.env_file),
            ("--settings", self.settings),
        )
        for option, file in files:
            if file and (problem := unusable(file)):
                raise UsageError(f"{option} {file} {problem}")
        self.roots()
        if self.project and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", self.project):
            raise UsageError(
                f"--project {self.project!r} is no project of Compose: a name has lower-case letters, digits, hyphens and "
                "underscores only"
            )
        if self.history_on_host:
            self._check_history_on_host()
        above = next(each for each in (self.reports, *self.reports.absolute().parents) if each.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise UsageError(
                f"--reports {self.reports} can't be written: {above} is "
                f"{'not writable' if above.is_dir() else 'not a folder'}; choose another folder with --reports"
            )
        if not 0 < self.deadline < float("inf"):
            raise UsageError(f"--deadline {self.deadline:g} is not a time limit; give seconds, such as 180")

    def _check_history_on_host(self) -> None:
        if self.target != "live" or self.history:
            raise UsageError("--history-on-host needs --target live, and is used instead of --history")
        path = self.history_on_host
        if not path.startswith("/") or path.endswith("/") or not path.isprintable():
            raise UsageError(
                f"--history-on-host {path!r} is no file: write the whole path on the host, such as "
                "/var/lib/lago-acceptance/history.sqlite3"
            )
