"""What runs beside a deployment under test leaves this machine as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.cli import Project, config
from lago_acceptance.targets.stack import edge, gateway


@pytest.mark.parametrize("file", [edge.FILE, gateway.FILE], ids=lambda file: file.stem)
def test_docker_makes_no_folder_of_a_mount_that_is_gone(file: Path):
    """Of its own socket, for one: the daemon can't start again while a folder is in its place."""
    needed = (
        *("EDGE_FOLDER", "ISSUER_FOLDER", "EDGE_NETWORK", "PROXY_NETWORK", "GATEWAY_NETWORK"),
        "GATEWAY_HOST",
        *("LAGO_PROJECT", "LAGO_API_KEY", "JWT_ISSUER"),
    )
    model = config(Project(files=(file,), variables=dict.fromkeys(needed, "/none"))).model
    mounts = [each for service in model.services for each in service.mounts]
    assert mounts and [each.source for each in mounts if each.create_host_path] == []
