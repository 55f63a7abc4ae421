"""Documents and what points to them: cited sections of docs/lago-facts.md exist, links lead somewhere, no page is lost."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_acceptance.cli.commands import COMMANDS
from lago_acceptance.core import registry

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "docs" / "lago-facts.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NOT_OURS = {".git", ".venv", "reports", "site", "node_modules"}

_NUMBER = r"\d+(?:\.\d+)?"
_CITATION = re.compile(rf"lago-facts\.md, sections? ({_NUMBER}(?:(?:, | and | to ){_NUMBER})*)")
_MENTION = re.compile(r"lago-facts\.md(?!, sections? \d)")
# A line break, with the marks of a comment on either side of it.
_LINE_BREAK = re.compile(r"\s*\n\s*(?:#|--|//)?\s*")


def _texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the project but this one, each with its line breaks taken out."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        for path in (Path(folder, name) for name in names):
            if path != Path(__file__).resolve() and path.is_file():
                try:
                    yield path, _LINE_BREAK.sub(" ", path.read_text("utf-8"))
                except UnicodeDecodeError:
                    continue


def _sections() -> set[str]:
    return set(re.findall(rf"^##+ ({_NUMBER})\.? ", FACTS.read_text("utf-8"), re.MULTILINE))


def test_every_cited_section_exists() -> None:
    cited = [
        (path.relative_to(ROOT).as_posix(), number)
        for path, text in _texts()
        for numbers in _CITATION.findall(text)
        for number in re.findall(_NUMBER, numbers)
    ]
    sections = _sections()
    assert cited
    assert [citation for citation in cited if citation[1] not in sections] == []


def test_code_names_the_section_that_it_cites() -> None:
    unclear = [
        path.relative_to(ROOT).as_posix()
        for path, text in _texts()
        if path.suffix != ".md" and path.name != "mkdocs.yml" and _MENTION.search(text)
    ]
    assert unclear == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_has_a_target(document: Path) -> None:
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        missing = not target.exists() or (
            anchor.startswith("s")
            and target == FACTS
            and f'<a id="{anchor}"></a>' not in FACTS.read_text("utf-8")
        )
        if missing:
            broken.append(link)
    assert broken == []


def test_the_readme_links_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    pages = [path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))]
    assert [page for page in pages if page != "README.md" and f"]({page})" not in readme] == []


def test_the_list_of_decisions_links_every_decision() -> None:
    folder = ROOT / "docs" / "adr"
    listed = (folder / "README.md").read_text("utf-8")
    assert [path.name for path in sorted(folder.glob("0*.md")) if f"]({path.name})" not in listed] == []


RUNBOOKS = sorted(path for path in (ROOT / "docs" / "runbooks").glob("*.md") if path.name != "README.md")


def test_the_list_of_runbooks_links_every_runbook() -> None:
    listed = (ROOT / "docs" / "runbooks" / "README.md").read_text("utf-8")
    assert [path.name for path in RUNBOOKS if f"]({path.name})" not in listed] == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_says_what_is_interrupted_and_how_to_go_back(runbook: Path) -> None:
    text = runbook.read_text("utf-8")
    wanted = ("**What is interrupted:**", "\n## See that it worked\n", "\n## Go back\n")
    assert [each for each in wanted if each not in text] == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: path.stem)
def test_a_runbook_names_commands_and_ids_that_exist(runbook: Path) -> None:
    text = runbook.read_text("utf-8")
    assert set(re.findall(r"^ *lago-acceptance (\S+)", text, re.MULTILINE)) - set(COMMANDS) == set()
    assert set(re.findall(r"--despite ([\w-]+)", text)) - set(registry.entries()) == set()
