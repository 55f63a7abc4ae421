"""What a mount's source may be, in cases that Compose itself doesn't hand on, or not to everybody."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lago_acceptance.targets.stack.mounts import DROP, KEEP, VOLUME, Places, fate


def of(places: Places, source: str, **more) -> str:
    return fate({"type": "bind", "source": source, "target": "/x", "read_only": True, **more}, places)


@pytest.mark.parametrize(
    "source", ["", "a\0b", "/etc/pass\0wd", "\udc80", "x" * 5000, "~/x", "//etc//shadow"]
)
def test_odd_paths_are_never_mounted(tmp_path, source):
    assert of(Places(tmp_path, tmp_path / "private"), source) in (VOLUME, DROP)


def test_the_whole_disk_is_nobodys_project(tmp_path):
    assert of(Places(Path("/"), tmp_path), "/etc/hostname") == DROP


def test_a_missing_file_is_left_to_compose_where_docker_would_not_make_it(tmp_path):
    places = Places(tmp_path, tmp_path / "private")
    assert of(places, str(tmp_path / "key.pem"), bind={"create_host_path": False}) == KEEP
    assert of(places, str(tmp_path / "key.pem")) == VOLUME


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_that_can_not_be_looked_into_is_not_mounted():
    text = (
        "import os, sys; from pathlib import Path; from lago_acceptance.targets.stack.mounts import Places, fate; "
        "os.setuid(65534); here = Path(sys.argv[1]); "
        "print(fate({'source': str(here / 'closed'), 'target': '/x', 'read_only': True}, Places(here, here / 'p')))"
    )
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        os.mkdir(os.path.join(parent, "closed"), 0o700)
        ended = subprocess.run(
            [sys.executable, "-c", text, parent], capture_output=True, text=True, check=True
        )
    assert ended.stdout.strip() == VOLUME
