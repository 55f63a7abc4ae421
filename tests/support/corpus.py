"""The corpus in tests/data/corpus: healthy compose files, and cases that a rule must report or must not.

tests/data/corpus/README.md says how a case is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
import yaml

from lago_acceptance.core.resources import SHIPPED_COMPOSE_FILE
from tests.support.material import filled
from tests.support.override import merged
from tests.support.paths import DATA

FOLDER = DATA / "corpus"
HEALTHY = {
    "lago": SHIPPED_COMPOSE_FILE,
    **{name: FOLDER / "bases" / f"{name}.yml" for name in ("list", "shared", "newer")},
}
HARMLESS = "harmless"
NOTHING = "nothing"
_HEADER = re.compile(
    r"# (base|expect|like|observed|observed also|deployed with|lago\.env sets|lago\.env lacks|\.env sets): (.+)"
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One compose file, and the ids of the rules that must report it, and no others.

    ``rule`` is the one that the case is for: in ``harmless`` the one that it looks like. ``unseen`` are the
    rules whose finding running containers don't show, with the reason; NOTHING: nothing of the case runs.
    ``dotenv`` is the .env beside it, "" where there is none. ``seen_too`` are those that only running containers show. ``deployed`` are variables of the deploy.
    """

    name: str
    rule: str
    expected: frozenset[str]
    text: str
    env: str
    dotenv: str = ""
    base: str = ""
    unseen: dict[str, str] = {}
    seen_too: dict[str, str] = {}
    deployed: dict[str, str] = {}

    def write(self, folder: Path) -> Path:
        """The case in a folder of its own, together with the files that it names; the compose file's path."""
        return write(folder, self.text, self.env, self.dotenv)


def write(folder: Path, text: str, env: str, dotenv: str = "") -> Path:
    """A compose file with its environment files and the loader of the key; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "docker-compose.yml"
    path.write_text(filled(text), "utf-8")
    (folder / "lago.env").write_text(filled(env), "utf-8")
    if dotenv:
        (folder / ".env").write_text(filled(dotenv), "utf-8")
    (folder / "rsa_key.rb").write_text(
        SHIPPED_COMPOSE_FILE.with_name("rsa_key.rb").read_text("utf-8"), "utf-8"
    )
    return path


def healthy(name: str) -> str:
    """The text of a healthy compose file."""
    return HEALTHY[name].read_text("utf-8")


def environment() -> str:
    """The text of the environment file that ``shared`` names."""
    return (FOLDER / "bases" / "lago.env").read_text("utf-8")


@cache
def cases() -> tuple[Case, ...]:
    """Every case that a rule must report."""
    return tuple(
        read(path) for path in sorted(FOLDER.glob("*/*.yml")) if path.parent.name not in ("bases", HARMLESS)
    )


@cache
def harmless() -> tuple[Case, ...]:
    """What only looks like a defect."""
    return tuple(read(path) for path in sorted((FOLDER / HARMLESS).glob("*.yml")))


def healthy_cases() -> tuple[Case, ...]:
    """The healthy files themselves, as cases that no rule reports."""
    return tuple(
        Case(name=name, rule="", expected=frozenset(), text=healthy(name), env=environment(), base=name)
        for name in HEALTHY
    )


def incidents() -> dict[str, list[str]]:
    """What went wrong with this deployment, each with the rules that see it in a file."""
    return yaml.safe_load((FOLDER / "incidents.yml").read_text("utf-8"))


def read(path: Path) -> Case:
    """One case from its file. ValueError where the file is not written as README.md says."""
    header: dict[str, list[str]] = {}
    lines = path.read_text("utf-8").splitlines()
    body = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    for line in lines[:body]:
        found = _HEADER.fullmatch(line)
        if not found:
            raise ValueError(f"{path}: its head has a line that is not known: {line}")
        header.setdefault(found[1], []).append(found[2].strip())
    folder, override = path.parent.name, "\n".join(lines[body:]) + "\n"
    base = _one(path, header, "base", "")
    try:
        text = merged(healthy(base), override) if base else override
        env = _changed(environment(), header.get("lago.env sets", []), header.get("lago.env lacks", []))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return Case(
        name=f"{folder}/{path.stem}",
        rule=_one(path, header, "like") if folder == HARMLESS else folder,
        expected=frozenset(_names(_one(path, header, "expect"))) - {NOTHING},
        text=text,
        env=env,
        dotenv=_dotenv(header.get(".env sets", [])),
        base=base,
        unseen=dict(_unseen(path, each) for each in header.get("observed", [])),
        seen_too=dict(each.split(", ", 1) for each in header.get("observed also", [])),
        deployed=dict(each.split("=", 1) for each in header.get("deployed with", [])),
    )


def _one(path: Path, header: dict[str, list[str]], key: str, otherwise: str | None = None) -> str:
    values = header.get(key, [otherwise] if otherwise is not None else [])
    if len(values) != 1:
        raise ValueError(f"{path}: it needs one line '# {key}: ...' and has {len(values)}")
    return values[0]


def _names(text: str) -> Iterable[str]:
    return (name.strip() for name in text.split(","))


def _unseen(path: Path, text: str) -> tuple[str, str]:
    found = re.fullmatch(r"(?:no|not ([\w-]+)), (.+)", text)
    if not found:
        raise ValueError(
            f"{path}: '# observed: no, reason' or '# observed: not rule-id, reason' is understood"
        )
    return found[1] or NOTHING, found[2]


def _changed(text: str, given: list[str], lacking: list[str]) -> str:
    """An environment file's text with variables set, and without others."""
    lines = {_variable(line): line for line in text.splitlines()}
    for name in lacking:
        if lines.pop(name, None) is None:
            raise ValueError(f"lago.env has no {name}")
    lines.update({_variable(line): line for line in given})
    return "".join(f"{line}\n" for line in lines.values())


def _dotenv(lines: list[str]) -> str:
    """The text of the .env beside a case: what the bases need, and the lines of the case; "" without such lines."""
    if not lines:
        return ""
    return "".join(
        f"{line}\n" for line in ((FOLDER / "bases" / "dot.env").read_text("utf-8").strip(), *lines)
    )


def _variable(line: str) -> str:
    """The name of the variable that a line of an environment file sets."""
    found = re.match(r"(?:export )?(\w+)[=:]", line)
    if not found:
        raise ValueError(f"it sets no variable: {line}")
    return found[1]
