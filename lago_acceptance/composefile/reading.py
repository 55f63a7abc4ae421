"""What is read of a compose file, and of the files that it needs, before Compose gets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lago_acceptance.composefile.bounded_files import unread_because
from lago_acceptance.composefile.env_files import (
    env_files_of,
    environment_text,
    interpolation_variables,
    written_variables,
)
from lago_acceptance.composefile.named_files import NamedFiles, Scope
from lago_acceptance.composefile.overlays import Overlay, laid_over
from lago_acceptance.composefile.resolve import TolerantResolver, base_of
from lago_acceptance.composefile.variable_uses import uses_of
from lago_acceptance.composefile.yaml_lines import ParsedYaml, Unusable, with_lines
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.interpolation import MADE_BY_PLATFORM
from lago_acceptance.model.source import UnreadFile


class Folders(NamedTuple):
    """The folder where a file's relative paths start, and the one that holds its whole project."""

    own: Path
    project: Path


class Reading:
    """One file, parsed, with its environment files and overlays; ``resolving`` gives it to Compose."""

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
            if use.name not in self.values and not MADE_BY_PLATFORM.fullmatch(use.name)
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


def _texts(files: tuple[Path, ...], asked_for: bool) -> dict[Path, str]:
    try:
        return {path.resolve(): environment_text(path) for path in files}
    except Unusable as error:
        if asked_for:
            raise UsageError(f"--env-file {files[0]} can't be used: {error}") from error
        raise


def _shaped(document: dict[str, Any]) -> dict[str, Any]:
    """The document with malformed services and environments left empty; Compose reports them."""
    services = {}
    for name, service in (document.get("services") or {}).items():
        service = dict(service) if isinstance(service, dict) else {}
        if not isinstance(service.get("environment"), dict | list):
            service.pop("environment", None)
        services[name] = service
    return {**document, "services": services}
