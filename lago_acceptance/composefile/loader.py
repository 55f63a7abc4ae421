"""Both views of a compose file: the model that Compose resolves, and the source as it was written, with lines.

Needs no daemon and no network. What is wrong with the file itself is part of the result, never an exception.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.env_files import env_files_of, environment_text, variables_of
from lago_acceptance.composefile.neighbours import committed, mounted
from lago_acceptance.composefile.resolve import TolerantResolver
from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.composefile.yaml_lines import ParsedYaml, Unusable, YamlPath, read
from lago_acceptance.core.roles import DB, FRONT, LAGO_RUBY, role_of
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.from_compose import declared
from lago_acceptance.model.interpolation import MADE_BY_COOLIFY, nested
from lago_acceptance.model.source import ComposeSource
from lago_acceptance.shell.words import OPERATORS, split

COMPOSE_NAMES = re.compile(r"(^|[-._])compose([-._].*)?\.ya?ml$")
ERROR_CAP = 320
# What a service gets by its env_file, as a rule.
_LAGO_EXPECTS = (
    "RAILS_ENV",
    "SECRET_KEY_BASE",
    "DATABASE_URL",
    "REDIS_URL",
    "LAGO_RSA_PRIVATE_KEY",
    "LAGO_API_URL",
    "LAGO_FRONT_URL",
    "LAGO_PDF_URL",
    "LAGO_REDIS_CACHE_URL",
    "LAGO_ENCRYPTION_PRIMARY_KEY",
    "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    "LAGO_DISABLE_SIGNUP",
)


class Source(msgspec.Struct, frozen=True):
    """One compose file under judgement: the path as it was given, its model and its text by lines.

    ``notes`` are what could not be judged, in words.
    """

    path: str
    model: Model
    text: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def written(self) -> ComposeSource:
        assert self.model.written is not None
        return self.model.written


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """The compose files that paths name: a file is itself, a folder is every compose file below it.

    UsageError with one sentence where a path leads nowhere.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                each
                for each in path.rglob("*.y*ml")
                if COMPOSE_NAMES.search(each.name) or each.parent == path
            )
            inside = [each for each in inside if each.is_file() and ".git" not in each.parts]
            if not inside:
                raise UsageError(f"{path} is a folder without a compose file")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path} is not there")
    return list(dict.fromkeys(found))


def load_all(paths: list[Path], env_file: Path | None) -> list[Source]:
    """The sources of several files; Compose runs for some of them at a time."""
    if len(paths) == 1:
        return [load(paths[0], env_file)]
    with ThreadPoolExecutor(max_workers=min(8, (os.cpu_count() or 2) * 2)) as pool:
        return list(pool.map(lambda path: load(path, env_file), paths))


def load(path: Path, env_file: Path | None, directory: Path | None = None) -> Source:
    """The source of one file. Never raises for the file's own fault: that is ``written.compose_error``.

    ``directory`` is where relative paths start from, if not beside the file.
    """
    try:
        data = _content(path)
        loader = _Loader(path, read(data), data.decode("utf-8-sig"), env_file, directory)
    except Unusable as error:
        return _refused(path, str(error), ("line", error.line) if error.line else ())
    return loader.source()


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise Unusable("it is no file that can be read twice: a pipe, a device or a socket")
    try:
        if path.stat().st_size > 50_000_000:
            raise Unusable(f"the file has {path.stat().st_size / 1e6:.0f} MB; no compose file is as large")
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"the file can't be read: {error.strerror}") from error


def _refused(path: Path, reason: str, at: YamlPath) -> Source:
    written = ComposeSource(path=str(path), document={}, compose_error=redact(reason), error_at=at)
    return Source(str(path), Model(observed=False, project="", written=written), ())


class _Loader:
    """Puts the two views of one file together."""

    def __init__(
        self, path: Path, parsed: ParsedYaml, text: str, env_file: Path | None, directory: Path | None
    ):
        self.path, self.text, self.raw = path, text, parsed.document
        self.parsed = msgspec.structs.replace(parsed, document=_shaped(parsed.document))
        self.directory = directory or path.resolve().parent
        beside = self.directory / ".env"
        self.interpolation_files = (env_file,) if env_file else (beside,) if beside.is_file() else ()
        values = _variables(self.interpolation_files, asked_for=env_file is not None)
        uses = list(_uses(parsed.document, ()))
        self.unset = frozenset(
            use.name for use, _ in uses if use.name not in values and not MADE_BY_COOLIFY.fullmatch(use.name)
        )
        self.env_files = env_files_of(self.parsed.document["services"], self.directory, values)
        self.variables = [*values.items()]
        for variables in map(variables_of, self.env_files.texts.values()):
            self.variables += variables.items()
        self.resolving = TolerantResolver(path, self.directory, self.interpolation_files, values, uses, text)

    def source(self) -> Source:
        """Compose's model, with what only the text tells."""
        resolving = self.resolving
        document = resolving.document(self.raw, self.parsed.twice, bool(self.env_files.unseen))
        learn(self.raw, document, self.variables, self.directory)
        model = self._completed(declared(document))
        files = {**model.files, **mounted(model, self.directory)}
        written = ComposeSource(
            path=str(self.path),
            document=self.parsed.document,
            unset=self.unset,
            environment_known=bool(self.interpolation_files),
            interpolation_files=tuple(map(str, self.interpolation_files)),
            env_files=self.env_files.by_service,
            missing_files=self.env_files.missing,
            env_texts=self.env_files.texts,
            repeated=self.parsed.repeated,
            lines=self.parsed.lines,
            pem_lines=tuple(
                number
                for number, line in enumerate(self.text.splitlines(), 1)
                if re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!\s*\.\.\.)", line)
                and _is_key(self.text, line)
            ),
            committed=committed(self.directory, {**files, **self.env_files.texts}),
            compose_error=redact(resolving.error)[:ERROR_CAP],
            error_at=resolving.error_at,
        )
        return Source(
            str(self.path),
            msgspec.structs.replace(model, files=files, written=written),
            tuple(self.text.splitlines()),
            tuple(self._notes(model)),
        )

    def _notes(self, model: Model) -> Iterator[str]:
        if later := self.resolving.later:
            yield f"not judged, for it is given at deploy time: {', '.join(sorted(later))} (--env-file tells it)"
        if not model.of_role(*LAGO_RUBY, FRONT):
            yield "nothing of Lago was recognised in it, by image, command or label: there was little to judge"
        if self.env_files.unseen:
            yield "not judged: what stands in env_file entries that are not there"

    def _completed(self, model: Model) -> Model:
        """The model with what Compose left out: env_file where one is missing, and a command after its first operator.

        What stands in a missing env_file is unknown, not absent.
        """
        services = []
        for service in model.services:
            if self.env_files.unseen or self.resolving.unresolved:
                given: dict[str, str | None] = {}
                for path in self.env_files.by_service.get(service.name, ()):
                    given.update(variables_of(self.env_files.texts.get(path, "")))
                if service.name in self.env_files.unseen:
                    given.update(
                        {name: given_later(name) for name in _expected(service.role) if name not in given}
                    )
                service = msgspec.structs.replace(service, environment={**given, **service.environment})
            for key in ("command", "entrypoint"):
                text = self.parsed.document["services"].get(service.name, {}).get(key)
                words = (
                    split(self.resolving.expanded(text).replace("$$", "$")) if isinstance(text, str) else ()
                )
                if len(words) > len(getattr(service, key)) and any(
                    word in OPERATORS or word.endswith(";") for word in words
                ):
                    service = msgspec.structs.replace(service, **{key: words})
                    service = msgspec.structs.replace(
                        service, role=role_of(service.image, service.full_command, service.labels)
                    )
            services.append(service)
        return msgspec.structs.replace(model, services=tuple(services))


def _variables(files: tuple[Path, ...], asked_for: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in files:
        try:
            found.update(variables_of(environment_text(file)))
        except Unusable as error:
            if asked_for:
                raise UsageError(f"--env-file {file} can't be used: {error}") from error
            raise
    return found


def _expected(role: str | None) -> tuple[str, ...]:
    """The variables that a service of a role would find in its env_file."""
    return (
        _LAGO_EXPECTS
        if role in LAGO_RUBY
        else {FRONT: ("API_URL",), DB: ("POSTGRES_PASSWORD",)}.get(role or "", ())
    )


def _uses(value: Any, way: YamlPath) -> Any:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _uses(child, (*way, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            named = (
                str(child).partition("=")[0]
                if way[-1:] in (("environment",), ("labels",)) and isinstance(child, str)
                else number
            )
            yield from _uses(child, (*way, named))
    elif isinstance(value, str) and "$" in value:
        for use in nested(value):
            yield use, way


def _is_key(text: str, line: str) -> bool:
    """Whether a PEM header is followed by a body, and isn't a word in a comment or a check."""
    after = text[text.index(line) :].split("PRIVATE KEY-----", 1)[-1][:200]
    return bool(re.search(r"[A-Za-z0-9+/]{30,}", after))


def _shaped(document: dict[str, Any]) -> dict[str, Any]:
    """The document with nothing in the place of a service or an environment that is none; Compose reports those."""
    services = {}
    for name, service in (document.get("services") or {}).items():
        service = dict(service) if isinstance(service, dict) else {}
        if not isinstance(service.get("environment"), dict | list):
            service.pop("environment", None)
        services[name] = service
    return {**document, "services": services}
