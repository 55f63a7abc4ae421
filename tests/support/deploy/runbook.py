"""Runs the commands that a page of docs/runbooks shows, in order, in one shell, as an operator types them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lago_acceptance.core.resources import compose_binary
from tests.support.deploy.command import Ended
from tests.support.deploy.host import DeployableHost
from tests.support.paths import ROOT

PAGES = ROOT / "docs" / "runbooks"
SECONDS = 280

_PARTS = re.compile(r"^## (?P<heading>[^\n]+)$|^```sh run\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
# What an operator has in a configuration, or does not need: where the deployment is, how ssh gets there, whom to trust, and which
# Lago is meant, for other tests have theirs on the same Docker.
_LAGO_ACCEPTANCE = """#!/bin/sh
case $1 in provision) ;; *) set -- "$@" --settings {settings} --ssh-config {ssh_config} --project {project} ;; esac
case $1 in deploy | live) set -- "$@" --ca-file {roots} --reports {reports} ;; esac
# With the real ssh.
PATH={path} exec {python} -m lago_acceptance "$@"
"""
# Compose is no plugin of this machine's Docker.
_SSH = """#!/bin/sh
exec {ssh} -F {ssh_config} "$1" 'docker() {{
    [ "$1" = compose ] || {{ command docker "$@" && return; return 1; }}
    shift
    {compose} "$@"
}}
'"$2"
"""


def parts(page: str) -> list[tuple[str, str]]:
    """The commands of a page that are run, each with the heading that it is under."""
    heading, found = "", []
    for each in _PARTS.finditer((PAGES / f"{page}.md").read_text("utf-8")):
        if each["commands"] is None:
            heading = each["heading"]
        else:
            found.append((heading, each["commands"]))
    return found


def script(page: str, before: Mapping[str, str] | None = None) -> str:
    """A page's commands in order; ``before`` is shell for what happens ahead of a heading's."""
    steps: list[str] = []
    seen: set[str] = set()
    for heading, commands in parts(page):
        if before and heading in before and heading not in seen:
            steps.append(before[heading])
        steps.append(f"echo '## {heading}'\n{commands}")
        seen.add(heading)
    return "\n".join(steps)


def run(
    page: str,
    host: DeployableHost,
    folder: Path,
    variables: Mapping[str, str],
    before: Mapping[str, str] | None = None,
    settings: Path | None = None,
) -> Ended:
    """Run a page's commands against a host, from an empty folder. The first that fails ends it.

    ``variables`` are those that the page has its reader set; ``before`` is as ``script`` takes it. ``settings``: the host's by default.
    """
    programs = folder / "programs"
    programs.mkdir()
    places = {
        "python": sys.executable,
        "settings": settings or host.settings,
        "project": host.project,
        "ssh_config": host.live.server.ssh_config,
        "roots": host.live.folder / "roots.crt",
        "reports": folder / "reports",
        "path": shlex.quote(os.environ["PATH"]),
        "ssh": shutil.which("ssh"),
        "compose": compose_binary(),
    }
    for name, text in (("lago-acceptance", _LAGO_ACCEPTANCE), ("ssh", _SSH)):
        (programs / name).write_text(text.format(**places))
        (programs / name).chmod(0o700)
    text = folder / "page.sh"
    text.write_text(script(page, before))
    # A file, so that what was printed is there even where the page does not end.
    printed = folder / "page.out"
    with printed.open("w") as file:
        ended = subprocess.run(
            ["sh", "-eu", str(text)],
            cwd=folder,
            env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"} | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    return Ended(ended.returncode, printed.read_text("utf-8", "replace"))
