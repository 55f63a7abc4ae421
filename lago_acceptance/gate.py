"""The gate: may this compose change be merged? Findings of rules in compose files, and of changes between two versions."""

from __future__ import annotations

import difflib
import subprocess
import tempfile
from pathlib import Path

from lago_acceptance.changes import CHANGES
from lago_acceptance.compose_source import Source, load
from lago_acceptance.errors import UsageError
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
        for finding in rule.findings(source.model, settings, lambda hit, source=source: place_in(source, hit)):
            found.setdefault((finding.place, finding.wrong), finding)
    return list(found.values())


def changes_of(name: str, old: Source, new: Source, settings: Settings) -> list[Finding]:
    """What a change from one version to another breaks."""
    return [
        Finding(id=name, severity=hit.severity or Severity.ERROR, role=hit.service.role if hit.service else None,
                service=hit.service.name if hit.service else None, place=place_in(new, hit), wrong=hit.wrong,
                leads_to=hit.leads_to, mend=hit.mend)
        for hit in CHANGES[name](old.model, new.model, settings)
    ]


def base_of(base: str, path: Path, env_file: Path | None) -> Source | None:
    """The version to compare with: a file, or what git has at the merge base with a branch or commit.

    None where the file is new since then. UsageError with one sentence where ``base`` is neither.
    """
    if Path(base).is_file():
        return load(Path(base), env_file)
    where = path.resolve().parent
    merge_base = _git(where, "merge-base", "HEAD", base)
    if merge_base is None:
        raise UsageError(f"--base {base} is neither a file nor a branch or commit that git knows here")
    name = path.resolve().name
    text = _git(where, "show", f"{merge_base.strip()}:./{name}")
    if text is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / name
        old.write_text(text, "utf-8")
        return load(old, env_file, where)


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
        return redact(f"{name}: {title}\n{rule.severity}, phase {rule.phase}, judged in {kind}\n" + (f"\n{body}\n" if body else ""))
    if change := CHANGES.get(name):
        return f"{name}: {(change.__doc__ or '').strip()}\nerror, judged between two versions (--base)\n"
    near = difflib.get_close_matches(name, [*rules(), *CHANGES], 3, 0.4)
    raise UsageError(f"--explain {name}: there is no such rule" + (f"; near are {', '.join(near)}" if near else ""))
