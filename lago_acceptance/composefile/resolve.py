"""What Compose makes of a file, and as much as possible of one that it refuses."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.bounded_files import project_of
from lago_acceptance.composefile.cli import Project, Refused, Resolved, config
from lago_acceptance.composefile.env_files import EnvFiles
from lago_acceptance.composefile.error_messages import without_values
from lago_acceptance.composefile.named_files import NamedFiles, Scope, environment_variables
from lago_acceptance.composefile.platform_keys import platform_keys, platform_of, refused_keys
from lago_acceptance.composefile.yaml_lines import Unusable, YamlPath
from lago_acceptance.core.looks_secret import looks_secret
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.interpolation import MADE_BY_COOLIFY, MADE_BY_PLATFORM, Use, expand

# How often Compose is asked again without keys that it doesn't know, or with variables that it missed in files that it
# includes itself.
ROUNDS = 6
_NUMERIC = {
    "ports": "39999",
    "published": "39999",
    "mem_limit": "4294967296",
    "memory": "4294967296",
    "replicas": "1",
    "cpus": "1",
    "pids_limit": "1",
    "shm_size": "4294967296",
    "retries": "1",
    **dict.fromkeys(("interval", "timeout", "start_period", "stop_grace_period"), "10s"),
}
_BLANK = re.compile(r'The \\?"(\w+)\\?" variable is not set')
_MISSING = re.compile(r"required variable (\w+) is missing a value")


def resolve(project: Project) -> Resolved:
    """What Compose makes of a project; UsageError with its reason if it refuses the files."""
    for path in (*project.files, *project.env_files):
        if not path.is_file():
            raise UsageError(
                f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; give a compose or environment file"
            )
    _refuse_what_reaches_out(project)
    try:
        return config(project)
    except Refused as refused:
        read = [path.read_text("utf-8", "replace") for path in (*project.files, *project.env_files)]
        reason = without_values("\n".join(refused.reasons[-3:]), read)[:400]
        raise UsageError(f"Compose can't read {project.files[0]}: {reason}") from None


def _refuse_what_reaches_out(project: Project) -> None:
    """UsageError where the files make Compose fetch something, or read a device, a pipe or a file of the kernel."""
    named = NamedFiles(project_of(project.directory))
    try:
        values = {**environment_variables(project.env_files), **project.variables}
        for path in project.files:
            named.add_file(path, Scope(project.directory, values))
    except Unusable as error:
        raise UsageError(f"{project.files[0]} can't be used: {error}") from error
    for unread in named.unread:
        if unread.why != "outside":
            what = "an address" if unread.why == "address" else "a device, a pipe or a file of the kernel"
            raise UsageError(
                f"{unread.key} in {unread.via} names {what}, which is neither fetched nor opened: "
                "commit the file to the repository and name it by its path"
            )


class TolerantResolver:
    """Compose's own view of one file. ``error`` is why Compose refuses the file, or ""; ``error_at`` is where in it.

    ``later`` are the variables that are given at deploy time only, each with its substitute;
    ``platform_keys`` are the keys that were taken out because only a platform knows them, by platform;
    ``blank`` are those that Compose warns of and replaces by nothing.
    ``stand_ins`` are values for variables that nothing sets, where Compose refuses the file without them.
    ``unresolved``: Compose has not read the env_file entries of the services. What ``named`` found unread is not opened.
    """

    def __init__(
        self,
        path: Path,
        directory: Path,
        interpolation_files: tuple[Path, ...],
        values: dict[str, str],
        env_files: EnvFiles,
        uses: list[tuple[Use, YamlPath]],
        text: str,
        named: NamedFiles,
        overlays: tuple[Path, ...] = (),
    ):
        self.directory, self.text = directory, text
        self.interpolation_files, self.values, self.uses = interpolation_files, values, uses
        self.env_files = env_files
        self._named, self._instead = named, named.without_them
        self.platform_keys: dict[str, dict[str, None]] = {}
        # Given an environment file, Compose doesn't look for one itself.
        read = tuple(each.resolve() for each in interpolation_files) or (Path(os.devnull),)
        self._below = base_of(path)
        files = () if self._instead else (*self._below, path, *overlays)
        self.project = Project(files=files, env_files=read, folder=directory)
        self.later: dict[str, str] = {}
        self.blank: frozenset[str] = frozenset()
        self.stand_ins: dict[str, str] = {}
        self.error = ""
        self.error_at: YamlPath = ()
        self.unresolved = self._instead is not None or any(each.key == "env_file" for each in named.unread)

    def document(self, written: dict[str, Any], twice: tuple[YamlPath, ...]) -> dict[str, Any]:
        """Compose's document, repaired where Compose refuses the file; empty if that does not help.

        ``written`` is the file's own document, ``twice`` the keys that appear twice in it.
        """
        self._give_later()
        if twice:
            place = twice[0]
            if place[-2:-1] not in (("labels",), ("environment",)):
                self.error, self.error_at = f"the key {place[-1]} appears twice in one mapping", place
            return self._of_data(written)
        rounds = 0
        while True:
            try:
                return self._config(override=None if self.unresolved else self.env_files.optional)
            except Refused as refused:
                reasons = refused.reasons
                rounds += 1
                if rounds >= ROUNDS or not (
                    self._without_unknown_keys(reasons, written) or self._give_missing(reasons)
                ):
                    break
        if self._give_blank():
            try:
                return self._config(override=None if self.unresolved else self.env_files.optional)
            except Refused:
                self.stand_ins = {}
        if not self.error and not (
            self._for_coolify() and any("undefined volume" in reason for reason in reasons)
        ):
            self.error, self.error_at = self._explained(reasons)
        self.unresolved = True
        try:
            return self._config("--no-env-resolution", "--no-consistency")
        except Refused:
            return self._of_data(self.expanded(written))

    def _config(self, *flags: str, override: dict[str, Any] | None = None) -> dict[str, Any]:
        variables = {**self.stand_ins, **self.later, "COMPOSE_PROFILES": "*"}
        project = msgspec.structs.replace(self.project, variables=variables)
        if self.unresolved and "--no-env-resolution" not in flags:
            flags = ("--no-env-resolution", *flags)
        given = self._instead if override is None else override
        resolved = config(project, *flags, override=given)
        self.blank = frozenset(_BLANK.findall("\n".join(resolved.warnings)))
        return resolved.document

    def _of_data(self, document: dict[str, Any]) -> dict[str, Any]:
        """Compose's view of a document that was repaired where Compose stops; empty if it still does."""
        self.unresolved = True
        below = () if self._instead else self._below
        self.project = msgspec.structs.replace(self.project, files=below)
        try:
            return self._config("--no-env-resolution", "--no-consistency", override=_typed(document))
        except Refused as refused:
            if not self.error:
                self.error, self.error_at = self._explained(refused.reasons)
            return {}

    def _for_coolify(self) -> bool:
        """Whether Coolify deploys the file; Coolify declares the volumes that services use."""
        return any(MADE_BY_COOLIFY.fullmatch(use.name) for use, _ in self.uses)

    def _without_unknown_keys(self, reasons: tuple[str, ...], written: dict[str, Any]) -> bool:
        """Take out the keys that Compose doesn't know; whether there were any.

        Those of a deploy platform are only noted, any other is an error of the file.
        """
        refusal = refused_keys(" ".join(reasons))
        if refusal is None:
            return False
        known = () if self.platform_keys else tuple(platform_keys(written))
        # Compose does not say where a key with dots begins.
        taken_out = {_joined(place, key) for place, keys in known for key in keys}
        unknown = [
            key
            for key in refusal.keys
            if not platform_of(refusal.place, key) and _joined(refusal.place, key) not in taken_out
        ]
        if unknown and not self.error:
            where = ".".join(map(str, refusal.place)) or "the file"
            is_name = re.fullmatch(r"[\w.-]{1,60}", unknown[0]) and not looks_secret(unknown[0])
            key = unknown[0] if is_name else "…"
            self.error = f"Compose refuses it: {where} has the key {key}, which Compose doesn't know"
            self.error_at = (*refusal.place, unknown[0])
        for place, keys in known:
            for key in keys:
                self.platform_keys.setdefault(platform_of(place, key), {})[key] = None
        for key in refusal.keys:
            if platform := platform_of(refusal.place, key):
                self.platform_keys.setdefault(platform, {})[key] = None
        taken = [self._named.leave_out(place, keys) for place, keys in (refusal, *known)]
        self._instead = self._named.without_them
        self.project = msgspec.structs.replace(self.project, files=())
        self.unresolved = True
        return any(taken)

    def _give_later(self) -> None:
        """A substitute for each variable that is set at deploy time only."""
        for use, path in self.uses:
            asked = use.required and not self.interpolation_files or MADE_BY_PLATFORM.fullmatch(use.name)
            if asked and use.name not in self.values:
                self.later[use.name] = _substitute(use.name, path)

    def _give_blank(self) -> bool:
        """Substitutes for variables without value and default; whether there are any."""
        unset = [each for each in self.uses if not each[0].operator and each[0].name not in self.values]
        self.stand_ins = {use.name: _substitute(use.name, path) for use, path in reversed(unset)}
        return bool(self.stand_ins)

    def _give_missing(self, reasons: tuple[str, ...]) -> bool:
        """Substitutes for variables that Compose misses in files it includes; whether there were any."""
        if self.interpolation_files:
            return False
        names = [name for name in _MISSING.findall(" ".join(reasons)) if name not in self.later]
        self.later.update({name: given_later(name) for name in names})
        return bool(names)

    def expanded(self, value: Any) -> Any:
        """A written value with its variables filled in, as far as they are known."""

        def known(use: Use) -> str:
            if use.name in self.values or use.name in self.later:
                return (self.values.get(use.name) or self.later.get(use.name, "")).replace("$", "$$")
            return expand(use.default or "", known)

        if isinstance(value, dict):
            return {key: self.expanded(child) for key, child in value.items()}
        if isinstance(value, list):
            return [self.expanded(child) for child in value]
        if not isinstance(value, str):
            return value
        # A dollar sign that Compose refuses was meant for the shell.
        return expand(value, known).replace("$", "$$")

    def _explained(self, reasons: tuple[str, ...]) -> tuple[str, YamlPath]:
        """Compose's reason without any value, and the path to what it is about."""
        reason = " ".join(reasons)
        if found := _MISSING.search(reason):
            path = next((path for use, path in self.uses if use.name == found[1] and use.required), ())
            return f"the required variable {found[1]} is not set", path
        if found := re.search(r"invalid interpolation format for ([\w.\-\[\]]+)", reason):
            return (
                f"Compose can't interpolate {found[1].strip('.')}: a dollar sign there is neither a variable nor doubled",
                _path_of(found[1]),
            )
        if re.search(r"out of memory|cannot allocate memory", reason):
            return (
                "Compose needs more than 192 MiB of memory for it: a variable or an anchor in it expands too far",
                (),
            )
        if "panic:" in reason:
            return "Compose itself crashes on it: a value in it has a type that Compose does not expect", ()
        place = re.search(r"(?<![\w/])(?:services|networks|volumes|secrets|configs)[.\[][\w.\-\[\]]+", reason)
        service = re.search(r"service \"([\w-]+)\"", reason)
        path = _path_of(place[0]) if place else ("services", service[1]) if service else ()
        said = f"Compose refuses it: {self._without_values(reasons)}"
        if "failed to read" in reason:
            # An environment file: the line is not one of the compose file.
            return said, path or self._entry_of(reason)
        line = re.search(r"line (\d+)", reason)
        return said, ("line", int(line[1])) if line and not path else path

    def _entry_of(self, reason: str) -> YamlPath:
        """The path to the env_file entry that a reason names; () if it is none of a service."""
        for service, paths in self.env_files.by_service.items():
            if any(path in reason for path in paths):
                return "services", service, "env_file"
        return ()

    def _without_values(self, reasons: tuple[str, ...]) -> str:
        read = [self.text, *self.env_files.texts.values(), *(f"{n}={v}" for n, v in self.values.items())]
        return without_values("\n".join(reasons).replace(f"{self.directory}/", ""), read)


def _joined(place: YamlPath, key: str) -> str:
    return ".".join(map(str, (*place, key)))


def _substitute(name: str, path: YamlPath) -> str:
    """A substitute for a variable: a number or a time where Compose insists on one."""
    return next((_NUMERIC[str(key)] for key in reversed(path) if str(key) in _NUMERIC), given_later(name))


def _path_of(place: str) -> YamlPath:
    """The path that Compose writes as services.api.ports.[0], or as services[api].ports[0]."""
    keys = re.split(r"[.\[\]]+", place.strip("[]."))
    return tuple(int(key) if key.isdigit() else key for key in keys)


def base_of(path: Path) -> tuple[Path, ...]:
    """The file that an override file belongs to (compose.yml for compose.override.yml); none if there is none."""
    base, override, ending = path.name.partition(".override.")
    if not (override and ending):
        return ()
    found = (path.with_name(f"{base}.{each}") for each in ("yml", "yaml"))
    return tuple(each for each in found if each.is_file())[:1]


def _typed(value: Any) -> Any:
    """Texts as YAML would type them, where Compose insists on a type."""
    if isinstance(value, dict):
        return {key: _typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_typed(child) for child in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) < 10 else value
