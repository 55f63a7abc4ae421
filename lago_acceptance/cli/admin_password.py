"""``lago-acceptance admin-password``: a new password for somebody who can't log in to Lago's web UI."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from lago_acceptance.cli import path
from lago_acceptance.cli.on_host import parser, place, reached
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import UsageError

DESCRIPTION = """Sets the password of a user of Lago's web UI. The new password is asked for, or comes from --password-file or
standard input. If Lago refuses it afterwards, the old one is put back."""


def run(arguments: Sequence[str]) -> int:
    """``lago-acceptance admin-password``; returns the exit code."""
    from lago_acceptance.deploy.admin_password import PasswordReset
    from lago_acceptance.deploy.small_change import NotChanged

    made = parser("admin-password", DESCRIPTION)
    made.add_argument("--email", required=True, metavar="EMAIL", help="whose password")
    made.add_argument(
        "--password-file", type=path, metavar="FILE", help="the file with the new password, in one line"
    )
    wanted = made.parse_args(arguments)
    if "@" not in wanted.email or not wanted.email.isprintable():
        raise UsageError(f"--email {wanted.email!r} is not an email address")
    load(wanted.settings)
    password = _password(wanted.password_file)
    with reached(wanted.host, wanted.ssh_config) as host:
        found, _ = place(host, wanted.settings, wanted.project)
        try:
            with PasswordReset(host, Permit("admin-password"), found, _say) as change:
                change.reset(wanted.email, password)
                change.accept()
        except NotChanged as error:
            print(f"lago-acceptance admin-password: {error}", file=sys.stderr)
            return NOT_ACCEPTED
    print(f"{wanted.email} can log in with the new password")
    return ACCEPTED


def _password(file: Path | None) -> Secret:
    from lago_acceptance.deploy.admin_password import usable

    if file:
        try:
            return usable(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"--password-file {file} can't be read: {getattr(error, 'strerror', None) or 'it is not text'}"
            ) from error
    if not sys.stdin.isatty():
        return usable(sys.stdin.readline())
    first = getpass.getpass("new password: ")
    if getpass.getpass("again: ") != first:
        raise UsageError("the two passwords differ; nothing was changed")
    return usable(first)


def _say(line: str) -> None:
    print(line, flush=True)
