"""Which step of connecting to a host failed, from what ssh printed: DNS, TCP, host key, authentication, login."""

from __future__ import annotations

import re

from lago_acceptance.core.secrets import redact
from lago_acceptance.hosts.process import last_words

CONNECT_SECONDS = 5

_STEPS = (
    (
        ("Could not resolve hostname",),
        "DNS: no address was found for",
        "check the spelling and your DNS, or use the address",
    ),
    (
        ("REMOTE HOST IDENTIFICATION HAS CHANGED",),
        "host key: it has changed since it was recorded for",
        "someone may be intercepting the connection; if the host was reinstalled, compare its key "
        "(ssh-keygen -lf FILE), then remove the old one (ssh-keygen -R HOST)",
    ),
    (
        ("Host key verification failed", "host key is known for"),
        "host key: none is recorded for",
        "compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then log in once by "
        "hand to record it",
    ),
    (
        ("No user exists for uid",),
        "ssh: it can't run on this machine under a user id without a name, and so can't reach",
        "run the suite as a user listed in /etc/passwd",
    ),
    (
        ("Permission denied", "Too many authentication failures", "No more authentication methods"),
        "authentication: the key is refused by",
        "passwords are never used: load the key (ssh-add), name it in ssh_config, or install it on the host "
        "(ssh-copy-id)",
    ),
    (
        (
            "Bad configuration option",
            "terminating,",
            "Can't open user config file",
            "Bad owner or permissions",
        ),
        "ssh_config: ssh can't use it for",
        "correct that line",
    ),
    (
        ("Connection refused", "timed out", "No route to host", "Network is unreachable", "Connection reset"),
        "TCP: no connection to",
        "check the host, its firewall and the port",
    ),
    (
        ("kex_exchange_identification", "Connection closed by", "banner exchange", "no matching"),
        "ssh: no usable ssh server answers at",
        "check the port and the host's sshd",
    ),
)


# ssh is given the user's file by a name of the suite's own.
_GIVEN = re.compile(r"\S*/lago-ssh-\w+/given:?")
_BAD = re.compile(r"^(?!debug1:).*:? line \d+: .*", re.MULTILINE)


def _bad_line(errors: str) -> str:
    """The first line of ssh_config that ssh can't use, as ssh names it; its last words only count them."""
    bad = _BAD.search(errors)
    return redact(_GIVEN.sub("the file of --ssh-config,", bad[0].strip()))[:300] if bad else ""


def why(name: str, command: str, errors: str, begun: bool) -> str:
    """Which step failed, and what to do. ``errors`` is what ssh printed, ``begun`` whether the command ran."""
    if begun:
        return f"the ssh connection to {name} broke off during its {command}: {last_words(errors)}; try again"
    for signs, step, fix in _STEPS:
        if any(sign in errors for sign in signs):
            said = _bad_line(errors) if step.startswith("ssh_config") else ""
            return f"{step} {name}: {said or last_words(errors)}; {fix}"
    if "Authenticated to" in errors or "mux_client" in errors:
        return (
            f"the login shell of {name} did not run the command ({command}): {last_words(errors)}; "
            f"try: ssh {name} true"
        )
    if "Connection established" in errors:
        return f"authentication: {name} stopped answering after the connection was made; check its sshd"
    if "Connecting to" in errors:
        return f"TCP: {name} did not answer within {CONNECT_SECONDS} s; check the host, its firewall and the port"
    return f"DNS: {name} was not resolved within {CONNECT_SECONDS} s; check DNS, or use the address"
