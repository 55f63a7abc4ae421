"""The commands of Lago's services, changed to what another release has in its image (lago-facts.md, section 7)."""

from __future__ import annotations

import re

import yaml

from lago_acceptance.composefile.written_places import WrittenFiles
from lago_acceptance.composefile.written_services import Word, WrittenService
from lago_acceptance.composefile.yaml_lines import entries, items
from lago_acceptance.core.roles import API, MIGRATE, WORKER
from lago_acceptance.lago.release_table import Release
from lago_acceptance.lago.start_scripts import scripts_of
from lago_acceptance.lago.workers import workers_of

_MIGRATION = re.compile(r"\bdb:(?:migrate|prepare|setup)(?![\w:])")
_SIDEKIQ = re.compile(r"(?<![\w.-])sidekiq(?=[\s\"']|$)")
_OPTION = re.compile(r"\s(?:-[Crq]|--(?:config|require|queue))")
_QUEUE = re.compile(r"(?:-q|--queue)(?:=|\s*)(?P<name>[a-z_]+)(?:,\d+)?(?![\w,])")
_ROLES = "roles:seed_predefined"
_OLD_MIGRATE, _MIGRATE = "scripts/start.migrate.sh", "scripts/migrate.sh"


def move_commands(
    written: WrittenFiles, services: tuple[WrittenService, ...], had: Release, has: Release
) -> None:
    """Change what commands name and another release has elsewhere, and add what it needs beside."""
    for service in services:
        if service.role == WORKER:
            _move_worker(written, service, had, has)
        if service.role in (MIGRATE, API):
            _move_migration(written, service, has)
        if service.role == API and not has.ready_path:
            _ask_for_health(written, service, has)
    _read_all_queues(written, [each for each in services if each.role == WORKER], has)


def _move_worker(written: WrittenFiles, service: WrittenService, had: Release, has: Release) -> None:
    now = workers_of(has)
    moved: dict[str, str] = {}
    for name, kind in workers_of(had).items():
        # A worker of its own that the release doesn't have yet: its jobs are the main worker's.
        other = now.get(name, now[""])
        moved |= {
            old: new for old, new in ((kind.config, other.config), (kind.script, other.script)) if old != new
        }
    for old, new in moved.items():
        if new in service.command or _mounts(service, written, old):
            continue
        for word in service.words:
            place = written.of(word.node)
            for found in re.finditer(rf"{re.escape(old)}(?![\w-])", place.text):
                written.replace(place.part(*found.span()), new)
    default = now[""].config
    if workers_of(had)[""].config in moved and not _OPTION.search(service.command):
        for word in service.words:
            _add_behind(written, word, _SIDEKIQ, ("-C", default))


def _move_migration(written: WrittenFiles, service: WrittenService, has: Release) -> None:
    for word in service.words:
        place = written.of(word.node)
        if "start.migrate.sh" not in scripts_of(has) and (at := place.text.find(_OLD_MIGRATE)) >= 0:
            written.replace(place.part(at, at + len(_OLD_MIGRATE)), _MIGRATE)
    for word in service.words:
        if not has.seeds_roles:
            _remove(written, word, _ROLES)
        elif not re.search(r"roles:|/migrate\.sh", service.command):
            _add_behind(written, word, _MIGRATION, (_ROLES,))


def _ask_for_health(written: WrittenFiles, service: WrittenService, has: Release) -> None:
    """Let a healthcheck ask for /health, where a release has no /ready yet."""
    test = dict(entries(service.parts.get("healthcheck"))).get("test")
    for node in items(test) if test is not None else []:
        if isinstance(node, yaml.ScalarNode):
            place = written.of(node)
            for found in re.finditer(r"(?<=[\w:])/ready\b", place.text):
                written.replace(place.part(*found.span()), has.health_path)


def _read_all_queues(written: WrittenFiles, workers: list[WrittenService], has: Release) -> None:
    """Add the queues that a release has and no worker reads, where the workers name their queues (-q)."""
    if not all(_QUEUE.search(each.command) for each in workers):
        return
    read = {found["name"] for each in workers for found in _QUEUE.finditer(each.command)}
    left = [queue for queue in workers_of(has)[""].queues if queue not in read]
    for word in workers[0].words if workers and left else ():
        place = written.of(word.node)
        named = list(_QUEUE.finditer(place.text))
        if named:
            written.insert(place.file, place.start + named[-1].end(), "".join(f" -q {each}" for each in left))
            return
    options = [word for word in workers[0].words if word.node.value == "-q"] if workers and left else []
    among = options[-1].among if options else None
    for last in _next(options[-1].node, among) if among else ():
        _add_words(written, Word(last, among), tuple(word for queue in left for word in ("-q", queue)))


def _next(node: yaml.Node, among: yaml.SequenceNode) -> list[yaml.ScalarNode]:
    """The item behind one of a list, [] behind the last one."""
    at = among.value.index(node) + 1
    found: list[yaml.ScalarNode] = among.value[at : at + 1]
    return found


def _mounts(service: WrittenService, written: WrittenFiles, path: str) -> bool:
    """Whether a service brings a file of its own for a path of the image."""
    entry_texts = [
        written.filled(part)
        for key in ("volumes", "configs")
        for entry in (items(service.parts[key]) if key in service.parts else [])
        for part in (entry, *(value for _, value in entries(entry)))
    ]
    return any(f"/app/{path}" in text for text in entry_texts)


def _add_behind(written: WrittenFiles, word: Word, pattern: re.Pattern[str], words: tuple[str, ...]) -> None:
    """Write words behind the last one of a command that a pattern finds."""
    place = written.of(word.node)
    found = list(pattern.finditer(place.text))
    if not found:
        return
    if word.among is not None and pattern.fullmatch(word.node.value.rpartition("/")[2]):
        _add_words(written, word, words)
    else:
        written.insert(place.file, place.start + found[-1].end(), "".join(f" {each}" for each in words))


def _remove(written: WrittenFiles, word: Word, text: str) -> None:
    """Take a word out of a command."""
    place = written.of(word.node)
    if word.among is None or word.node.value != text:
        for found in re.finditer(rf"\s+{re.escape(text)}(?=[\s\"']|$)", place.text):
            written.replace(place.part(*found.span()), "")
        return
    at = word.among.value.index(word.node)
    if not at:
        return
    before = word.among.value[at - 1]
    start = written.line_end(place.file, before.end_mark.index)
    if word.among.flow_style or start > place.start:
        start = before.end_mark.index
    written.replace(written.between(place.file, start, place.end), "")


def _add_words(written: WrittenFiles, word: Word, words: tuple[str, ...]) -> None:
    """Write words behind one of a list, in the list's style and with the quotes of that word."""
    place = written.of(word.node)
    quote = word.node.style if word.node.style in ("'", '"') else ""
    quoted = [f"{quote}{each}{quote}" for each in words]
    if word.among is not None and word.among.flow_style:
        written.insert(place.file, place.end, "".join(f", {each}" for each in quoted))
    else:
        indent = " " * (word.among.start_mark.column if word.among is not None else 0)
        line = written.line_break(place.file)
        at = written.line_end(place.file, place.end)
        written.insert(place.file, at, "".join(f"{line}{indent}- {each}" for each in quoted))
