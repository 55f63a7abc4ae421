"""Every id that the code can put into a finding is registered, and every registered id is used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from lago_acceptance.core import registry
from lago_acceptance.lago.log_causes import CAUSES, KEY_CAUSES
from tests.support.paths import ROOT

FOLDERS = ("lago_acceptance", "fixtures", "suites")
ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
# What makes a finding, or names one as the cause of something: the id is the keyword ``id`` or ``by``, or comes first.
# Helpers that take an id first are among them.
MAKERS = ("Finding", "Blocked", "Entry", "BillingSign", "Capability")
HELPERS = ("red", "_red", "gateway_finding", "finding_at", "_finding", "not_answered")


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The modules that are read: their path and their syntax tree."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def constants(node: ast.AST) -> Iterator[str]:
    """The texts that an expression can have, as far as they are written there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from constants(each)


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def id_expressions(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that give a finding its id."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in MAKERS + HELPERS:
            named = [each.value for each in node.keywords if each.arg in ("id", "by", "lacking")]
            yield from named or node.args[:1]
            if called(node) == "Capability":
                yield node.args[-1]
        # A defect that becomes a finding elsewhere: id, problem, impact, fix.
        elif isinstance(node, ast.Tuple) and len(node.elts) == 4:
            yield node.elts[0]
        elif isinstance(node, ast.Assign):
            names = {
                each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)
            }
            if names & {"id", "by", "reached"}:
                yield node.value
            if isinstance(node.value, ast.Tuple) and "id" in names:
                yield node.value.elts[0]


def used_ids(tree: ast.AST) -> set[str]:
    return {text for each in id_expressions(tree) for text in constants(each) if ID.fullmatch(text)}


def built_ids(tree: ast.AST) -> list[str]:
    """Ids that are put together, which nobody can search for."""
    return [ast.unparse(each) for each in id_expressions(tree) if isinstance(each, ast.JoinedStr | ast.BinOp)]


def texts(tree: ast.AST) -> set[str]:
    """All texts of a module but those that register ids: titles in decorators."""
    titles = {
        id(key)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) == "check"
        for each in node.keywords
        if isinstance(each.value, ast.Dict)
        for key in each.value.keys
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in titles
    }


READ = dict(modules())


@pytest.mark.parametrize("name", READ)
def test_each_id_is_registered_and_written_out(name):
    assert not used_ids(READ[name]) - registry.entries().keys()
    assert not [text for text in built_ids(READ[name]) if "-" in text]


def test_each_registered_id_is_used():
    from lago_acceptance.rules import change_rules, rules

    written = set().union(*map(texts, READ.values()))
    named_by_their_functions = rules().keys() | change_rules().keys()
    shown_by_logs = {cause.log_id for cause in CAUSES}
    idle = registry.entries().keys() - written - named_by_their_functions - shown_by_logs
    assert not idle


def test_each_cause_that_a_log_shows_is_registered():
    known = registry.entries().keys()
    assert {cause.log_id for cause in CAUSES} <= known
    assert {cause.id for cause in KEY_CAUSES} <= known


@pytest.mark.parametrize("id", registry.entries())
def test_each_id_says_what_it_means(id):
    entry = registry.entries()[id]
    assert "\n" not in entry.title
    # A title without a page has to say all: a whole sentence.
    assert re.fullmatch(r"\S.+\S" if entry.page else r"(\S+ ){3,}\S+\.", entry.title)


def test_an_alias_is_no_id_and_stands_for_one():
    known = registry.entries().keys()
    assert not registry.ALIASES.keys() & registry.entries().keys()
    assert set(registry.ALIASES.values()) <= known


@pytest.mark.parametrize(
    "code, used",
    [
        ('Finding(id="a-b", role=API)', {"a-b"}),
        ('Finding(id="a-b" if x else "c-d")', {"a-b", "c-d"}),
        ('raise Blocked("a-b", "missing")', {"a-b"}),
        ('raise Blocked(errors[0].id if errors else "a-b", "missing")', {"a-b"}),
        ('red("a-b", WORKER, "no-id")', {"a-b"}),
        ('return ("a-b", "problem", "impact", "fix")', {"a-b"}),
        ('id, problem = "a-b", "the problem"', {"a-b"}),
        ('by = "a-b" if x else "c-d"', {"a-b", "c-d"}),
        ('print("a-b")', set()),
    ],
)
def test_the_walk_finds_ids(code, used):
    assert used_ids(ast.parse(code)) == used


def test_the_walk_finds_ids_that_are_put_together():
    assert built_ids(ast.parse('Finding(id=f"{role}-refused")')) == ["f'{role}-refused'"]
