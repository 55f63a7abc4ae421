"""What the host's Docker expects of its clients, and whether it is started at boot."""

from __future__ import annotations

import re

from lago_acceptance.facts.host_state import Engine
from lago_acceptance.facts.sections import section

# Asked only where a proxy is there that has to speak to it: it takes another start of Docker's client.
_SHELL = r"""
case "$line_feed$members" in *"${line_feed}proxy "*)
    docker version --format '{{.Server.Version}} {{.Server.MinAPIVersion}}' 2>/dev/null ;;
esac
"""
_LINE = re.compile(r"([0-9][\w.+~-]{0,60}) ([0-9]{1,4}\.[0-9]{1,4})")


@section("engine", shell=_SHELL)
def engine(text: str) -> Engine | None:
    """The version of Docker, and the oldest API version that it speaks; None where nothing needs to know."""
    found = _LINE.fullmatch(text.strip())
    return Engine(found[1], found[2]) if found else None


@section(
    "boot",
    shell="[ ! -d /run/systemd/system ] || systemctl is-enabled docker.service 2>/dev/null | head -n 1",
)
def docker_at_boot(text: str) -> str:
    """systemd's word for whether Docker is started at boot, "" where there is no systemd, or it does not know Docker."""
    word = text.strip()
    return word if re.fullmatch(r"[a-z-]{1,40}", word) and word != "not-found" else ""
