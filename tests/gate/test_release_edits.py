"""Files that are moved to another release: the gate finds no error in them that it didn't find before."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.release_edits import moved
from lago_acceptance.composefile.sources import Source
from lago_acceptance.core import settings
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.resources import ROOT
from lago_acceptance.gate.engine import found_in
from lago_acceptance.lago.changes import between
from lago_acceptance.lago.release_table import Release, releases
from lago_acceptance.lago.upgrades import numbers
from tests.support import corpus
from tests.support.gate import load_all
from tests.support.paths import DATA

SETTINGS = settings.load(ROOT / "settings.toml")
TAGS = (
    "v1.17.1",
    "v1.19.1",
    "v1.25.0",
    "v1.26.0",
    "v1.29.0",
    "v1.31.0",
    "v1.32.0",
    "v1.36.0",
    "v1.42.0",
    "v1.51.0",
)
# What needs a change beside: /sidekiq is open from 1.17.0 to 1.29.0, and has to be closed in the proxy.
BY_HAND = {"sidekiq-console-open"}
# Of the corpus, those whose commands, queues and images are written in other ways.
HARMLESS = (
    "creates-beside-an-api-that-migrates",
    "migrate-or-exit-1",
    "one-version-variable",
    "queues-shared-by-two-workers",
    "sidekiq-with-default-config",
    "worker-bash-replaces-itself",
)


def release(tag: str) -> Release:
    return releases()[numbers(tag)]


def cases() -> dict[str, corpus.Case]:
    found = {case.name: case for case in corpus.healthy_cases() if case.name != "newer"}
    found |= {name: case for case in corpus.harmless() if (name := case.name.rpartition("/")[2]) in HARMLESS}
    style = DATA / "another_style.yml"
    found["another style"] = corpus.Case(
        name="another style", rule="", expected=frozenset(), text=style.read_text("utf-8"), env=""
    )
    return found


def errors(source: Source) -> set[str]:
    assert not source.written.compose_error
    found = found_in(source, SETTINGS)
    return {
        rule for rule, findings in found.items() if any(each.severity is Severity.ERROR for each in findings)
    }


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> dict[tuple[str, str], set[str]]:
    """The errors of each file as it is (its tag is ""), and moved to the tags."""
    folder: Path = tmp_path_factory.mktemp("moved")
    paths: dict[tuple[str, str], Path] = {}
    for name, case in cases().items():
        for number, tag in enumerate(("", *TAGS)):
            if name in HARMLESS and tag not in ("", "v1.25.0", "v1.51.0"):
                continue
            path = case.write(folder / name / str(number))
            if tag:
                files = {each.name: each.read_bytes() for each in path.parent.iterdir()}
                for changed, text in moved(
                    files, path.name, ".env", release("v1.16.0"), release(tag)
                ).items():
                    (path.parent / changed).write_bytes(text)
            paths[name, tag] = path
    return dict(zip(paths, map(errors, load_all(list(paths.values()))), strict=True))


@pytest.mark.parametrize("name", cases())
def test_a_file_that_was_moved_has_no_new_error(name, judged):
    new = {tag: found - judged[name, ""] - BY_HAND for (each, tag), found in judged.items() if each == name}
    assert len(new) > 2
    assert {tag: found for tag, found in new.items() if found} == {}


def test_without_its_edits_such_a_file_would_have_errors(tmp_path):
    text = corpus.healthy("list").replace("v1.16.0", "v1.25.0")
    (source,) = load_all([corpus.write(tmp_path, text, corpus.environment())])
    assert "worker-config-missing" in errors(source)


def test_what_an_edit_cannot_do_is_among_the_notices(judged):
    opened = {tag for (_, tag), found in judged.items() if BY_HAND & found}
    assert opened
    for tag in opened:
        noticed = between(release("v1.16.0"), release(tag)).notices
        assert any(each.kind == "opens" and each.change == "block /sidekiq in the proxy" for each in noticed)


def test_the_shipped_file_has_no_error_at_any_release(judged):
    assert {tag: judged["lago", tag] for tag in TAGS if judged["lago", tag]} == {}
