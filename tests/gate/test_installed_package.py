"""The wheel, installed into an empty environment with its base dependencies: the gate works from any folder."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from lago_acceptance import __version__
from tests.support import edits, installed

BAD = ("@lago-worker lago-storage:/app/storage => lago-storage:/app/storage2",)
PRIVATE = ("compose/.env.lago", "compose/lago_rsa_private.pem")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a checkout that somebody has deployed from: secrets lie beside the compose file."""
    source = installed.checkout(tmp_path_factory.mktemp("source"))
    for name in PRIVATE:
        (source / name).write_text("a secret\n")
    return installed.wheel(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel and its base dependencies."""
    return installed.environment(tmp_path_factory.mktemp("environment") / "venv", wheel)


def test_the_wheel_holds_one_package_and_no_secret(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "lago_acceptance",
        f"lago_acceptance-{__version__}.dist-info",
    }
    bundled = {name.removeprefix("lago_acceptance/_bundle/") for name in names if "/_bundle/" in name}
    assert {"pytest.ini", "settings.toml", "fixtures/__init__.py", "bin/apt-install"} <= bundled
    assert {"compose/docker-compose.lago.yml", "compose/.env.lago.example", "testbed/edge.yml"} <= bundled
    assert not bundled.intersection(PRIVATE) and not [name for name in names if "__pycache__" in name]
    for script in (
        "facts/scripts/collect.sh",
        "facts/scripts/mask.awk",
        "targets/stack/scripts/daemon.sh",
        "page/templates/index.html.j2",
        "page/templates/page.js",
        "py.typed",
    ):
        assert f"lago_acceptance/{script}" in names


def test_a_good_file_passes_and_a_bad_one_does_not(programs, tmp_path):
    good = edits.write(tmp_path / "good", "lago")
    bad = edits.write(tmp_path / "bad", "lago", BAD)
    ended = installed.run(programs / "lago-gate", good, folder=tmp_path)
    assert ended.returncode == 0 and "gate: 1 file, no finding" in ended.stdout, ended.stdout + ended.stderr
    ended = installed.run(programs / "lago-gate", bad, folder=tmp_path)
    assert ended.returncode == 1 and "no-storage-volume" in ended.stdout, ended.stdout + ended.stderr
    assert "no-storage-volume" in {
        each["rule"] for each in json.loads((tmp_path / "reports" / "gate.json").read_text())
    }
    sarif = json.loads((tmp_path / "reports" / "gate.sarif").read_text())
    assert sarif["runs"][0]["tool"]["driver"]["version"] == __version__


def test_no_file_is_taken_for_granted(programs, tmp_path):
    ended = installed.run(programs / "lago-gate", folder=tmp_path)
    assert ended.returncode == 4 and ended.stderr == "lago-gate: no compose file given: lago-gate FILE...\n"


def test_every_rule_is_explained_and_versions_are_printed(programs, tmp_path):
    ended = installed.run(programs / "lago-acceptance", "explain", "no-clock-service", folder=tmp_path)
    assert ended.returncode == 0 and ended.stdout.startswith("no-clock-service: "), ended.stderr
    ended = installed.run(programs / "python", "-m", "lago_acceptance", "version", folder=tmp_path)
    assert ended.stdout.startswith(f"lago-acceptance {__version__}\nPython 3."), ended.stdout + ended.stderr


def test_what_needs_an_extra_says_which(programs, tmp_path):
    ended = installed.run(programs / "lago-acceptance", "smoke", folder=tmp_path)
    assert ended.returncode == 4 and "pip install 'lago-acceptance[stack]'" in ended.stderr, ended.stderr


def test_no_package_of_a_common_name_is_installed(programs, tmp_path):
    program = "import importlib.util as i; print([n for n in ('fixtures', 'suites', 'tests', 'pytest') if i.find_spec(n)])"
    assert installed.run(programs / "python", "-c", program, folder=tmp_path).stdout == "[]\n"
