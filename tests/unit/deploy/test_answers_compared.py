"""Answers of the API before and after: compared in the shell, by names of fields and counts, and judged here."""

from __future__ import annotations

import pytest

from lago_acceptance.deploy import answers_compared
from lago_acceptance.deploy.answers_compared import Difference
from lago_acceptance.lago.answer_changes import between, changes
from lago_acceptance.lago.release_table import releases
from lago_acceptance.lago.upgrade_path import named
from tests.support.deploy.shell_program import Program

KNOWN = between(named("v1.16.0"), named("v1.26.0"))


def told(*rows):
    return "".join("\t".join(row) + "\n" for row in rows)


@pytest.fixture(params=["sh", "busybox sh"])
def compare(request, tmp_path):
    """Call it with what was answered before and after: the lines that leave the host."""
    program = Program(tmp_path)

    def run(before, after):
        (program.here / "answers.before").write_text(before)
        (program.here / "answers.after").write_text(after)
        ended = program.run("ask_compared", request.param)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines()

    return run


def test_fields_are_compared_object_by_object(compare):
    before = told(
        ("customer", "c1", "name", "1"), ("customer", "c1", "slug", "2"), ("customer", "c2", "name", "3"),
        ("customer", "c2", "slug", "2"), ("invoice", "i1", "total", "4"),
    )  # fmt: skip
    after = told(
        ("customer", "c1", "name", "1"), ("customer", "c1", "type", "9"), ("customer", "c2", "name", "8"),
        ("customer", "c2", "slug", "2"), ("customer", "c3", "name", "1"),
    )  # fmt: skip
    assert sorted(compare(before, after)) == [
        "added\tcustomer\ttype\t1",
        "changed\tcustomer\tname\t1",
        "missing\tinvoice\t*\t1",
        "new\tcustomer\t*\t1",
        "removed\tcustomer\tslug\t1",
        "same\t-\t-\t2",
    ]


def test_no_value_and_no_object_leaves_the_host(compare):
    before = told(("customer", "an-object", "name", "a-digest"))
    after = told(("customer", "an-object", "name", "another-digest"))
    said = "\n".join(compare(before, after))
    assert "digest" not in said
    assert "an-object" not in said


def difference(*row):
    [found] = answers_compared.compared(["\t".join((*row, "3"))], KNOWN).differences
    return found


@pytest.mark.parametrize(
    "row",
    [
        ("changed", "plan", "active_subscriptions_count"),
        ("changed", "subscription", "plan.customers_count"),
        ("missing", "invoice.fees[]", "*"),
        ("missing", "usage.charges_usage[].groups[]", "*"),
        ("removed", "billable_metric", "plans_count"),
    ],
)
def test_what_is_meant_is_known_and_no_problem(row):
    found = difference(*row)
    assert found.known.startswith("since v1.")
    assert not found.is_finding


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            ("changed", "invoice", "total_amount_cents"),
            "have changed: invoice.total_amount_cents, in 3 objects",
        ),
        (("changed", "customer", "active_subscriptions_count"), "have changed"),
        (("changed", "GET invoice", "status"), "GET invoice has another status"),
        (("changed", "GET invoices", "how_many"), "GET invoices has another number of objects"),
        (("missing", "invoice", "*"), "lack what they had before: 3 of invoice"),
    ],
)
def test_what_nothing_explains_is_a_problem(row, said):
    [problem] = answers_compared.problems(answers_compared.compared(["\t".join((*row, "3"))], KNOWN))
    assert said in problem


def test_new_and_removed_fields_are_told_and_accepted():
    rows = ["added\tcustomer\taccount_type\t2", "removed\tcustomer\tcurrency\t2", "same\t-\t-\t40"]
    found = answers_compared.compared(rows, ())
    assert (found.same, len(found.differences)) == (40, 2)
    assert list(answers_compared.problems(found)) == []
    assert found.of("removed") == (Difference("removed", "customer", "currency", 2),)
    assert str(found.of("removed")[0]) == "customer.currency in 2"


def test_only_changes_on_the_way_are_known():
    assert between(named("v1.25.0"), named("v1.26.0")) == ()
    assert {each.since for each in between(named("v1.17.0"), named("v1.18.0"))} == {"v1.17.1"}
    assert between(named("v1.16.0"), releases()[1, 16, 1]) == KNOWN


def test_all_changes_name_a_release():
    tags = {each.tag for each in releases().values()}
    assert {each.since for each in changes()} <= tags
