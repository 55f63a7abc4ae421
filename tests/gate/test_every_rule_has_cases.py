"""No rule goes untested: each has its cases, each case is of a rule that exists, each incident has a rule that sees it."""

from __future__ import annotations

import pytest

from lago_acceptance.rules import rules
from tests.support import corpus


@pytest.mark.parametrize(("incident", "seen_by"), corpus.incidents().items())
def test_what_went_wrong_has_its_rules(incident, seen_by):
    assert set(seen_by) <= set(rules()), (
        f"{incident}: no rule is called {sorted(set(seen_by) - set(rules()))}"
    )


@pytest.mark.parametrize("every", [corpus.cases(), corpus.harmless()], ids=["cases", "harmless"])
def test_the_corpus_names_rules_that_exist(every):
    named = {rule for case in every for rule in (case.rule, *case.expected, *case.unseen, *case.seen_too)}
    assert named - {corpus.NOTHING} <= set(rules()), f"no rule is called {sorted(named - set(rules()))}"


def test_a_case_expects_the_rule_of_its_folder_and_a_harmless_one_nothing():
    assert [case.name for case in corpus.cases() if case.rule not in case.expected] == []
    assert [case.name for case in corpus.harmless() if case.expected] == []


@pytest.mark.parametrize("rule", rules())
def test_a_rule_has_files_that_break_it_and_files_that_do_not(rule):
    broken = [case for case in corpus.cases() if case.rule == rule]
    sound = [*corpus.healthy_cases(), *(case for case in corpus.harmless() if case.rule == rule)]
    assert len(broken) >= 3 and len(sound) >= 2
    assert len({(case.text, case.env, case.dotenv) for case in broken}) == len(broken), (
        "two cases are the same file"
    )
