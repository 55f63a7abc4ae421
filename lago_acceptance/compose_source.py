"""Both views of a compose file: the model that Compose resolves, and the source as it was written, with lines.

Needs no daemon and no network. What is wrong with the file itself is part of the result, never an exception.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.compose import Project
from lago_acceptance.compose_text import Read, Unusable, Way, read
from lago_acceptance.errors import UsageError
from lago_acceptance.interpolation import Use, expand, nested
from lago_acceptance.model import Model, Written, declared
from lago_acceptance.roles import DB, FRONT, LAGO_RUBY, role_of
from lago_acceptance.secret_values import Redactor, redact
from lago_acceptance.shell_reading import OPERATORS, split
from lago_acceptance.values import GIVEN_LATER, service_url, shape, sounds_secret

DEADLINE = 20.0
FILE_CAP = 65_536
COMPOSE_NAMES = re.compile(r"(^|[-._])compose([-._].*)?\.ya?ml$")
# What a service gets by its env_file, as a rule.
_LAGO_EXPECTS = (
    "RAILS_ENV", "SECRET_KEY_BASE", "DATABASE_URL", "REDIS_URL", "LAGO_RSA_PRIVATE_KEY", "LAGO_API_URL", "LAGO_FRONT_URL",
    "LAGO_PDF_URL", "LAGO_REDIS_CACHE_URL", "LAGO_ENCRYPTION_PRIMARY_KEY", "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT", "LAGO_DISABLE_SIGNUP",
)
_NUMERIC = {"ports": "39999", "published": "39999", "mem_limit": "4294967296", "memory": "4294967296", "replicas": "1", "cpus": "1"}


class Source(msgspec.Struct, frozen=True):
    """One compose file under judgement: the path as it was given, its model and its text by lines.

    ``notes`` are what could not be judged, in words.
    """

    path: str
    model: Model
    text: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def written(self) -> Written:
        assert self.model.written is not None
        return self.model.written


def files_in(paths: tuple[Path, ...]) -> list[Path]:
    """The compose files that paths name: a file is itself, a folder is every compose file below it.

    UsageError with one sentence where a path leads nowhere.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*.y*ml") if COMPOSE_NAMES.search(each.name) or each.parent == path)
            inside = [each for each in inside if each.is_file() and ".git" not in each.parts]
            if not inside:
                raise UsageError(f"--compose-file {path} is a folder without a compose file")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"--compose-file {path} is not there")
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
        if not path.is_file():
            raise Unusable("it is no file that can be read twice: a pipe, a device or a socket")
        if path.stat().st_size > 50_000_000:
            raise Unusable(f"the file has {path.stat().st_size / 1e6:.0f} MB; no compose file is as large")
        data = path.read_bytes()
    except OSError as error:
        return _refused(path, f"the file can't be read: {error.strerror}", ())
    except Unusable as error:
        return _refused(path, str(error), ())
    try:
        parsed = read(data)
    except Unusable as error:
        return _refused(path, str(error), ("line", error.line) if error.line else ())
    return _Loader(path, parsed, data.decode("utf-8-sig"), env_file, directory).source()


def _refused(path: Path, reason: str, at: Way) -> Source:
    written = Written(path=str(path), document={}, compose_error=redact(reason), error_at=at)
    return Source(str(path), Model(observed=False, project="", written=written), ())


class _Loader:
    """Puts the two views of one file together."""

    def __init__(self, path: Path, parsed: Read, text: str, env_file: Path | None, directory: Path | None):
        self.path, self.text = path, text
        self.parsed = msgspec.structs.replace(parsed, document=_shaped(parsed.document))
        self.raw = parsed.document
        self.directory = directory or path.resolve().parent
        beside = self.directory / ".env"
        self.env_files = (env_file,) if env_file else (beside,) if beside.is_file() else ()
        self.values = {}
        for each in self.env_files:
            self.values.update(variables_of(_small_text(each) or ""))
        self.uses = list(_uses(parsed.document, ()))
        self.unset = frozenset(use.name for use, _ in self.uses if use.name not in self.values)
        self.notes: list[str] = []
        self.error, self.error_at = "", ()
        self.unresolved = False

    def source(self) -> Source:
        """Compose's model, with what only the text tells."""
        document = self._resolved()
        _learn(document)
        _learn(self.parsed.document)
        model = self._completed(declared(document))
        files = self._mounted(model)
        env_files, env_texts, missing = self._env_files()
        written = Written(
            path=str(self.path), document=self.parsed.document, unset=self.unset, environment_known=bool(self.env_files),
            interpolation_files=tuple(map(str, self.env_files)), env_files=env_files, missing_files=missing, env_texts=env_texts,
            repeated=self.parsed.repeated, lines=self.parsed.lines,
            pem_lines=tuple(number for number, line in enumerate(self.text.splitlines(), 1)
                            if re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?!\s*\.\.\.)", line) and _is_key(self.text, line)),
            committed=self._committed([*files, *env_texts], {**files, **env_texts}),
            compose_error=redact(self.error), error_at=self.error_at,
        )
        return Source(str(self.path), msgspec.structs.replace(model, files=files, written=written),
                      tuple(self.text.splitlines()), tuple(self.notes))

    def _given_later(self) -> dict[str, str]:
        """A value for each variable that something must set at deploy time, and that nobody can know here."""
        if self.env_files:
            return {}
        later = {}
        for use, way in self.uses:
            if use.required and use.name in self.unset:
                number = next((_NUMERIC[str(key)] for key in reversed(way) if str(key) in _NUMERIC), None)
                later[use.name] = number or f"{GIVEN_LATER}{use.name.lower().replace('_', '-')}"
        if later:
            self.notes.append(f"not judged, for it is given at deploy time: {', '.join(sorted(later))} (--env-file tells it)")
        return later

    def _resolved(self) -> dict[str, Any]:
        later = self._given_later()
        path, extra = self.path, []
        if self.parsed.twice:
            place = self.parsed.twice[0]
            if place[-2:-1] != ("labels",) and place[-2:-1] != ("environment",):
                self.error, self.error_at = f"the key {place[-1]} stands twice in one mapping", place
            return self._of_text(self.raw, later)
        made, said = self._config(path, later, extra)
        if made is not None:
            return made
        self.unresolved = True
        if re.search(r"env file .* not found|no such file", said) and self._env_files()[2]:
            made, said = self._config(path, later, ["--no-env-resolution"])
            if made is not None:
                return made
        self.error, self.error_at = self._said(said)
        made, _ = self._config(path, later, ["--no-env-resolution", "--no-consistency"])
        return made if made is not None else self._of_text(self._expanded(self.raw, later), later)

    def _of_text(self, document: dict[str, Any], later: dict[str, str]) -> dict[str, Any]:
        """Compose's view of a document that was mended where Compose stops; empty where it still does."""
        self.unresolved = True
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
            json.dump(_typed(document), file)
            file.flush()
            made, said = self._config(Path(file.name), later, ["--no-env-resolution", "--no-consistency"])
        if made is None and not self.error:
            self.error, self.error_at = self._said(said)
        return made or {}

    def _expanded(self, value: Any, later: dict[str, str]) -> Any:
        def known(use: Use) -> str:
            if use.name in self.values or use.name in later:
                return (self.values.get(use.name) or later.get(use.name, "")).replace("$", "$$")
            return expand(use.default or "", known)

        if isinstance(value, dict):
            return {key: self._expanded(child, later) for key, child in value.items()}
        if isinstance(value, list):
            return [self._expanded(child, later) for child in value]
        if not isinstance(value, str):
            return value
        # A dollar sign that Compose refuses is what the writer meant for the shell.
        return expand(value, known).replace("$", "$$")

    def _config(self, path: Path, later: dict[str, str], extra: list[str]) -> tuple[dict[str, Any] | None, str]:
        project = Project(name="", files=(path,), env_files=tuple(each.resolve() for each in self.env_files),
                          variables={**later, "COMPOSE_PROFILES": "*"})
        command = project.arguments("config", "--format", "json", *extra)
        command[command.index("--project-directory") + 1] = str(self.directory)
        try:
            ended = subprocess.run(command, env=project.environment(), stdin=subprocess.DEVNULL, capture_output=True,
                                   timeout=DEADLINE, check=False)
        except subprocess.TimeoutExpired:
            return None, f"Compose did not make sense of it within {DEADLINE:.0f} s"
        said = ended.stderr.decode("utf-8", "replace")
        if ended.returncode:
            return None, said
        try:
            made = json.loads(ended.stdout)
        except ValueError:
            return None, "Compose gave no JSON"
        return (made, said) if isinstance(made, dict) and made.get("services") else (None, said or "it has no services")

    def _said(self, said: str) -> tuple[str, Way]:
        """Compose's reason without any value, and where it is."""
        lines = [line.strip() for line in said.splitlines() if line.strip() and "level=warning" not in line]
        reason = " ".join(lines) or "Compose gives no reason"
        if found := re.search(r"required variable (\w+) is missing a value", reason):
            way = next((way for use, way in self.uses if use.name == found[1] and use.required), ())
            return f"the required variable {found[1]} is not set", way
        if found := re.search(r"invalid interpolation format for ([\w.\-\[\]]+)", reason):
            way = tuple(int(key) if key.isdigit() else key for key in re.split(r"[.\[\]]+", found[1].strip("[].")))
            return f"Compose can't interpolate {found[1].strip('.')}: a dollar sign there is neither a variable nor doubled", way
        if "panic:" in reason:
            return "Compose itself crashes on it: something in it has a type that nobody expects there", ()
        reason = re.sub(r"\x1b\[[0-9;]*m", "", reason).replace(str(self.directory) + "/", "")
        found = re.search(r"services\.([\w-]+)(?:\.([\w-]+))?", reason) or re.search(r"service \"([\w-]+)\"", reason)
        way = tuple(key for key in ("services", *found.groups()) if key) if found else ()
        line = re.search(r"line (\d+)", reason)
        return f"Compose refuses it: {_without_values(reason)[:300]}", ("line", int(line[1])) if line and not way else way

    def _mounted(self, model: Model) -> dict[str, str | None]:
        files: dict[str, str | None] = {}
        for service in model.services:
            for mount in service.mounts:
                source = mount.source
                if mount.kind not in ("bind", "secret", "config") or not source.startswith(str(self.directory)):
                    continue
                path = Path(source)
                if path.is_dir():
                    for inside in sorted(path.iterdir())[:50] if service.role else ():
                        if inside.is_file():
                            files[str(inside)] = _small_text(inside)
                elif not path.exists():
                    files[source] = None
                elif (text := _small_text(path)) is not None:
                    files[source] = text
        return files

    def _completed(self, model: Model) -> Model:
        """The model with what Compose left out: env_file where one is missing, and a command after its first operator.

        What stands in a missing env_file is unknown, not absent.
        """
        by_service, texts, missing = self._env_files()
        # An env_file that may be absent is absent here; the host may have it.
        unseen = {name for name, paths in by_service.items() if any(path not in texts for path in paths)}
        services = []
        for service in model.services:
            if unseen or self.unresolved:
                given: dict[str, str | None] = {}
                for path in by_service.get(service.name, ()):
                    given.update(variables_of(texts.get(path, "")))
                if service.name in unseen:
                    given.update({name: f"{GIVEN_LATER}{name.lower().replace('_', '-')}" for name in _expected(service.role) if name not in given})
                service = msgspec.structs.replace(service, environment={**given, **service.environment})
            for key in ("command", "entrypoint"):
                text = self.parsed.document["services"].get(service.name, {}).get(key)
                words = split(self._expanded(text, {}).replace("$$", "$")) if isinstance(text, str) else ()
                if len(words) > len(getattr(service, key)) and any(word in OPERATORS or word.endswith(";") for word in words):
                    service = msgspec.structs.replace(service, **{key: words})
                    service = msgspec.structs.replace(service, role=role_of(service.image, service.full_command, service.labels))
            services.append(service)
        if not any(service.role in (*LAGO_RUBY, FRONT) for service in services):
            self.notes.append("nothing of Lago was recognised in it, by image, command or label: there was little to judge")
        if unseen:
            self.notes.append("not judged: what stands in env_file entries that are not there")
        return msgspec.structs.replace(model, services=tuple(services))

    def _env_files(self) -> tuple[dict[str, tuple[str, ...]], dict[str, str], dict[str, tuple[str, ...]]]:
        by_service: dict[str, tuple[str, ...]] = {}
        texts: dict[str, str] = {}
        missing: dict[str, tuple[str, ...]] = {}
        for name, service in self.parsed.document["services"].items():
            listed = service.get("env_file")
            for entry in listed if isinstance(listed, list) else [listed] if listed else []:
                raw = entry.get("path") if isinstance(entry, dict) else entry
                required = not isinstance(entry, dict) or str(entry.get("required", "true")).lower() != "false"
                if not isinstance(raw, str):
                    continue
                path = self.directory / expand(raw, lambda use: self.values.get(use.name) or use.default or "")
                by_service[name] = (*by_service.get(name, ()), str(path))
                if path.is_file():
                    texts[str(path)] = _small_text(path) or ""
                elif required:
                    missing[name] = (*missing.get(name, ()), raw)
        return by_service, texts, missing

    def _committed(self, paths: list[str], texts: dict[str, str | None]) -> tuple[str, ...]:
        """Those files that hold secrets and that git has."""
        telling = [path for path in paths if "PRIVATE KEY" in (texts.get(path) or "") or path.rsplit("/", 1)[-1].startswith(".env") or path.endswith(".env")]
        if not telling:
            return ()
        try:
            ended = subprocess.run(["git", "ls-files", "-z", ":/"], cwd=self.directory, capture_output=True, timeout=5, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ()
        tracked = {(self.directory / name).resolve() for name in ended.stdout.decode("utf-8", "replace").split("\0") if name}
        return tuple(path for path in telling if Path(path).resolve() in tracked)


def _expected(role: str | None) -> tuple[str, ...]:
    """The variables that a service of a role would find in its env_file."""
    return _LAGO_EXPECTS if role in LAGO_RUBY else {FRONT: ("API_URL",), DB: ("POSTGRES_PASSWORD",)}.get(role or "", ())


def variables_of(text: str) -> dict[str, str]:
    """The variables of an environment file, roughly as Compose reads them."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)", line)
        if match:
            value = match[2].strip()
            quoted = len(value) > 1 and value[0] in "\"'" and value[0] == value[-1]
            found[match[1]] = value[1:-1] if quoted else re.sub(r"\s+#.*", "", value)
    return found


def _small_text(path: Path) -> str | None:
    """The text of a file, None where it is large, binary or not to be read."""
    try:
        if path.stat().st_size > FILE_CAP:
            return None
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _uses(value: Any, way: Way) -> Any:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _uses(child, (*way, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            named = str(child).partition("=")[0] if way[-1:] in (("environment",), ("labels",)) and isinstance(child, str) else number
            yield from _uses(child, (*way, named))
    elif isinstance(value, str) and "$" in value:
        for use in nested(value):
            yield use, way


def _typed(value: Any) -> Any:
    """Texts as YAML would type them, where Compose insists on a type."""
    if isinstance(value, dict):
        return {key: _typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_typed(child) for child in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) < 10 else value


def _is_key(text: str, line: str) -> bool:
    """Whether a PEM header is followed by a body, and isn't a word in a comment or a check."""
    after = text[text.index(line) :].split("PRIVATE KEY-----", 1)[-1][:200]
    return bool(re.search(r"[A-Za-z0-9+/]{30,}", after))


def _without_values(reason: str) -> str:
    """Compose quotes what it doesn't like: long or secret-looking texts are taken out."""
    return redact(re.sub(r"\"[^\"]{24,}\"|'[^']{24,}'|`[^`]{24,}`", "…", reason))


def _shaped(document: dict[str, Any]) -> dict[str, Any]:
    """The document with nothing in the place of a service or an environment that is none; Compose reports those."""
    services = {}
    for name, service in (document.get("services") or {}).items():
        service = dict(service) if isinstance(service, dict) else {}
        if not isinstance(service.get("environment"), dict | list):
            service.pop("environment", None)
        services[name] = service
    return {**document, "services": services}


def _learn(document: dict[str, Any]) -> None:
    """Teach the redactor the secrets of a document, so that no output can hold one."""
    for service in (document.get("services") or {}).values():
        environment = service.get("environment")
        if isinstance(environment, list):
            environment = dict(str(entry).partition("=")[::2] for entry in environment)
        for name, value in (environment or {}).items():
            text = str(value or "")
            url = service_url(text)
            if url and url.password:
                Redactor.shared.learn(url.password)
            elif sounds_secret(name) and not text.startswith("${") and shape(text) not in ("empty", "unknown"):
                Redactor.shared.learn(text)
