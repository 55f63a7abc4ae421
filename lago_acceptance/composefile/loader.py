"""Both views of a compose file: the model that Compose resolves, and the source as it is written, with lines.

Needs no daemon and no network. An error in the file itself is part of the result, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lago_acceptance.composefile.bounded_files import project_of, read_regular, unread_because
from lago_acceptance.composefile.completion import with_blanks_unknown, with_env_files, with_whole_commands
from lago_acceptance.composefile.cut_values import cut_values
from lago_acceptance.composefile.env_files import (
    env_files_of,
    environment_text,
    interpolation_variables,
    written_variables,
)
from lago_acceptance.composefile.named_files import NamedFiles, Scope
from lago_acceptance.composefile.neighbours import committed, mounted
from lago_acceptance.composefile.overlays import Overlay, laid_over, parts_of_services, read_overlays
from lago_acceptance.composefile.resolve import TolerantResolver, base_of
from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.composefile.variable_uses import left_empty, uses_of
from lago_acceptance.composefile.yaml_lines import SIZE_CAP, ParsedYaml, Unusable, YamlPath, read, with_lines
from lago_acceptance.core.roles import FRONT, LAGO_RUBY
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.unseen_environment import unseen_notes, with_unseen_environments
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.interpolation import MADE_BY_COOLIFY, interpolated
from lago_acceptance.model.source import ComposeSource, UnreadFile
from lago_acceptance.shell.parser import LENGTH_CAP

ERROR_CAP = 320
_NO_IMAGE = re.compile(r'service "([\w.-]+)" has neither an image nor a build')
OUT_OF_MEMORY = "judging it takes more than 256 MiB of memory"


class Source(msgspec.Struct, frozen=True):
    """One compose file to check: the path as it was given, its model and its lines.

    ``notes`` say what could not be checked; ``overlaid`` are the lines of the files that are laid over it, by path.
    """

    path: str
    model: Model
    text: tuple[str, ...]
    notes: tuple[str, ...] = ()
    overlaid: dict[str, tuple[str, ...]] = {}

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The lines of each of its files, by path."""
        return {self.path: self.text, **self.overlaid}

    @property
    def written(self) -> ComposeSource:
        assert self.model.source is not None
        return self.model.source


def load(
    path: Path, env_file: Path | None, directory: Path | None = None, overlays: tuple[Path, ...] = ()
) -> Source:
    """The source of one file. A fault of the file never raises: it is ``written.compose_error``.

    ``directory`` is where relative paths start, if not beside the file; ``overlays`` are files that are laid over it.
    """
    folder = (directory or path.parent).resolve()
    project = project_of(folder)
    try:
        if directory is None and unread_because(path, project) == "outside":
            raise Unusable(f"it is a link to a file outside its project {project}; name that file itself")
        data = read_regular(path, SIZE_CAP, "the file")
        parsed, above = read(data), read_overlays(overlays)
        text = data.decode("utf-8-sig")
        return _Loader(path, parsed, text, env_file, Folders(folder, project), above).source()
    except Unusable as error:
        return refused(path, str(error), ("line", error.line) if error.line else ())
    except RecursionError:
        return refused(path, "something in it is nested too deep")
    except MemoryError:
        return refused(path, OUT_OF_MEMORY)


def refused(path: Path, reason: str, at: YamlPath = ()) -> Source:
    """The source of a file that can't be judged, and why."""
    written = ComposeSource(path=str(path), document={}, compose_error=redact(reason), error_at=at)
    return Source(str(path), Model(observed=False, project="", source=written), ())


class Folders(NamedTuple):
    """The folder where a file's relative paths start, and the one that holds its whole project."""

    own: Path
    project: Path


class _Loader:
    """Puts the two views of one file together."""

    def __init__(
        self,
        path: Path,
        parsed: ParsedYaml,
        text: str,
        env_file: Path | None,
        folders: Folders,
        overlays: tuple[Overlay, ...],
    ):
        parsed, self.lines_above = laid_over(parsed, overlays)
        self.path, self.text, self.raw, self.overlays = path, text, parsed.document, overlays
        self.parsed = msgspec.structs.replace(parsed, document=_shaped(parsed.document))
        self.directory, self.project = folders
        self.named = NamedFiles(self.project)
        beside = self.directory / ".env"
        why = unread_because(beside, self.project)
        if why and not env_file and beside.exists():
            self.named.unread.append(UnreadFile(key=".env", why=why, named=".env"))
        there = not why and beside.is_file()
        self.interpolation_files = (env_file,) if env_file else (beside,) if there else ()
        texts = _texts(self.interpolation_files, asked_for=env_file is not None)
        self.interpolation_texts = {str(path): text for path, text in texts.items()}
        self.values = interpolation_variables(texts)
        self._look_at_named_files()
        uses = list(uses_of(parsed.document))
        self.unset = frozenset(
            use.name
            for use, _ in uses
            if use.name not in self.values and not MADE_BY_COOLIFY.fullmatch(use.name)
        )
        self.env_files = env_files_of(
            self.parsed.document["services"], self.directory, self.project, self.values
        )
        env_texts = {**self.interpolation_texts, **self.env_files.texts}
        self.env_variables = {path: tuple(written_variables(text)) for path, text in env_texts.items()}
        self.resolving = TolerantResolver(
            path,
            self.directory,
            self.interpolation_files,
            self.values,
            self.env_files,
            uses,
            "\n".join([text, *(each.text for each in overlays)]),
            self.named,
            tuple(each.path for each in overlays),
        )

    def _look_at_named_files(self) -> None:
        scope = Scope(self.directory, self.values)
        for base in base_of(self.path):
            self.named.add_base(base, scope)
        self.named.add(self.parsed.nodes, scope)
        for each in self.overlays:
            self.named.add(each.parsed.nodes, scope, each.path.name)
        if self.named.without_them:
            pruned = [
                msgspec.structs.replace(each, parsed=with_lines(each.parsed.nodes[0]))
                for each in self.overlays
            ]
            self.raw = laid_over(with_lines(self.parsed.nodes[0]), tuple(pruned))[0].document

    def source(self) -> Source:
        """Compose's model, with what only the text shows."""
        resolving = self.resolving
        document = resolving.document(self.raw, self.parsed.twice)
        variables = (
            *self.values.items(),
            *(each for written in self.env_variables.values() for each in written),
        )
        learn(self.raw, document, variables, self.directory)
        for each in self.overlays:
            # What it overrides is in the text, too.
            learn(each.parsed.document, {}, (), self.directory)
        parts = self._parts()
        model = with_env_files(declared(document), self.env_files, resolving.unresolved)
        model = with_whole_commands(model, self.parsed.document["services"], resolving.expanded)
        env_texts = (*self.interpolation_texts.values(), *self.env_files.texts.values())
        set_here = {**self.values, **resolving.later}
        unset = left_empty(self.parsed.document, set_here, resolving.blank, env_texts)
        known = {**set_here, **{name: given_later(name) for name in unset}}
        model = with_blanks_unknown(
            model,
            self.parsed.document["services"],
            (path for paths in unset.values() for path in paths),
            lambda text: interpolated(text, known),
        )
        files = {**model.files, **mounted(model, self.directory, self.project)}
        model = with_unseen_environments(msgspec.structs.replace(model, files=files))
        written = ComposeSource(
            path=str(self.path),
            document=self.parsed.document,
            unset=self.unset,
            blank=unset,
            refused_blank=bool(resolving.stand_ins),
            cut_values=cut_values(self.interpolation_texts, self.env_files, self._own_variables, self.values),
            environment_known=bool(self.interpolation_files),
            interpolation_files=tuple(map(str, self.interpolation_files)),
            env_files=self.env_files.by_service,
            missing_files=self.env_files.missing,
            env_texts=self.env_files.texts,
            env_variables=self.env_variables,
            repeated=self.parsed.repeated,
            lines=self.parsed.lines,
            pem_lines=tuple(
                number
                for number, line in enumerate(self.text.splitlines(), 1)
                if re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!\s*\.\.\.)", line)
                and _is_key(self.text, line)
            ),
            committed=committed(self.directory, {**files, **self.env_files.texts}),
            unread=tuple(self.named.unread),
            compose_error="" if parts else redact(self._error())[:ERROR_CAP],
            error_at=resolving.error_at,
            overlays=tuple(
                (str(each.path), lines) for each, lines in zip(self.overlays, self.lines_above, strict=True)
            ),
            parts=parts,
        )
        if parts:
            model = Model(observed=False, project="")
        return Source(
            str(self.path),
            msgspec.structs.replace(model, source=written, profiles=self._profiles()),
            tuple(self.text.splitlines()),
            () if parts else tuple(self._notes(model)),
            {str(each.path): tuple(each.text.splitlines()) for each in self.overlays},
        )

    def _parts(self) -> tuple[str, ...]:
        """The services of a file that is only a part, as Compose says it as well."""
        alone = not self.overlays and not base_of(self.path)
        refused = _NO_IMAGE.search(self.resolving.error)
        return parts_of_services(self.parsed.document) if alone and refused else ()

    def _error(self) -> str:
        """Why Compose refuses the files, "" where it doesn't."""
        refused = _NO_IMAGE.search(self.resolving.error)
        for each in self.overlays if refused else ():
            if refused and refused[1] in (each.parsed.document.get("services") or {}):
                return (
                    f"{each.path.name} changes the service {refused[1]}, which has neither an image nor a build: "
                    f"{self.path.name} has no service of that name, or no image for it"
                )
        return self.resolving.error

    def _profiles(self) -> frozenset[str]:
        """The profiles that a plain `up` activates."""
        listed = self.values.get("COMPOSE_PROFILES", "").split(",")
        return frozenset(name for each in listed if (name := each.strip()))

    @property
    def _own_variables(self) -> dict[str, frozenset[str]]:
        """The names that each service's own `environment` sets."""
        services = self.parsed.document["services"]
        return {
            name: frozenset(str(entry).partition("=")[0] for entry in service.get("environment") or ())
            for name, service in services.items()
        }

    def _notes(self, model: Model) -> Iterator[str]:
        if later := self.resolving.later:
            yield f"not checked, set at deploy time only: {', '.join(sorted(later))} (pass them with --env-file)"
        long = [each.name for each in model.services if _too_long(each)]
        if long:
            yield f"not checked: commands and healthchecks of more than {LENGTH_CAP // 1000} kB ({', '.join(long)})"
        if not model.of_role(*LAGO_RUBY, FRONT):
            yield "no Lago service was found in it (by image, command or label), so there was little to check"
        if any(each.key == ".env" for each in self.named.unread):
            yield "the .env beside it is not a regular file of its project, so it was not read; pass it with --env-file"
        for platform, keys in self.resolving.platform_keys.items():
            yield f"judged without {', '.join(keys)}, which only {platform} knows: Compose itself refuses the file with them"
        yield from unseen_notes(model)


def _too_long(service: Service) -> bool:
    check = service.healthcheck.command if service.healthcheck else ""
    return len(service.full_command) > LENGTH_CAP or len(check) > LENGTH_CAP


def _texts(files: tuple[Path, ...], asked_for: bool) -> dict[Path, str]:
    try:
        return {path.resolve(): environment_text(path) for path in files}
    except Unusable as error:
        if asked_for:
            raise UsageError(f"--env-file {files[0]} can't be used: {error}") from error
        raise


def _is_key(text: str, line: str) -> bool:
    """Whether a PEM header has a key below it, and is not just mentioned in a comment or a check."""
    after = text[text.index(line) :].split("PRIVATE KEY-----", 1)[-1][:200]
    return bool(re.search(r"[A-Za-z0-9+/]{30,}", after))


def _shaped(document: dict[str, Any]) -> dict[str, Any]:
    """The document with malformed services and environments left empty; Compose reports them."""
    services = {}
    for name, service in (document.get("services") or {}).items():
        service = dict(service) if isinstance(service, dict) else {}
        if not isinstance(service.get("environment"), dict | list):
            service.pop("environment", None)
        services[name] = service
    return {**document, "services": services}
