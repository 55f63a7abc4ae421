"""Which files of a folder are compose files."""

from __future__ import annotations

import pathlib

import pytest

from lago_acceptance.composefile.found_files import files_in
from lago_acceptance.core.verdicts import UsageError

COMPOSE = "services:\n  api:\n    image: getlago/api:v1.16.0\n"


def names(folder):
    return [str(each.relative_to(folder)) for each in files_in((folder,))]


def test_beside_a_compose_file_lies_other_yaml(tmp_path):
    (tmp_path / "docker-compose.lago.yml").write_text(COMPOSE)
    (tmp_path / "lago.yaml").write_text(f"# production\n{COMPOSE}")
    (tmp_path / "flow.yml").write_text('{"services": {}}')
    (tmp_path / "plans.yml").write_text("plans:\n  - code: starter\n    services: 3\n")
    (tmp_path / "prometheus.yml").write_bytes(b"\xff\xfe")
    assert names(tmp_path) == ["docker-compose.lago.yml", "flow.yml", "lago.yaml"]


def test_below_the_folder_the_name_decides(tmp_path):
    for name in ("a/compose.yml", "a/lago.compose.yaml", "a/lago.yml", ".git/compose.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(COMPOSE)
    assert names(tmp_path) == ["a/compose.yml", "a/lago.compose.yaml"]


def test_what_is_named_like_one_is_judged_whatever_is_in_it(tmp_path):
    (tmp_path / "compose.yml").write_text("- a\n")
    assert names(tmp_path) == ["compose.yml"]


def test_what_can_not_be_read_may_be_one(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(path)

    (tmp_path / "lago.yml").touch()
    monkeypatch.setattr(pathlib.Path, "read_bytes", refused)
    assert names(tmp_path) == ["lago.yml"]


@pytest.mark.parametrize("content", [None, "plans: []\n"])
def test_a_folder_without_one_is_refused(content, tmp_path):
    if content:
        (tmp_path / "plans.yml").write_text(content)
    with pytest.raises(UsageError, match="is a folder without a compose file"):
        files_in((tmp_path,))
