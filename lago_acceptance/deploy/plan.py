"""What a deploy would change on a host, read without changing anything there."""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.env_files import written_variables
from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy.session import packed, part
from lago_acceptance.deploy.version import NewVersion
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.from_compose import declared

READ_SECONDS = 90


class OldFile(msgspec.Struct, frozen=True):
    """A file of the deployment as it is on the host: its mode in octal digits, its SHA-256 and its content.

    A private key's content is b"": it stays on its host.
    """

    mode: str
    digest: str
    content: bytes


class OldContainer(msgspec.Struct, frozen=True):
    """A container of the project: which configuration Compose made it from, and its image by reference and id."""

    service: str
    config: str
    reference: str
    image: str
    status: str
    exit_code: int
    files: tuple[str, ...]
    env_files: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What would change. ``document`` is what Compose makes of the new files, as they will lie on the host.

    ``entries`` are the first names in the folder, ``projects_here`` the Compose projects that were started in it.

    ``hashes`` are Compose's own digests of the services' configurations, ``images`` the ids of the new version's images ("" for one that
    the host does not have yet). Free space in KiB.
    """

    directory: str
    project: str
    exists: bool
    entries: tuple[str, ...]
    projects_here: tuple[str, ...]
    owner: str
    user: str
    new: dict[str, bytes]
    old: dict[str, OldFile]
    document: dict[str, Any]
    hashes: dict[str, str]
    images: dict[str, str]
    containers: tuple[OldContainer, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    listening: tuple[int, ...]
    free: int
    free_images: int

    @property
    def model(self) -> Model:
        """The new version's services."""
        return declared(self.document)

    @property
    def changed_files(self) -> tuple[str, ...]:
        """Files that differ from what is on the host, or are not there yet."""
        return tuple(
            path
            for path, content in sorted(self.new.items())
            if path not in self.old or self.old[path].digest != hashlib.sha256(content).hexdigest()
        )

    @property
    def open_files(self) -> tuple[str, ...]:
        """Files with secrets that other accounts of the host may read."""
        return tuple(
            path
            for path, file in self.old.items()
            if int(file.mode, 8) & 0o077 and (not file.content or _holds_secret(path, file.content))
        )

    @property
    def recreated(self) -> tuple[str, ...]:
        """Services whose containers would be recreated, or for the first time."""
        old = {each.service: each for each in self.containers}
        return tuple(
            service.name
            for service in self.model.services
            if not service.profiles and self._differs(old.get(service.name), service.name, service.image)
        )

    def _differs(self, old: OldContainer | None, name: str, image: str) -> bool:
        if old is None or old.config != self.hashes.get(name):
            return True
        return self.images.get(image, "") != old.image or name in self.remounted

    @property
    def stopped(self) -> tuple[str, ...]:
        """Services whose container is there and neither runs nor has ended as it should."""
        return tuple(
            each.service
            for each in self.containers
            if each.status != "running" and not (each.status == "exited" and each.exit_code == 0)
        )

    @property
    def remounted(self) -> tuple[str, ...]:
        """Services that mount a file which changes: a container keeps the file that it was started with."""
        changed = {f"{self.directory}/{path}" for path in self.changed_files}
        return tuple(
            service.name
            for service in self.model.services
            if any(mount.kind == "bind" and mount.source in changed for mount in service.mounts)
        )

    @property
    def gone(self) -> tuple[str, ...]:
        """Services that run and that the new version no longer has. Their containers are left alone."""
        names = {service.name for service in self.model.services}
        return tuple(sorted({each.service for each in self.containers} - names))

    @property
    def missing_images(self) -> tuple[str, ...]:
        """Images that have to be pulled."""
        return tuple(reference for reference, id in sorted(self.images.items()) if not id)

    @property
    def missing_networks(self) -> tuple[str, ...]:
        """External networks that the host does not have."""
        return tuple(
            each.name for each in self.model.networks if each.external and each.name not in self.networks
        )

    @property
    def new_volumes(self) -> tuple[str, ...]:
        """Volumes that Docker would create, empty."""
        return tuple(each.name for each in self.model.volumes if each.name not in self.volumes)

    @property
    def nothing(self) -> bool:
        """Whether all of it is there already."""
        return not (self.changed_files or self.recreated or self.stopped or self.open_files)

    def diff(self) -> Iterator[str]:
        """How the files change, without any secret."""
        for path in self.changed_files:
            old = self.old[path].content if path in self.old else b""
            yield from (
                diff_of(path, old, self.new[path])
                if old or path not in self.old
                else [f"{path}: is replaced"]
            )


def diff_of(path: str, old: bytes, new: bytes) -> Iterator[str]:
    """The unified diff of a file; where only a secret changes, its line says so."""
    if b"\0" in old + new or b"PRIVATE KEY" in old + new:
        yield f"{path}: {'is replaced' if old else 'is new'}"
        return
    before, after = (text.decode("utf-8", "replace").splitlines() for text in (old, new))
    shown = dict.fromkeys(map(redact, before))
    for line in difflib.unified_diff(before, after, f"{path} (now)", f"{path} (new)", n=1, lineterm=""):
        clean = redact(line)
        another = line[:1] == "+" and clean != line and clean[1:] in shown
        yield f"{clean}  (another value)" if another else clean


def read(host: Host, version: NewVersion, deployment: Deployment, directory: str, project: str) -> Plan:
    """What deploying a version to a host would change. UsageError where Compose refuses the new files on the host.

    ``project`` is the Compose project that runs there, "" where none does.
    """
    text = part("host") + (files(__package__) / "plan.sh").read_text("utf-8")
    asked = {
        "directory": directory,
        "archive": packed(version.files),
        "compose_file": deployment.compose_file,
        "env_file": deployment.env_file,
        "paths": "\n".join(version.paths),
        "project": project,
        "compose_program": host.compose_command,
    }
    found = _Found(host.read(ReadCommand("deployment's files", text, asked, deadline=READ_SECONDS)))
    old = {
        path: OldFile(mode, digest, base64.b64decode(content))
        for path, mode, digest, content in found.rows("file")
    }
    refused = found.decoded("refused")
    document = {} if refused else json.loads(found.decoded("config"))
    project = project or document.get("name", "")
    # The project's name, like the folder's, is part of names that messages show.
    named_by = Path(directory, project)
    _teach([*version.files.values(), *(file.content for file in old.values())], named_by)
    if refused:
        raise UsageError(
            f"Compose on {host.name} refuses the new files: {redact(' '.join(refused.split()))[-300:]}; "
            f"lago-gate {version.folder / deployment.compose_file} says more"
        )
    learn(document, {}, (), named_by)
    return Plan(
        directory=directory,
        project=project,
        exists=found.has("directory"),
        entries=tuple(row[0] for row in found.rows("entry")),
        projects_here=tuple(row[0] for row in found.rows("here") if row[0]),
        owner=found.one("owner"),
        user=found.one("user"),
        new=version.files,
        old=old,
        document=document,
        hashes={row[0]: row[1] for row in found.rows("hash")},
        images={row[0]: row[1] for row in found.rows("image")},
        containers=tuple(_container(row) for row in found.rows("container")),
        networks=tuple(row[0] for row in found.rows("network")),
        volumes=tuple(row[0] for row in found.rows("volume")),
        listening=tuple(int(row[0], 16) for row in found.rows("listening")),
        free=int(found.one("free") or 0),
        free_images=int(found.one("free_images") or 0),
    )


class _Found:
    """The lines that plan.sh printed, by their first word."""

    def __init__(self, output: str):
        self._lines: dict[str, list[list[str]]] = {}
        for line in output.splitlines():
            kind, *rest = line.split("\t")
            self._lines.setdefault(kind, []).append(rest)

    def has(self, kind: str) -> bool:
        return kind in self._lines

    def rows(self, kind: str) -> list[list[str]]:
        return self._lines.get(kind, [])

    def one(self, kind: str) -> str:
        return next((row[0] for row in self.rows(kind) if row), "")

    def decoded(self, kind: str) -> str:
        return base64.b64decode(self.one(kind)).decode("utf-8", "replace")


def _holds_secret(path: str, content: bytes) -> bool:
    text = content.decode("utf-8", "replace")
    variables = written_variables(text) if ".env" in path else ()
    return "PRIVATE KEY-----" in text or any(sounds_secret(name) and value for name, value in variables)


def _container(row: list[str]) -> OldContainer:
    service, config, reference, image, status, code, files, env_files = (*row, "", "")[:8]
    return OldContainer(
        service, config, reference, image, status, int(code or 0), _listed(files), _listed(env_files)
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split(",") if each and each != "<no value>")


def _teach(contents: list[bytes], named_by: Path) -> None:
    """Redact from now on what is secret in the files of both versions."""
    for content in contents:
        text = content.decode("utf-8", "replace")
        if "PRIVATE KEY" in text:
            learn({}, {}, [("LAGO_RSA_PRIVATE_KEY", text)], named_by)
        else:
            learn({}, {}, written_variables(text), named_by)
