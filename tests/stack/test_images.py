"""Each image is had in the order that was promised: the one asked for, upstream's, the stand-in.

Registries of these tests are on 127.0.0.1, so that they fail the same way whether or not the machine has a network.
"""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from lago_acceptance.core.options import Images
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.images import pull, resolve, standins
from tests.support.containers import docker, running

NOBODY = "127.0.0.1:1"


@pytest.fixture
def registry() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stand-ins that may be changed; its base is the real one."""
    copy = tmp_path / "standins"
    shutil.copytree(standins.FOLDER, copy)
    monkeypatch.setattr(standins, "FOLDER", copy)
    return copy


def resolve_one(reference: str, mode: Images = "auto", **environment: str) -> resolve.ResolvedImage:
    return resolve.resolve([reference], mode, environment)[reference]


@pytest.mark.parametrize("mode", ["auto", "upstream", "standins"])
def test_an_explicit_image_wins(mode: Images) -> None:
    mine = resolve.stand_in("redis")
    assert resolve_one("redis:7-alpine", mode, REDIS_IMAGE=mine) == resolve.ResolvedImage(mine, "explicit")


def test_an_explicit_image_that_can_not_be_had_is_an_error_and_not_a_stand_in() -> None:
    with pytest.raises(
        resolve.NoImage, match=f"REDIS_IMAGE names {NOBODY}/redis:9, which is not on this machine"
    ):
        resolve_one("redis:7-alpine", REDIS_IMAGE=f"{NOBODY}/redis:9")


def test_an_image_on_this_machine_is_upstream_s() -> None:
    present = resolve.stand_in("redis")
    assert resolve_one(present, "upstream") == resolve.ResolvedImage(present, "upstream")


def test_without_a_registry_the_stand_in_serves() -> None:
    assert resolve_one(f"{NOBODY}/redis:7-alpine") == resolve.ResolvedImage(
        resolve.stand_in("redis"), "stand-in"
    )


def test_upstream_never_falls_back() -> None:
    with pytest.raises(resolve.NoImage, match="can't be pulled .*connection refused.*`--images upstream`"):
        resolve_one(f"{NOBODY}/redis:7-alpine", "upstream")


def test_stand_ins_can_be_asked_for_where_upstream_is_present() -> None:
    present = f"{NOBODY}/redis:7-selftest"
    docker("tag", resolve.stand_in("redis"), present)
    try:
        assert resolve_one(present, "auto").origin == "upstream"
        assert resolve_one(present, "standins") == resolve.ResolvedImage(
            resolve.stand_in("redis"), "stand-in"
        )
    finally:
        docker("rmi", present)


@pytest.mark.parametrize(
    ("reference", "imitated"),
    [
        ("getlago/api:v1.20.0", ".* and v1.32.0 only"),
        ("getlago/front:v1.16.1", ".* and v1.32.0 only"),
        ("postgres:16-alpine", "14 and 15 only"),
        ("traefik:v2.11", "3 only"),
        ("redis@sha256:" + 64 * "0", "7 only"),
    ],
)
def test_a_stand_in_never_stands_for_another_version(reference: str, imitated: str) -> None:
    with pytest.raises(resolve.NoImage, match=f"imitates {imitated}"):
        resolve_one(f"{NOBODY}/{reference}")


def test_an_image_that_nothing_stands_in_for_is_an_error() -> None:
    with pytest.raises(resolve.NoImage, match="there is no stand-in for it"):
        resolve_one(f"{NOBODY}/memcached:1", "standins")


@pytest.mark.parametrize("reference", ["-wrong-/x:1", "UPPER/case:1"])
def test_a_name_that_can_not_be_an_image_is_one_sentence(reference: str) -> None:
    with pytest.raises(resolve.NoImage, match="."):
        resolve_one(reference)


def test_a_registry_that_is_away_is_asked_once_in_a_run_and_again_by_the_next(registry: HTTPServer) -> None:
    registry.expect_request("/v2/").respond_with_data("away", status=503)
    host = f"127.0.0.1:{registry.port}"
    resolve_one(f"{host}/redis:7-alpine")
    once = len(registry.log)
    assert once > 0
    references = [f"{host}/redis:7-alpine", f"{host}/postgres:14-alpine", f"{host}/traefik:v3.7"]
    resolved = resolve.resolve(references, "auto", {})
    assert {image.origin for image in resolved.values()} == {"stand-in"}
    assert len(registry.log) == 2 * once


def test_one_image_that_a_registry_does_not_have_says_nothing_about_the_next(registry: HTTPServer) -> None:
    missing = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
    registry.expect_request("/v2/").respond_with_json({})
    for name in ("redis/manifests/7-alpine", "postgres/manifests/14-alpine"):
        registry.expect_request(f"/v2/{name}").respond_with_json(missing, status=404)
    host = f"127.0.0.1:{registry.port}"
    resolve.resolve([f"{host}/redis:7-alpine", f"{host}/postgres:14-alpine"], "auto", {})
    assert any("postgres" in request.path for request, _ in registry.log)


def test_a_registry_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = pull.SILENCE_SECONDS
    monkeypatch.setattr(pull, "SILENCE_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        reference = f"127.0.0.1:{silent.getsockname()[1]}/redis:7-alpine"
        started = time.monotonic()
        assert resolve_one(reference).origin == "stand-in"
        assert time.monotonic() - started < usual


def test_a_daemon_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(Unreachable, match="doesn't answer"):
        resolve_one("redis:7-alpine", DOCKER_HOST="unix:///nowhere/docker.sock")


def test_a_tag_follows_the_content_alone(folder: Path) -> None:
    before = standins.tag("redis")
    (folder / "redis" / "docker-entrypoint.sh").touch()
    assert standins.tag("redis") == before
    (folder / "redis" / "docker-entrypoint.sh").chmod(0o644)
    assert standins.tag("redis") != before
    (folder / "redis" / "docker-entrypoint.sh").chmod(0o755)
    assert standins.tag("redis") == before
    with (folder / "redis" / "Dockerfile").open("a") as file:
        file.write("LABEL changed=yes\n")
    assert standins.tag("redis") != before
    others = standins.tag("postgres")
    with (folder / "base" / "packages.txt").open("a") as file:
        file.write("# changed\n")
    assert standins.tag("postgres") != others


def test_changed_content_is_built_once_by_two_runs_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "redis" / "marker").write_text(str(time.time_ns()))
    with (folder / "redis" / "Dockerfile").open("a") as file:
        file.write("COPY marker /marker\n")
    built, build_on = [], standins._build_on
    monkeypatch.setattr(standins, "_build_on", lambda *given: (built.append(given), build_on(*given)))
    with ThreadPoolExecutor() as pool:
        tags = list(pool.map(resolve.stand_in, ["redis", "redis"]))
    try:
        assert len(built) == 1
        with running(tags[0], "cat", "/marker") as container:
            assert docker("wait", container.name) == "0"
            assert container.logs() == (folder / "redis" / "marker").read_text()
    finally:
        docker("rmi", tags[0])


def test_a_stand_in_that_does_not_build_names_its_folder(folder: Path) -> None:
    (folder / "redis" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN exit 7\n")
    with pytest.raises(resolve.NoImage, match="testbed/standins/redis"):
        resolve.stand_in("redis")


def test_a_base_that_can_not_be_made_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "base" / "packages.txt").write_text("bash\n")
    monkeypatch.setattr(standins, "_sources", lambda: [f"deb http://{NOBODY}/debian bookworm main"])
    with pytest.raises(resolve.NoImage, match="could not be made from Debian bookworm packages"):
        resolve.stand_in("redis")
    assert docker("images", "--quiet", standins.tag("base")) == ""

    monkeypatch.setattr(standins, "SPACE_BYTES", 2**60)
    with pytest.raises(resolve.NoImage, match="No space for the stand-in images"):
        resolve.stand_in("redis")


def test_without_mmdebstrap_the_sentence_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "base" / "packages.txt").write_text("changed\n")
    tools = folder.parent / "tools"
    tools.mkdir()
    for tool in ("sh", "dirname"):
        (tools / tool).symlink_to(shutil.which(tool))
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(resolve.NoImage, match="mmdebstrap.*Install it with the system's package manager"):
        resolve.stand_in("redis")
