"""What a worker's command makes of Sidekiq: the queues that it reads, and how long it waits for jobs at a stop."""

from __future__ import annotations

import re
from posixpath import join, normpath
from typing import Any

import msgspec

from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.releases import is_known, release_or_newest
from lago_acceptance.lago.startup import file_text, outcome_of
from lago_acceptance.lago.versions import stock_image, version_of
from lago_acceptance.lago.workers import TIMEOUT, WorkerKind, all_configs, workers_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.once import once
from lago_acceptance.shell.words import name_of

_DEFAULT_CONFIG = "config/sidekiq.yml"
_LOOKS = re.compile(r"(?:\[\[?|\btest)\s+(?:!\s+)?-[efrs]\s")
_LONG = {
    "queue": "q",
    "config": "C",
    "timeout": "t",
    "require": "r",
    "concurrency": "c",
    "environment": "e",
    "tag": "g",
}
_WITH_VALUE = "".join(_LONG.values())


class Sidekiq(msgspec.Struct, frozen=True):
    """One Sidekiq process. ``queues`` and ``timeout`` are None where they are not known.

    ``missing`` is the configuration file that it is given and that its image lacks. ``kind`` is the worker of Lago's own
    whose configuration it reads.
    """

    queues: frozenset[str] | None = None
    timeout: float | None = None
    missing: str = ""
    kind: WorkerKind | None = None


def without_bundler(words: tuple[str, ...]) -> tuple[str, ...]:
    """A command without ``bundle exec`` before it."""
    return words[2:] if name_of(words[0] if words else "") == "bundle" and words[1:2] == ("exec",) else words


def changes_folder(service: Service) -> bool:
    """Whether a command goes to another folder than /app before it starts a program."""
    return re.search(r"(^|[\s;&(])cd\s+(?!/app/?(\s|;|&|$))", service.full_command) is not None


@once
def sidekiq_of(service: Service, model: Model, settings: Settings) -> Sidekiq | None:
    """The Sidekiq that a service starts; None where it starts none, or several, or its command can't be followed."""
    started = [each for program in outcome_of(service, model).programs if (each := _started(program))]
    if len(started) != 1 or service.working_dir not in ("", "/app") or not stock_image(service):
        return None
    program = started[0]
    release = release_or_newest(service, model, settings)
    kinds = workers_of(release)
    if program[0].endswith(".sh"):
        path = program[0] if program[0].startswith("/") else join("/app", program[0])
        kind = next((kind for kind in kinds.values() if path.endswith(f"/scripts/{kind.script}")), None)
        if release is None or kind is None or service.mount_at(normpath(path)):
            return None
        return _of_kind(kind)
    options = _options(program[1:])
    if options is None or changes_folder(service):
        return None
    found = _configured(options, service, model, settings)
    if not found.missing and (given := options.get("q")):
        queues = frozenset(each.partition(",")[0] for each in given)
        found = msgspec.structs.replace(found, queues=None if any("$" in each for each in queues) else queues)
    if not found.missing and (given := options.get("t")):
        found = msgspec.structs.replace(found, timeout=float(given[-1]) if given[-1].isdigit() else None)
    return found


def _started(program: tuple[str, ...]) -> tuple[str, ...]:
    words = without_bundler(program)
    name = name_of(words[0]) if words else ""
    return words if name == "sidekiq" or re.fullmatch(r"start\.(\w+\.)?worker\.sh", name) else ()


def _of_kind(kind: WorkerKind) -> Sidekiq:
    return Sidekiq(frozenset(kind.queues), TIMEOUT, kind=kind)


def _configured(options: dict[str, list[str]], service: Service, model: Model, settings: Settings) -> Sidekiq:
    """Sidekiq as its configuration file makes it. Without one it reads ``default`` alone."""
    given = options.get("C")
    path = normpath(join("/app", given[-1] if given else _DEFAULT_CONFIG))
    if "$" in path or ("r" in options and not given):
        return Sidekiq()
    if service.mount_at(path) or path in outcome_of(service, model).writes:
        return _from_text(file_text(service, model, path).literal)
    release = release_or_newest(service, model, settings)
    version = version_of(service, settings) or (release.numbers if release else None)
    kind = next((each for each in workers_of(release).values() if join("/app", each.config) == path), None)
    if release is None or version is None:
        return Sidekiq()
    if kind is not None:
        return _of_kind(kind)
    if given is None:
        return Sidekiq(frozenset({"default"}), TIMEOUT)
    # A command that looks which file is there takes the one that is.
    if _LOOKS.search(service.full_command):
        named = (each for each in workers_of(release).values() if each.config in service.full_command)
        there = next(named, None)
        return _of_kind(there) if there else Sidekiq()
    # Compose copies inline configs into a container, where nothing shows them.
    seen = not model.observed or path in (join("/app", each) for each in all_configs())
    return Sidekiq(missing=given[-1]) if is_known(version) and seen else Sidekiq()


def _from_text(text: str | None) -> Sidekiq:
    """Sidekiq with a mounted configuration file."""
    import yaml

    try:
        document = yaml.load(re.sub(r"<%.*?%>", "1", text or ""), Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return Sidekiq()
    written: dict[str, Any] = (
        {str(key).lstrip(":"): value for key, value in document.items()} if isinstance(document, dict) else {}
    )
    queues, timeout = written.get("queues", ["default"]), written.get("timeout", TIMEOUT)
    if not written or not isinstance(queues, list):
        return Sidekiq()
    return Sidekiq(
        frozenset(str(each[0] if isinstance(each, list) and each else each) for each in queues),
        float(timeout) if isinstance(timeout, int | float) else None,
    )


def _options(words: tuple[str, ...]) -> dict[str, list[str]] | None:
    """Sidekiq's options by their short names; None where one is computed by the shell."""
    found: dict[str, list[str]] = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.startswith("$"):
            return None
        if word.startswith("--"):
            long, equals, value = word[2:].partition("=")
            letter = _LONG.get(long, "")
        else:
            letter, value, equals = word[1:2], word[2:].removeprefix("="), word[2:]
        if not word.startswith("-") or letter not in _WITH_VALUE or not letter:
            continue
        if not equals:
            value = words[at] if at < len(words) else ""
            at += 1
        found.setdefault(letter, []).append(value)
    return found
