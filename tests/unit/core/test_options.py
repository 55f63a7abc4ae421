"""Files that options name: what can't be used is one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

from lago_acceptance.core.options import Options
from lago_acceptance.core.verdicts import UsageError


def check(tmp_path: Path, **given: object) -> None:
    Options(reports=tmp_path / "reports", target="live", hosts=("ssh://host",), **given).check()


def test_root_certificates_are_usable(tmp_path):
    pem = trustme.CA().cert_pem.bytes()
    (tmp_path / "roots.pem").write_bytes("# Főtanúsítvány\n".encode() + pem + pem)
    check(tmp_path, ca_file=tmp_path / "roots.pem")


@pytest.mark.parametrize("key", ["two words", "a\nb", "schlüssel", "\x1b[2J", "a\0b"])
def test_a_key_that_is_none(key, tmp_path):
    (tmp_path / "key").write_text(key)
    with pytest.raises(UsageError, match="--api-key-file .* holds more than one word") as raised:
        Options(reports=tmp_path, api_key_file=tmp_path / "key").given_key()
    assert key not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no PEM",
        b"\xff\xfe",
        b"-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        "umläut".encode(),
    ],
)
def test_a_ca_file_without_certificates(content, tmp_path):
    (tmp_path / "roots.pem").write_bytes(content)
    with pytest.raises(
        UsageError, match="--ca-file .*roots.pem holds no certificates.*-----BEGIN CERTIFICATE"
    ):
        check(tmp_path, ca_file=tmp_path / "roots.pem")


@pytest.mark.parametrize(
    "option", ["ssh_config", "ca_file", "waivers", "api_key_file", "env_file", "settings", "gateway_file"]
)
def test_files_that_can_not_be_read(option, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "none", "does not exist"),
        (tmp_path / "pipe", "is not a regular file"),
        (Path("/dev/zero"), "is not a regular file"),
        (tmp_path / "loop", "can't be read: Too many levels"),
        (tmp_path / ("x" * 300), "can't be read: File name too long"),
        (Path("a\0b"), "can't be read"),
    ):
        with pytest.raises(UsageError, match=said):
            check(tmp_path, **{option: path})


@pytest.mark.parametrize("project", ["a b", "a\nb", "-p", "a/b", "$(id)", "lago;id", "\x1b[2J"])
def test_a_project_that_docker_can_not_have(project, tmp_path):
    with pytest.raises(UsageError, match="--project .* is no name of a project") as raised:
        check(tmp_path, project=project)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("deadline", [0.0, -1.0, float("nan"), float("inf")])
def test_a_deadline_that_is_none(deadline, tmp_path):
    with pytest.raises(UsageError, match="--deadline"):
        check(tmp_path, deadline=deadline)


@pytest.mark.parametrize("project", ["lago", "Lago-API", "srv-captain--lago.api_1"])
def test_a_live_host_has_other_names_than_compose(project, tmp_path):
    check(tmp_path, project=project)
