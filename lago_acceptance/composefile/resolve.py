"""What Compose makes of a file, and as much as can be had of one that it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.yaml_lines import YamlPath
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.model.interpolation import MADE_BY_COOLIFY, Use, expand

DEADLINE = 20.0
# So often Compose is asked again, with what it has missed in files that it reads itself.
ROUNDS = 4
_NUMERIC = {
    "ports": "39999",
    "published": "39999",
    "mem_limit": "4294967296",
    "memory": "4294967296",
    "replicas": "1",
    "cpus": "1",
}
_MISSING = re.compile(r"required variable (\w+) is missing a value")


class TolerantResolver:
    """Compose's own view of one file. ``error`` is why Compose refuses it, "" where it doesn't; ``error_at`` the way there.

    ``later`` are the variables that are given at deploy time only, with what stands for each of them;
    ``unresolved``: Compose has not got as far as the environment files.
    """

    def __init__(
        self,
        path: Path,
        directory: Path,
        env_files: tuple[Path, ...],
        values: dict[str, str],
        uses: list[tuple[Use, YamlPath]],
        text: str,
    ):
        self.path, self.directory, self.text = path, directory, text
        self.below = _below(path)
        self.env_files, self.values, self.uses = env_files, values, uses
        self.later: dict[str, str] = {}
        self.error = ""
        self.error_at: YamlPath = ()
        self.unresolved = False

    def document(
        self, written: dict[str, Any], twice: tuple[YamlPath, ...], env_file_missing: bool
    ) -> dict[str, Any]:
        """Compose's document, mended where it refuses the file; empty where there is nothing to be had.

        ``written`` is the file's own document, ``twice`` the keys that stand twice in it.
        """
        self._give_later()
        if twice:
            place = twice[0]
            if place[-2:-1] != ("labels",) and place[-2:-1] != ("environment",):
                self.error, self.error_at = f"the key {place[-1]} stands twice in one mapping", place
            return self._of_text(written)
        made, said = self._config(self.path)
        for _ in range(ROUNDS):
            if made is not None or not self._give_missing(said):
                break
            made, said = self._config(self.path)
        if made is not None:
            return made
        self.unresolved = True
        if env_file_missing and re.search(r"env file .* not found|no such file", said):
            made, said = self._config(self.path, "--no-env-resolution")
            if made is not None:
                return made
        if not (self._for_coolify() and "undefined volume" in said):
            self.error, self.error_at = self._said(said)
        made, _ = self._config(self.path, "--no-env-resolution", "--no-consistency")
        return made if made is not None else self._of_text(self.expanded(written))

    def _for_coolify(self) -> bool:
        """Whether Coolify deploys the file; it declares the volumes that services name."""
        return any(MADE_BY_COOLIFY.fullmatch(use.name) for use, _ in self.uses)

    def _give_later(self) -> None:
        """A value for each variable that something must set at deploy time, and that nobody can know here."""
        for use, way in self.uses:
            asked = use.required and not self.env_files or MADE_BY_COOLIFY.fullmatch(use.name)
            if asked and use.name not in self.values:
                number = next((_NUMERIC[str(key)] for key in reversed(way) if str(key) in _NUMERIC), None)
                self.later[use.name] = number or given_later(use.name)

    def _give_missing(self, said: str) -> bool:
        """The same for what Compose misses in files that the file names; whether there was any."""
        names = [name for name in _MISSING.findall(said) if name not in self.later and not self.env_files]
        self.later.update({name: given_later(name) for name in names})
        return bool(names)

    def _of_text(self, document: dict[str, Any]) -> dict[str, Any]:
        """Compose's view of a document that was mended where Compose stops; empty where it still does."""
        self.unresolved = True
        with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
            json.dump(_typed(document), file)
            file.flush()
            made, said = self._config(Path(file.name), "--no-env-resolution", "--no-consistency")
        if made is None and not self.error:
            self.error, self.error_at = self._said(said)
        return made or {}

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
        # A dollar sign that Compose refuses is what the writer meant for the shell.
        return expand(value, known).replace("$", "$$")

    def _config(self, path: Path, *extra: str) -> tuple[dict[str, Any] | None, str]:
        project = Project(
            name="",
            files=(*self.below, path),
            env_files=tuple(each.resolve() for each in self.env_files),
            variables={**self.later, "COMPOSE_PROFILES": "*"},
        )
        command = project.arguments("config", "--format", "json", *extra)
        command[command.index("--project-directory") + 1] = str(self.directory)
        try:
            ended = subprocess.run(
                command,
                env={"GOGC": "400", **project.environment()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=DEADLINE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None, f"Compose did not make sense of it within {DEADLINE:.0f} s"
        said = ended.stderr.decode("utf-8", "replace")
        if ended.returncode:
            return None, said
        try:
            made = json.loads(ended.stdout)
        except ValueError:
            return None, "Compose gave no JSON"
        return (
            (made, said)
            if isinstance(made, dict) and made.get("services")
            else (None, said or "it has no services")
        )

    def _said(self, said: str) -> tuple[str, YamlPath]:
        """Compose's reason without any value, and where it is."""
        lines = [line.strip() for line in said.splitlines() if line.strip() and "level=warning" not in line]
        reason = " ".join(lines)
        if found := _MISSING.search(reason):
            way = next((way for use, way in self.uses if use.name == found[1] and use.required), ())
            return f"the required variable {found[1]} is not set", way
        if found := re.search(r"invalid interpolation format for ([\w.\-\[\]]+)", reason):
            return (
                f"Compose can't interpolate {found[1].strip('.')}: a dollar sign there is neither a variable nor doubled",
                _way(found[1]),
            )
        if "panic:" in reason:
            return "Compose itself crashes on it: something in it has a type that nobody expects there", ()
        place = re.search(r"(?<![\w/])(?:services|networks|volumes|secrets|configs)[.\[][\w.\-\[\]]+", reason)
        service = re.search(r"service \"([\w-]+)\"", reason)
        way = _way(place[0]) if place else ("services", service[1]) if service else ()
        line = re.search(r"line (\d+)", reason)
        return f"Compose refuses it: {self._without_values(lines)}", (
            "line",
            int(line[1]),
        ) if line and not way else way

    def _without_values(self, lines: list[str]) -> str:
        from lago_acceptance.composefile.error_messages import without_values

        read = [self.text, *(f"{name}={value}" for name, value in self.values.items())]
        said = "\n".join(lines).replace(f"{self.directory}/", "") or "it gives no reason"
        return without_values(said, read)


def _way(place: str) -> YamlPath:
    """The way that Compose writes as services.api.ports.[0], or as services[api].ports[0]."""
    keys = re.split(r"[.\[\]]+", place.strip("[]."))
    return tuple(int(key) if key.isdigit() else key for key in keys)


def _below(path: Path) -> tuple[Path, ...]:
    """The file that an override file belongs to (compose.yml for compose.override.yml); none where there is none."""
    base, override, ending = path.name.partition(".override.")
    return (
        tuple(
            path.with_name(f"{base}.{each}")
            for each in ("yml", "yaml")
            if path.with_name(f"{base}.{each}").is_file()
        )[:1]
        if override and ending
        else ()
    )


def _typed(value: Any) -> Any:
    """Texts as YAML would type them, where Compose insists on a type."""
    if isinstance(value, dict):
        return {key: _typed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_typed(child) for child in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() and len(value) < 10 else value
