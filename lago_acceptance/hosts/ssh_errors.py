"""Which step of the way to a host failed, from what ssh said: DNS, TCP, host key, authentication, login."""

from __future__ import annotations

from lago_acceptance.core.secrets import redact

CONNECT_SECONDS = 5

_STEPS = (
    (
        ("Could not resolve hostname",),
        "DNS: nobody knows the name of",
        "look at its spelling, or give the address",
    ),
    (
        ("REMOTE HOST IDENTIFICATION HAS CHANGED",),
        "host key: it has changed since it was noted for",
        "somebody may listen in between; if the host was made anew, compare its key (ssh-keygen -lf FILE) "
        "and ssh-keygen -R",
    ),
    (
        ("Host key verification failed", "host key is known for"),
        "host key: none is noted for",
        "compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then log in once by "
        "hand to note it",
    ),
    (
        ("Permission denied", "Too many authentication failures", "No more authentication methods"),
        "authentication: the key is refused by",
        "passwords are not asked for: load the key (ssh-add), name it in ssh_config, or put it there "
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
        "mend the line that it names",
    ),
    (
        ("Connection refused", "timed out", "No route to host", "Network is unreachable", "Connection reset"),
        "TCP: there is no connection to",
        "look at the host, its firewall and the port",
    ),
    (
        ("kex_exchange_identification", "Connection closed by", "banner exchange", "no matching"),
        "ssh: what answers does not speak ssh as it should at",
        "look at the port and at the host's sshd",
    ),
)


def why(name: str, asked: str, errors: str, begun: bool) -> str:
    """Which step failed, and what to do. ``errors`` is what ssh said, ``begun`` whether the command ran."""
    if begun:
        return f"ssh to {name} broke off while it was asked for the {asked}: {last_words(errors)}; try again"
    for signs, step, fix in _STEPS:
        if any(sign in errors for sign in signs):
            return f"{step} {name}: {last_words(errors)}; {fix}"
    if "Authenticated to" in errors or "mux_client" in errors:
        return (
            f"the login shell of {name} runs no command (asked for the {asked}): "
            f"{last_words(errors)}; "
            f"try: ssh {name} true"
        )
    if "Connection established" in errors:
        return f"authentication: {name} does not go on after the connection was made; look at its sshd"
    if "Connecting to" in errors:
        return (
            f"TCP: {name} does not answer within {CONNECT_SECONDS} s; look at the host, its "
            f"firewall and the port"
        )
    return (
        f"DNS: the name of {name} was not resolved within {CONNECT_SECONDS} s; look at DNS, or "
        f"give the address"
    )


def last_words(errors: str) -> str:
    """What ssh or the remote shell said last, without its talk about how far it is."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    said = [
        line
        for line in lines
        if not line.startswith(("debug1:", "OpenSSH_", "Authenticated to", "@@@", "Transferred", "Bytes"))
    ]
    return redact(said[-1])[:300] if said else "nothing was said"
