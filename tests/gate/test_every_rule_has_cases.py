"""No rule can go unnoticed: what went wrong once, and what the corpus plants, has a rule; each rule has its files."""

from __future__ import annotations

import pytest

from lago_acceptance.rules import change_rules, rules
from tests.support import corpus_files
from tests.support.gate import CHANGES


@pytest.mark.parametrize(("incident", "seen_by"), corpus_files.incidents())
def test_what_went_wrong_has_its_rules(incident, seen_by):
    assert set(seen_by) <= set(rules()), (
        f"{incident}: no rule is called {sorted(set(seen_by) - set(rules()))}"
    )


@pytest.mark.parametrize("table", ["cases.txt", "harmless.txt"])
def test_the_corpus_names_rules_that_exist(table):
    named = {rule for case in corpus_files.cases(table) for rule in case.rules}
    assert named <= set(rules()), f"{table} names what is no rule: {sorted(named - set(rules()))}"


@pytest.mark.parametrize("rule", rules())
def test_a_rule_has_files_that_break_it_and_files_that_do_not(rule):
    broken = [case for case in corpus_files.cases() if case.rules[0] == rule]
    sound = [
        *corpus_files.HEALTHY,
        *(case for case in corpus_files.cases("harmless.txt") if rule in case.rules),
    ]
    assert len(broken) >= 3 and len(sound) >= 2
    assert len({(case.base, case.edits) for case in broken}) == len(broken), "a case stands twice"


def test_every_change_that_the_gate_knows_is_tested():
    assert set(CHANGES) == set(change_rules())
