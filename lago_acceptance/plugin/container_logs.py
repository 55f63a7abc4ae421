"""The last log lines and the state of containers that aren't well, in reports/<run id>/logs/."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from lago_acceptance.core import report_files
from lago_acceptance.core.printable import printable
from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.types import Facts
from lago_acceptance.plugin.reporting import RUN
from lago_acceptance.plugin.written import noted

FACTS: pytest.StashKey[Facts] = pytest.StashKey()
LINES = 200


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Before the reporter searches what was written for secrets."""
    config = session.config
    if FACTS in config.stash and RUN in config.stash:
        with noted(config):
            write(config.stash[RUN].reports / "logs", config.stash[FACTS])


def write(folder: Path, facts: Facts) -> None:
    """Write a log and a description for each container that isn't well; no folder where all are. NotWritten."""
    from lago_acceptance.facts.unwell import unwell

    for container, state in unwell(facts):
        report_files.make_folder(folder)
        # The name comes from the host.
        name = re.sub(r"[^A-Za-z0-9_-]+", "_", container.name)[:80] or "container"
        if (folder / f"{name}.json").exists():
            name = f"{name}-{re.sub(r'[^0-9a-f]', '', container.id)[:12]}"
        lines = facts.logs.get(container.id, "").splitlines()[-LINES:]
        log = printable(redact("\n".join(lines))) + "\n"
        # Field by field: as one text it might be JSON no longer.
        safe = {
            field: printable(redact(value)) if isinstance(value, str) else value
            for field, value in msgspec.structs.asdict(state).items()
        }
        described = msgspec.json.format(msgspec.json.encode(safe), indent=1) + b"\n"
        report_files.write(folder / f"{name}.log", log.encode("utf-8", "replace"))
        report_files.write(folder / f"{name}.json", described)
