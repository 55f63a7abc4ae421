"""The options of a run, validated."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import msgspec

from lago_acceptance.core import user_files
from lago_acceptance.core.resources import SHIPPED_COMPOSE_FILE
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import UsageError

# Which images a stack runs: upstream's with stand-ins where they are missing, upstream's only, or stand-ins only.
Images = Literal["auto", "upstream", "standins"]

LARGEST_CA_FILE, LARGEST_KEY_FILE = 2**24, 2**12
DAY = 24 * 60 * 60

# Options that one target alone has a use for, with the reason that the others have none.
STACK_ALONE = {
    "--compose-file": "a live host is judged by its own files and containers",
    "--overlay": "a live host is judged by its own files and containers",
    "--env-file": "a live host is judged by its containers' own variables",
    "--images": "a live host runs its own images",
    "--keep": "a live host is never taken down",
    "--deadline": "it limits how long a stack may take to come up, and a live host is already up",
    "--allow-mount": "a live host's mounts are not changed",
    "--gateway-file": "a live host has its own gateway",
}
LIVE_ALONE = {
    "--hosts": "a stack always runs on this machine",
    "--ssh-config": "a stack is not reached by ssh",
    "--ca-file": "a stack has its own certificate authority",
    "--project": "a stack is its own project",
    "--allow-writes": "a stack can always be written to",
    "--scheduled": "it compares with the last run against the same host, and each stack is new",
    "--upgrade-to": "a stack holds no data that an upgrade could fail on",
    "--history-on-host": "a stack's history is on this machine",
}
# What the gate has no use for, beside what only a live host can have.
NOT_OF_GATE = (
    *(each for each in STACK_ALONE if each not in ("--compose-file", "--overlay", "--env-file")),
    *LIVE_ALONE,
    "--api-key-file",
    "--plans",
    "--seed",
    "--reseed",
    "--history",
)

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----[\\s!-~]+?-----END CERTIFICATE-----")


def certificates_in(text: str) -> list[str]:
    """The certificates in a text, each as PEM."""
    return _CERTIFICATE.findall(text)


def roots_of(ca_file: Path | None) -> str | None:
    """The root certificates of --ca-file as PEM, None without it. UsageError where it holds none."""
    if ca_file is None:
        return None
    import ssl

    try:
        # Remarks between certificates may be in any language.
        text = user_files.content("--ca-file", ca_file, LARGEST_CA_FILE).decode("utf-8", "replace")
        found = certificates_in(text)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata="\n".join(found))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--ca-file {ca_file} holds no certificates that can be used: give root certificates as PEM, each "
            "from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
        ) from error
    return "\n".join(found) + "\n"


def no_name(name: str) -> str:
    """Why a name is none of a Compose project, a stack or a container, "" where it may be one."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        return ""
    return f"{name!r} is no name of a project, which has only letters, digits, hyphens, underscores and dots"


def no_project(name: str) -> str:
    """Why a name is none of a Compose project, "" where it is one."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        return ""
    return f"{name!r} is not a Compose project name, which has only lower-case letters, digits, hyphens and underscores"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one run. ``compose_files``: one file for a stack; for the gate also several, and folders.
    ``overlays`` are laid over that one file, by the gate alone.

    ``scheduled``: the run was started by a timer; ``history`` is the file of earlier runs, None for the one in ``reports``,
    ``history_on_host`` the path of one that lies on the live host, "" for none. ``instead_of`` is the id of a run that this
    one repeats, and which is to be forgotten.
    ``upgrade_to`` is the release that an upgrade is checked for, "" for the next stop.
    ``gateway_file`` is a compose file that is laid over the testbed's own of the gateway beside a stack.
    ``given`` are the options that the user has written, with their dashes: a default is not in it.
    """

    reports: Path
    target: str = "stack"
    hosts: tuple[str, ...] = ()
    compose_files: tuple[Path, ...] = (SHIPPED_COMPOSE_FILE,)
    overlays: tuple[Path, ...] = ()
    env_file: Path | None = None
    settings: Path | None = None
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
    gateway_file: Path | None = None
    scheduled: bool = False
    history: Path | None = None
    history_on_host: str = ""
    instead_of: str = ""
    upgrade_to: str = ""
    given: frozenset[str] = frozenset()

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
        """The organization's API key that the user passes: by --api-key-file, else by LAGO_API_KEY. UsageError if it is none."""
        if file := self.api_key_file:
            where = f"--api-key-file {file}"
            text = user_files.content("--api-key-file", file, LARGEST_KEY_FILE).decode("utf-8-sig", "replace")
        else:
            where, text = "the variable LAGO_API_KEY", os.environ.get("LAGO_API_KEY", "")
        key = text.strip()
        if file and not key:
            raise UsageError(f"{where} is empty: write the organization's API key into it")
        if key and not re.fullmatch(r"[!-~]+", key):
            raise UsageError(f"{where} holds more than one word, or characters that no API key has")
        return Secret(key) if key else None

    def roots(self) -> str | None:
        """The root certificates of --ca-file as PEM, None without it. UsageError where it holds none."""
        return roots_of(self.ca_file)

    def check(self) -> None:
        """UsageError, in one sentence, if options contradict each other or name files that can't be used."""
        if self.target == "live" and not self.hosts:
            raise UsageError("--target live needs --hosts ssh://root@HOST")
        self._check_target()
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
            ("--gateway-file", self.gateway_file),
        )
        for option, file in files:
            if file and (problem := user_files.unusable(file)):
                raise UsageError(f"{option} {file} {problem}")
        self.roots()
        # On a live host it may also be a stack of Swarm's, or the name of a container.
        problem = no_name(self.project) if self.target == "live" else no_project(self.project)
        if self.project and problem:
            raise UsageError(f"--project {problem}")
        if self.history_on_host:
            self._check_history_on_host()
        if not 0 < self.deadline <= DAY:
            raise UsageError(
                f"--deadline {self.deadline:g} is not a time limit; give seconds, such as 180, and at most {DAY}"
            )

    def _check_target(self) -> None:
        """UsageError for an option that this run's target has no use for: it would be ignored without a word."""
        wrong, target = (STACK_ALONE, "stack") if self.target == "live" else (LIVE_ALONE, "live")
        for option, reason in wrong.items():
            if option in self.given:
                raise UsageError(f"{option} needs --target {target}: {reason}")

    def check_gate(self) -> None:
        """UsageError for an option that the gate (-m gate) has no use for."""
        for option in NOT_OF_GATE:
            if option in self.given:
                raise UsageError(
                    f"{option} does not belong to the gate (-m gate), which judges compose files alone: leave it out"
                )
        if self.target == "live":
            raise UsageError(
                "--target live does not belong to the gate (-m gate), which judges compose files alone"
            )

    def _check_history_on_host(self) -> None:
        check_history_on_host(self.history_on_host, self.history)


def check_history_on_host(path: str, history: Path | None) -> None:
    """UsageError where a history can't lie at a path on the host, or lies somewhere else as well."""
    if history:
        raise UsageError("--history-on-host is used instead of --history: leave one of them out")
    if not path.startswith("/") or path.endswith("/") or not path.isprintable():
        raise UsageError(
            f"--history-on-host {path!r} is not a file: give the full path on the host, such as "
            "/var/lib/lago-acceptance/history.sqlite3"
        )
