"""The gate: may this compose change be merged? Findings of rules in compose files, and of changes between versions."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from threading import Thread
from typing import Self

import msgspec

from lago_acceptance.composefile.bounded_process import STARTED
from lago_acceptance.composefile.loader import load
from lago_acceptance.composefile.sources import Source, refused
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import PHASES, Entry, Severity, Vantage
from lago_acceptance.core.secrets import Redactor, redact
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown, UsageError
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.gate.git_base import base_of
from lago_acceptance.gate.workers import DEADLINE, Died, Workers
from lago_acceptance.lago.derived import given_for
from lago_acceptance.lago.not_judged import not_judged
from lago_acceptance.rules import Rule, Violation, change_rules, evaluated, rules
from lago_acceptance.shell.parser import parse

# Of a line that is quoted. A key in base64 has fewer characters.
LINE_CAP = 5_000


class Question(msgspec.Struct, frozen=True):
    """What to judge files by: the variables of the deploy, the base to compare with, the settings.

    ``base_env_file``: the variables of the base, where it is a file with its own. ``overlays`` are the files that are laid
    over others, by these.
    """

    env_file: Path | None
    base: str | None
    settings: Path | None
    base_env_file: Path | None = None
    overlays: dict[Path, tuple[Path, ...]] = {}


class FileVerdict(msgspec.Struct, frozen=True):
    """What was found in one file, by rule; ``lines`` are those that findings are about, by path, the others are empty.

    ``rules`` describe all rules, for reports of a process that has not loaded them. ``notes`` are what could not be checked, ``not_compared`` why there is no base to compare it with. ``unusable`` is what
    is wrong with the options, ``crash`` with the gate itself: then there is no verdict.
    """

    path: str
    findings: dict[str, tuple[Finding, ...]] = {}
    rules: tuple[Entry, ...] = ()
    lines: dict[str, tuple[str, ...]] = {}
    notes: tuple[str, ...] = ()
    compared: bool = False
    not_compared: str = ""
    unusable: str = ""
    crash: str = ""

    @property
    def all_findings(self) -> list[Finding]:
        """The findings of all rules."""
        return [each for found in self.findings.values() for each in found]


class Judgement(msgspec.Struct, frozen=True):
    """What the gate found: the findings that are left after waivers, and what there is to say beside them.

    ``waived`` are lines about findings that were waived, ``notes`` what could not be judged.
    """

    findings: tuple[Finding, ...]
    waived: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Judging:
    """Files that are being judged, from the start on. Leaving the context ends what still runs, and leaves no file behind."""

    def __init__(self, paths: Sequence[Path], question: Question):
        self._question = question
        self._scratch = None
        if question.base:
            from tempfile import TemporaryDirectory

            # Made here: a process that is ended can't remove it.
            self._scratch = TemporaryDirectory(prefix="lago-gate-")
        if len(paths) > 1:
            _get_ready_to_part()
        scratch = Path(self._scratch.name) if self._scratch else None
        self._workers = Workers(paths, partial(_judged, question, scratch, Redactor.shared))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs."""
        self._workers.end()
        if self._scratch:
            self._scratch.cleanup()

    @cached_property
    def verdicts(self) -> tuple[FileVerdict, ...]:
        """What was found in each file. UsageError where the options can't be used."""
        return tuple(self._verdict(path, answer) for path, answer in self._workers.answers())

    def _verdict(self, path: Path, answer: bytes | Died) -> FileVerdict:
        if isinstance(answer, Died):
            unjudged = refused(path, str(answer))
            own, _ = given_for(self._question.settings, unjudged.model)
            found = {id: tuple(each) for id, each in found_in(unjudged, own).items()}
            return FileVerdict(str(path), found, _described())
        verdict = msgspec.json.decode(answer, type=FileVerdict)
        if verdict.unusable:
            raise UsageError(verdict.unusable)
        if verdict.crash:
            raise RuntimeError(f"judging {path} failed\n{verdict.crash}")
        registry.register(*verdict.rules)
        return verdict


def _judged(question: Question, scratch: Path | None, redactor: Redactor, path: Path) -> bytes:
    """The answer for one file."""
    # The secret of one file may be an ordinary word of the next.
    Redactor.shared = redactor.copy()
    try:
        # Compose takes its time over a file: meanwhile the rules are loaded, and what they read shell text with.
        Thread(target=_get_ready, daemon=True).start()
        source = load(path, question.env_file, overlays=question.overlays.get(path, ()))
        own, _ = given_for(question.settings, source.model)
        verdict = _found(source, own)
        if question.base and scratch:
            verdict = _compared(verdict, source, question, own, scratch)
    except UsageError as error:
        verdict = FileVerdict(str(path), unusable=str(error))
    except Exception:  # noqa: BLE001
        import traceback

        verdict = FileVerdict(str(path), crash=redact(traceback.format_exc()))
    return msgspec.json.encode(verdict)


def _get_ready_to_part() -> None:
    """Load once what several processes share; none of them has to look through it for garbage."""
    rules()
    parse(":")
    redact("")
    gc.freeze()


def _get_ready() -> None:
    STARTED.wait(DEADLINE)
    # Where memory is short for it, the judging itself meets that, and says so.
    with suppress(MemoryError):
        rules()
        parse(":")
        # Not the shared one: what that is learning at this time may be large.
        Redactor().redact("")


def _found(source: Source, own: Settings) -> FileVerdict:
    findings = {id: tuple(found) for id, found in found_in(source, own).items()}
    notes = (*source.notes, *not_judged(source.model, own))
    verdict = FileVerdict(source.path, findings, _described(), notes=tuple(map(redact, notes)))
    return msgspec.structs.replace(verdict, lines=_shown(source, verdict.all_findings))


def _described() -> tuple[Entry, ...]:
    return tuple(rule.entry for rule in (*rules().values(), *change_rules().values()))


def _compared(
    verdict: FileVerdict, source: Source, question: Question, own: Settings, scratch: Path
) -> FileVerdict:
    """The verdict with what the change from the base is found to do."""
    try:
        variables = question.base_env_file or question.env_file
        path = Path(source.path)
        old = base_of(question.base or "", path, variables, scratch, question.overlays.get(path, ()))
    except Unknown as reason:
        return msgspec.structs.replace(verdict, not_compared=redact(str(reason)))
    changes = {id: tuple(changes_of(rule, old, source, own)) for id, rule in change_rules().items()}
    whole = msgspec.structs.replace(verdict, findings={**verdict.findings, **changes}, compared=True)
    return msgspec.structs.replace(whole, lines=_shown(source, whole.all_findings))


def _shown(source: Source, findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """The lines that findings are about, without secrets, by path; the others are empty."""
    numbers: dict[str, set[int]] = {}
    for each in findings:
        if each.place and each.place.line:
            numbers.setdefault(each.place.path, set()).add(each.place.line)
    return {
        one_line(path): _lines_of(text, numbers.get(one_line(path), set()))
        for path, text in source.texts.items()
    }


def _lines_of(text: tuple[str, ...], numbers: set[int]) -> tuple[str, ...]:
    last = min(max(numbers, default=0), len(text))
    return tuple(_short(text[at - 1]) if at in numbers else "" for at in range(1, last + 1))


def _short(line: str) -> str:
    # Its start only, but without cutting a secret in two.
    return redact(line) if len(line) <= LINE_CAP else f"{redact(line[:LINE_CAP])[: LINE_CAP // 10]} …"


def judge(verdicts: Sequence[FileVerdict], waivers: WaiverFile) -> Judgement:
    """The findings in all files, as far as no waiver applies to them."""
    findings: list[Finding] = []
    waived: list[str] = []
    for id in dict.fromkeys(id for verdict in verdicts for id in verdict.findings):
        left, used = waivers.applied(
            [each for verdict in verdicts for each in verdict.findings.get(id, ())], id
        )
        findings += left
        waived += [waivers.used(finding, waiver) for finding, waiver in used.items()]
    compared = any(each.compared for each in verdicts)
    unused = waivers.unused((), {}, whole=PHASES, vantage=Vantage.GATE, compared=compared)
    findings += [*waivers.expired(), *unused]
    return Judgement(tuple(findings), tuple(dict.fromkeys(waived)), (*not_compared(verdicts), *waivers.notes))


def not_compared(verdicts: Iterable[FileVerdict]) -> list[str]:
    """A note for each file that has no version at ``--base``."""
    return [
        f"{each.path}: not compared, because {each.not_compared}" for each in verdicts if each.not_compared
    ]


def place_in(source: Source, violation: Violation) -> Place:
    """Where a violation is in a file."""
    at = violation.at or (("services", violation.service.name) if violation.service else ())
    return Place(*source.written.place(at))


def found_in(source: Source, own: Settings) -> dict[str, list[Finding]]:
    """What all rules find in one file, by rule, without what only follows from another finding."""
    evaluation = evaluated(source.model, own, partial(place_in, source))
    broken = {id: [_not_judged(rules()[id], source, error)] for id, error in evaluation.broken.items()}
    return {**evaluation.found, **broken}


def changes_of(rule: Rule, old: Source, new: Source, own: Settings) -> list[Finding]:
    """What a rule that needs a base finds in the change from one version to another."""
    try:
        return rule.compared(old.model, new.model, own, partial(place_in, new))
    except Exception as error:  # noqa: BLE001
        return [_not_judged(rule, new, error)]


def _not_judged(rule: Rule, source: Source, error: Exception) -> Finding:
    return Finding(
        id=rule.id,
        severity=Severity.ERROR,
        place=Place(source.path),
        problem=f"this could not be judged, because the rule itself failed on this file ({type(error).__name__})",
        impact="a defect of this kind would go unnoticed",
        fix="send the file, without its secrets, to the maintainers of the gate",
    )
