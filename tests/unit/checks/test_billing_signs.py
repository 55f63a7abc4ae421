"""Each sign has its query and each query its sign; what a query finds is red, what it can't answer unknown."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import billing_signs, money_signs, value_signs
from lago_acceptance.core import registry
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts import signs
from lago_acceptance.facts.answers import DatabaseAnswers, SignAnswer
from tests.support.facts import NOW, container, facts, ids

SIGNS = [
    each
    for module in (billing_signs, money_signs, value_signs)
    for each in vars(module).values()
    if isinstance(each, billing_signs.BillingSign)
]


def answered(
    answer: SignAnswer | None, sign: billing_signs.BillingSign, complete: bool = True, error: str = ""
):
    answers = {sign.name: answer} if answer else {}
    database = DatabaseAnswers(complete=complete, signs=answers)
    return billing_signs.of_database(facts(container("db"), database=database, database_error=error), sign)


def test_each_sign_has_its_query_and_each_query_its_sign():
    assert billing_signs.SIGNS.keys() == signs.queries().keys()


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.id)
def test_a_sign(sign):
    assert sign.id in registry.entries()
    assert list(answered(SignAnswer(0), sign)) == []
    (found,) = answered(SignAnswer(2, NOW, ("a", 500)), sign)
    assert (found.id, found.role) == (sign.id, sign.role)
    if sign is not money_signs.NO_ORGANIZATION:
        assert all(each in found.problem for each in ("2 ", "2026-11-25 09:46 UTC", "a, 500"))
    statement = signs.statements()
    assert f"'{sign.name}'" in statement and signs.queries()[sign.name] in statement


def test_a_sign_that_this_schema_can_not_answer_is_unknown():
    with pytest.raises(Unknown, match="webhooks"):
        list(answered(SignAnswer(error='relation "webhooks" does not exist'), billing_signs.WEBHOOKS))


def test_a_sign_that_was_not_answered_in_time_is_unknown():
    with pytest.raises(Unknown, match="broke off"):
        list(answered(None, billing_signs.FAILED, complete=False))


def test_a_sign_that_nobody_asked_for_is_a_mistake_of_the_suite():
    with pytest.raises(LookupError, match="invoices_failed"):
        list(answered(None, billing_signs.FAILED))


def test_a_sign_that_says_something_else_is_unknown():
    assert ids(answered(SignAnswer(1, NOW), billing_signs.FAILED)) == ["invoices-failed"]
    with pytest.raises(Unknown):
        list(answered(SignAnswer(), billing_signs.FAILED))
