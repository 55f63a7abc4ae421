"""The alarms file: where alarms, heartbeats and metrics are sent to. It holds secrets; docs/alarms.md describes it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec

from lago_acceptance.alarms import notify
from lago_acceptance.core import user_files
from lago_acceptance.core.looks_secret import looks_secret
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import Redactor, Secret
from lago_acceptance.core.verdicts import UsageError

VARIABLE = "LAGO_ACCEPTANCE_ALARMS"
# How systemd hands over what LoadCredential= names: a folder that only the service can read.
_CREDENTIALS, _CREDENTIAL = "CREDENTIALS_DIRECTORY", "alarms"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^;]*")
_TOKEN = re.compile(r"[A-Fa-f0-9-]{16,}|[A-Za-z0-9_-]{24,}")
Hours = Annotated[float, msgspec.Meta(gt=0, le=24 * 366)]


class AlarmSettings(msgspec.Struct, frozen=True):
    """Where to send what. ``targets`` are Apprise's URLs, ``heartbeat`` a URL of healthchecks.io's form or None, ``page``
    the public address of index.html, ``pushgateway`` that of a Prometheus Pushgateway, "" for none. ``repeat_hours``
    is how long a host stays red before the alarm comes again; ``warnings`` are sentences about the file itself.
    """

    targets: tuple[Secret, ...]
    heartbeat: Secret | None = None
    page: str = ""
    repeat_hours: float = 24
    pushgateway: str = ""
    warnings: tuple[str, ...] = ()


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is written."""

    targets: tuple[str, ...] = ()
    heartbeat: str = ""
    page: str = ""
    repeat_hours: Hours = 24
    pushgateway: str = ""


def load(file: Path | None) -> AlarmSettings | None:
    """The settings of ``file``, else of $LAGO_ACCEPTANCE_ALARMS, else of systemd's credential ``alarms``.

    None where there is none of them: then nothing is sent. UsageError in one sentence that shows no secret.
    """
    path, by_systemd = _where(file)
    if path is None:
        return None
    written = _read(path)
    for url in (*written.targets, written.heartbeat):
        _learn(url)
    if not (written.targets or written.heartbeat or written.pushgateway):
        raise UsageError(
            f"the alarms file {path} names no targets, no heartbeat and no pushgateway: docs/alarms.md has an example"
        )
    for entry in ("heartbeat", "page", "pushgateway"):
        _check_web_address(path, entry, getattr(written, entry))
    for number, url in enumerate(written.targets, 1):
        if not notify.is_usable(url):
            scheme = _SCHEME.match(url)
            raise UsageError(
                f"the alarms file {path} has an invalid entry: number {number} of targets"
                f"{f' ({scheme[0]}…)' if scheme else ''} is not a notification URL that Apprise can use: "
                "docs/alarms.md has the forms"
            )
    return AlarmSettings(
        targets=tuple(map(Secret, written.targets)),
        heartbeat=Secret(written.heartbeat) if written.heartbeat else None,
        page=written.page,
        repeat_hours=written.repeat_hours,
        pushgateway=written.pushgateway,
        warnings=() if by_systemd else _warnings(path),
    )


def _where(file: Path | None) -> tuple[Path | None, bool]:
    """Which file it is, and whether systemd watches over it."""
    if file or (named := os.environ.get(VARIABLE)):
        return file or Path(named or ""), False
    folder = os.environ.get(_CREDENTIALS)
    credential = Path(folder, _CREDENTIAL) if folder else None
    return (credential, True) if credential and os.path.exists(credential) else (None, False)


def _read(path: Path) -> _Written:
    try:
        # It may be a pipe from a program that keeps secrets.
        with path.open("rb") as file:
            content = file.read(user_files.LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"the alarms file {path} can't be read: {error.strerror}; choose another with --alarms or ${VARIABLE}"
        ) from error
    if len(content) > user_files.LARGEST:
        raise UsageError(
            f"the alarms file {path} is larger than {user_files.LARGEST // 1024} KiB; is it the right file?"
        )
    try:
        return user_files.as_toml("the alarms file", path, content, _Written)
    except UsageError as error:
        # The error of a later Python holds the whole document, and an unknown name may be the URL of a target.
        raise UsageError(_URL.sub(r"\1…", one_line(str(error)))) from None


def _learn(url: str) -> None:
    """Keep a URL out of all texts, and what in it is secret by itself. Names of hosts and channels are words like others."""
    Redactor.shared.learn(url)
    try:
        parts = urlsplit(url)
        password, host = unquote(parts.password or ""), parts.hostname or ""
    except ValueError:
        return
    Redactor.shared.learn(password)
    for word in re.split(r"[/:@?&=#,]+", unquote(url)):
        is_host = word.lower() == host and "." in host
        if not is_host and (looks_secret(word) or _TOKEN.fullmatch(word)):
            Redactor.shared.learn(word)


def _check_web_address(path: Path, entry: str, url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or url.split() != [url] or not url.isprintable():
        raise UsageError(
            f"the alarms file {path} has an invalid entry: {entry} is not the address of a web server: "
            "write it with its scheme, such as https://status.example.com/"
        )
    if entry != "heartbeat" and "@" in parts.netloc:
        raise UsageError(
            f"the alarms file {path} has an invalid entry: {entry} contains a user or a password, which everybody who "
            "gets an alarm or reads the metrics would see"
        )


def _warnings(path: Path) -> tuple[str, ...]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    if mode & stat.S_IROTH:
        return (
            f"every user of this machine can read the secrets in the alarms file {path}: chmod 640 {path}",
        )
    if mode & stat.S_IWOTH:
        return (f"every user of this machine can change the alarms file {path}: chmod 640 {path}",)
    return ()
