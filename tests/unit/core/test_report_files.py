"""What a run writes: for its owner alone, in one step, and one sentence where that fails."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_acceptance.core import report_files
from lago_acceptance.core.report_files import NotWritten


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_nobody_else_can_read_it_whatever_the_umask(umask, tmp_path):
    folder = report_files.make_folder(tmp_path / "reports" / "run")
    report_files.write(folder / "summary.json", b"{}")
    assert [mode(each) for each in (folder.parent, folder, folder / "summary.json")] == [0o700, 0o700, 0o600]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    report_files.make_folder(tmp_path)
    assert mode(tmp_path) == 0o755


def test_an_earlier_file_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("not ours")
    (tmp_path / "gate.json").symlink_to(tmp_path / "elsewhere")
    report_files.write(tmp_path / "gate.json", b"new")
    assert (tmp_path / "elsewhere").read_text() == "not ours"
    assert not (tmp_path / "gate.json").is_symlink() and (tmp_path / "gate.json").read_bytes() == b"new"


def test_a_link_is_replaced(tmp_path):
    for target in ("first", "second"):
        report_files.link(tmp_path / "latest", target)
    assert (tmp_path / "latest").readlink() == Path("second") and len(list(tmp_path.iterdir())) == 1


def test_what_could_not_be_written_whole_is_not_there(tmp_path):
    (tmp_path / "summary.json").write_text("before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        with pytest.raises(
            NotWritten, match=r"summary.json can't be written: it is larger .*ulimit -f.* --reports"
        ):
            report_files.write(tmp_path / "summary.json", b"x" * 4096)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("summary.json", "before")]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space is left there"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not write"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_each_reason_is_a_sentence(number, said):
    with pytest.raises(NotWritten) as raised, report_files.writing("summary.json"):
        raise OSError(number, os.strerror(number))
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(NotWritten, match="its path is too long; choose another folder with --reports"):
        report_files.make_folder(tmp_path / ("x" * 300))


def test_a_file_among_the_folders(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotWritten, match="--reports"):
        report_files.make_folder(tmp_path / "file" / "reports")
