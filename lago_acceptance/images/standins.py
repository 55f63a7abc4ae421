"""Stand-ins: images built here, under names of their own, that replace images which can't be pulled.

Each is a folder in ``testbed/standins`` with a Dockerfile, which copies that folder into one base image made of Debian
packages. Their builds have no network.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lago_acceptance.core.cache import cache_folder
from lago_acceptance.core.resources import APT_INSTALL, TESTBED
from lago_acceptance.core.verdicts import Unreachable

if TYPE_CHECKING:
    from docker import APIClient

FOLDER = TESTBED / "standins"
BASE = "base"

# Always Debian 12, so that a stand-in is the same program on every machine.
SUITE = "bookworm"

APT_SECONDS = 2000
BASE_SECONDS = 900
LOCK_SECONDS = 1200
SPACE_BYTES = 3 * 1024**3

# Debian's PostgreSQL package creates a database cluster when it is installed.
NO_CLUSTER = """
mkdir -p "$1/etc/postgresql-common"
echo create_main_cluster=false > "$1/etc/postgresql-common/createcluster.conf"
"""
UNUSED_PATHS = ("man", "doc", "info", "locale", "icons")


class NoImage(Unreachable):
    """An image is not here and can be neither pulled nor built. One sentence: the problem and the fix."""


def names() -> list[str]:
    """The names of all stand-ins, without the base."""
    return sorted(path.parent.name for path in FOLDER.glob("*/Dockerfile"))


def releases(name: str) -> list[str]:
    """The tags of the releases that a stand-in can be built as, oldest first; the first one is what it is unless told.

    [] where its versions don't differ.
    """
    rows = FOLDER / name / "later" / "releases.tsv"
    lines = rows.read_text("utf-8").splitlines()[1:] if rows.exists() else []
    return [release for line in lines if (release := line.split("\t")[2])]


def tag(name: str, release: str = "") -> str:
    """``lago-acceptance/<name>:<12 hex digits>``: a hash of the stand-in's folder and the base's.

    For a release other than its first one the release comes before the digits: ``v1.26.0-<12 hex digits>``.
    """
    digest = hashlib.sha256((SUITE if name == BASE else tag(BASE)).encode())
    for path in _files(FOLDER / name):
        digest.update(f"\0{path.relative_to(FOLDER)}\0{os.access(path, os.X_OK)}\0".encode())
        digest.update(path.read_bytes())
    before = f"{release}-" if release and release != releases(name)[0] else ""
    return f"lago-acceptance/{name}:{before}{digest.hexdigest()[:12]}"


def build(name: str, engine: APIClient, release: str = "") -> str:
    """Build a stand-in, as one of its ``releases`` if told, and its base if its tag is missing; return the tag.

    Raises NoImage if it can't be built. A lock makes concurrent runs build one after the other.
    """
    wanted = tag(name, release)
    if _present(engine, wanted):
        return wanted
    with _one_at_a_time():
        if not _present(engine, wanted):
            base = tag(BASE)
            if not _present(engine, base):
                _require_space(engine)
                _import_base(base, engine)
            if name != BASE:
                _build_on(base, name, wanted, engine, {"RELEASE": release} if release else {})
    return wanted


def reason(error: Exception) -> str:
    """The engine's own message for an error, in one line."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())


def _files(folder: Path) -> list[Path]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(paths)


def _present(engine: APIClient, reference: str) -> bool:
    import docker.errors

    try:
        engine.inspect_image(reference)  # type: ignore[no-untyped-call]
    except docker.errors.NotFound:
        return False
    return True


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    import filelock

    lock = filelock.FileLock(cache_folder() / "images.lock", timeout=LOCK_SECONDS)
    try:
        with lock:
            yield
    except filelock.Timeout:
        raise NoImage(
            f"Another run has been building stand-in images for more than {LOCK_SECONDS} s; "
            f"wait for it or end it (its lock is {lock.lock_file})."
        ) from None


def _require_space(engine: APIClient) -> None:
    root = Path(engine.info()["DockerRootDir"])
    if root.is_dir() and (free := shutil.disk_usage(root).free) < SPACE_BYTES:
        raise NoImage(
            f"No space for the stand-in images: {free / 1024**3:.1f} GiB are free in {root} and "
            f"{SPACE_BYTES / 1024**3:.0f} GiB are needed; free some, for example with `docker system prune`."
        )


def _require_mmdebstrap() -> None:
    """Install mmdebstrap if it is missing. That works as root on Debian and Ubuntu; NoImage otherwise."""
    if shutil.which("mmdebstrap"):
        return
    command = [str(APT_INSTALL), "mmdebstrap", "debian-archive-keyring"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=APT_SECONDS)
    if result.returncode:
        raise NoImage(
            f"Stand-in images are built with mmdebstrap, which isn't there: {' '.join(result.stderr.split())} "
            "Or give this machine access to a registry with the upstream images."
        )


def _import_base(reference: str, engine: APIClient) -> None:
    import docker.errors
    import requests

    _require_mmdebstrap()
    answer = failure = None
    with tempfile.TemporaryFile() as log:
        # Tagged only below: an archive that mmdebstrap did not finish must not become the base.
        process = subprocess.Popen(
            _base_command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
        assert process.stdout is not None
        try:
            answer = engine.import_image(process.stdout, stream_src=True)
        except (docker.errors.APIError, requests.RequestException) as error:
            failure = reason(error)
        finally:
            process.stdout.close()
            if answer is None:
                process.terminate()
            status = process.wait(BASE_SECONDS)
        log.seek(0)
        errors = [line for line in log.read().decode(errors="replace").splitlines() if line.startswith("E:")]
    image = json.loads(answer.splitlines()[-1]).get("status") if answer else None
    if status != 0 or not image:
        if image:
            engine.remove_image(image)
        raise NoImage(
            f"The stand-ins' base image could not be made from Debian {SUITE} packages "
            f"({failure or ' '.join(errors[-3:]) or f'mmdebstrap ended with {status}'}); "
            "check the package mirror and the disk, and run as root or allow user namespaces."
        )
    repository, _, version = reference.partition(":")
    engine.tag(image, repository, version)


def _base_command() -> list[str]:
    packages = [line.strip() for line in (FOLDER / BASE / "packages.txt").read_text().splitlines()]
    return [
        *("timeout", str(BASE_SECONDS), "mmdebstrap", "--quiet", "--variant=minbase"),
        f"--include={','.join(line for line in packages if line and not line.startswith('#'))}",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNUSED_PATHS),
        f"--essential-hook={NO_CLUSTER}",
        *(SUITE, "-", *_sources()),
    ]


@functools.cache
def _sources() -> list[str]:
    """Debian's archives from this machine's apt sources; [] if it has none, so that mmdebstrap uses its default."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages"]
    try:
        lines = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False
        ).stdout.splitlines()
    except FileNotFoundError:
        lines = []
    found = [
        tuple(line.split()) for line in lines if re.match(r"https?://\S*/debian(-security)?/? \S+$", line)
    ]
    main = next((uri for uri, release in found if "-" not in release), None)
    security = next((uri for uri, release in found if release.endswith("-security")), None)
    archives = ((main, SUITE), (security, f"{SUITE}-security"))
    return [f"deb {uri} {suite} main" for uri, suite in archives if uri] if main else []


def _build_on(base: str, name: str, reference: str, engine: APIClient, arguments: dict[str, str]) -> None:
    import docker.errors

    with tempfile.TemporaryDirectory() as downloads:
        requirements = FOLDER / name / "requirements.txt"
        if requirements.exists():
            _download(requirements, Path(downloads))
        with tempfile.TemporaryFile() as context:
            _pack(FOLDER / name, Path(downloads), context)
            try:
                events = engine.build(
                    fileobj=context, custom_context=True, tag=reference, buildargs={"BASE": base, **arguments},
                    network_mode="none", rm=True, forcerm=True, decode=True,
                )  # fmt: skip
                error = next((event["error"] for event in events if "error" in event), None)
            except docker.errors.APIError as failure:
                error = reason(failure)
    if error:
        raise NoImage(f"The stand-in {name} could not be built ({error}); fix testbed/standins/{name}.")


def _download(requirements: Path, folder: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"),
        *("--target", str(folder / "site-packages"), "--requirement", str(requirements)),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode:
        raise NoImage(
            f"{requirements.read_text().strip()} could not be fetched from the Python package index for the "
            f"stand-in {requirements.parent.name} ({result.stderr.strip().splitlines()[-1]}); check the network and "
            "pip's configuration."
        )


def _pack(folder: Path, downloads: Path, into: io.IOBase) -> None:
    """Write the build context. Owners, modes and times are the same in every checkout."""

    def normalized(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.mode & 0o100 else 0o644
        return member

    # A file that two stand-ins share is a link in one of them.
    with tarfile.open(fileobj=into, mode="w", dereference=True) as archive:
        for root in (folder, downloads):
            for path in _files(root):
                archive.add(path, str(path.relative_to(root)), filter=normalized)
    into.seek(0)
