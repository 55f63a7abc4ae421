"""The gate: may this compose change be merged? Findings of rules in compose files, and of changes between two versions."""

from __future__ import annotations

import difflib
import subprocess
import tempfile
from pathlib import Path

from lago_acceptance.changes import CHANGES
from lago_acceptance.compose_source import Source, load
from lago_acceptance.errors import Unknown, UsageError
from lago_acceptance.findings import Finding, Place, Severity
from lago_acceptance.rules import Hit, Rule, rules
from lago_acceptance.secret_values import redact
from lago_acceptance.settings import Settings


def place_in(source: Source, hit: Hit) -> Place:
    """Where a hit stands in a file."""
    at = hit.at or (("services", hit.service.name) if hit.service else ())
    return Place(source.path, source.written.line(at))


def findings_of(rule: Rule, sources: list[Source], settings: Settings) -> list[Finding]:
    """What a rule finds in files. What several services have from one line, by an anchor, is told once."""
    found: dict[tuple, Finding] = {}
    for source in sources:
        try:
            findings = rule.findings(source.model, settings, lambda hit, source=source: place_in(source, hit))
        # Files are anything at all: where a rule breaks on one, that is told, and the others go on.
        except Exception as error:  # noqa: BLE001
            findings = [_not_judged(rule, source, error)]
        for finding in findings:
            found.setdefault((finding.place, finding.wrong), finding)
    return list(found.values())


def _not_judged(rule: Rule, source: Source, error: Exception) -> Finding:
    return Finding(
        id=rule.id,
        severity=Severity.ERROR,
        role=None,
        service=None,
        place=Place(source.path, None),
        wrong=f"this could not be judged: the rule itself broke on the file ({type(error).__name__})",
        leads_to="a defect of this kind would go unseen",
        mend="tell the maintainers of the gate which file it was",
    )


def changes_of(name: str, old: Source, new: Source, settings: Settings) -> list[Finding]:
    """What a change from one version to another breaks."""
    return [
        Finding(
            id=name,
            severity=hit.severity or Severity.ERROR,
            role=hit.service.role if hit.service else None,
            service=hit.service.name if hit.service else None,
            place=place_in(new, hit),
            wrong=hit.wrong,
            leads_to=hit.leads_to,
            mend=hit.mend,
        )
        for hit in CHANGES[name](old.model, new.model, settings)
    ]


def base_of(base: str, path: Path, env_file: Path | None) -> Source:
    """The version to compare with: a file, or what git has at the merge base with a branch or commit.

    Unknown where the file is new since then, or was none; UsageError with one sentence where ``base`` can't
    be used.
    """
    if Path(base).is_file():
        old = load(Path(base), env_file)
        if not old.model.services:
            raise UsageError(f"--base {base} can't be compared with: {old.written.compose_error}")
        return old
    where = path.resolve().parent
    merge_base = _git(where, "merge-base", "HEAD", base)
    if merge_base is None:
        raise UsageError(f"--base {base} is neither a file nor a branch or commit that git knows here")
    name = path.resolve().name
    text = _git(where, "show", f"{merge_base.strip()}:./{name}")
    if text is None:
        raise Unknown(f"it was not there yet at {base}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        copy.write_text(text, "utf-8")
        old = load(copy, env_file, where)
    if not old.model.services:
        raise Unknown(f"at {base} it was no file that Compose reads")
    return old


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        ended = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.decode("utf-8", "replace") if ended.returncode == 0 else None


def explanation(name: str) -> str:
    """A rule's page; UsageError with the nearest names where there is no such rule."""
    if rule := rules().get(name):
        title, _, rest = rule.explanation.partition("\n")
        body = "\n".join(line.strip() for line in rest.splitlines()).strip()
        kind = "a declared file only" if rule.declared_only else "a declared file, and what runs"
        return redact(
            f"{name}: {title}\n{rule.severity}, phase {rule.phase}, judged in {kind}\n"
            + (f"\n{body}\n" if body else "")
        )
    if change := CHANGES.get(name):
        return f"{name}: {(change.__doc__ or '').strip()}\nerror, judged between two versions (--base)\n"
    near = difflib.get_close_matches(name, [*rules(), *CHANGES], 3, 0.4)
    raise UsageError(
        f"--explain {name}: there is no such rule" + (f"; near are {', '.join(near)}" if near else "")
    )
