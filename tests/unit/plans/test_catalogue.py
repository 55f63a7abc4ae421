"""A plan catalogue that Lago would take without a word, or answer by 500, is refused before anything is sent."""

from __future__ import annotations

import pytest

from lago_acceptance.core import resources
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.plans import catalogue
from lago_acceptance.plans.catalogue import Allowance, Plan
from lago_acceptance.plans.seeding import plan_drift, seed
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.subscribing import each_plan_can_be_subscribed_to
from tests.support.suite_run import run

GOOD = """
billable_metrics:
  - {code: ai_requests, name: AI requests, aggregation_type: sum_agg, field_name: count}
plans:
  - code: starter
    name: Starter
    interval: monthly
    amount_cents: 4900
    amount_currency: USD
    pay_in_advance: true
    allowance: {metric: ai_requests, included: 1000, model: package, size: 1000, price: "5"}
"""
BAD = {
    "unknown interval": ("interval: monthly", "interval: month", "weekly, monthly, quarterly and yearly"),
    "later version's interval": (
        "interval: monthly",
        "interval: semiannual",
        "weekly, monthly, quarterly and yearly",
    ),
    "fractional cents": ("4900", "49.5", "whole cents"),
    "negative cents": ("4900", "-1", "-1"),
    "cents as text": ("4900", '"4900"', "amount_cents"),
    "more cents than Lago can hold": ("4900", "9223372036854775808", "amount_cents"),
    "unknown currency": ("USD", "USX", "USX is not a currency"),
    "currency in small letters": ("USD", "usd", "usd is not a currency"),
    "standard holds no allowance": ("model: package", "model: standard", "would bill from the first"),
    "volume holds no allowance": ("model: package", "model: volume", "would bill from the first"),
    "no included units": ("included: 1000", "included: 0", "not an allowance"),
    "fractional units": ("included: 1000", "included: 0.5", "included"),
    "package without a size": (", size: 1000", "", "needs its size"),
    "price that is none": ('price: "5"', 'price: "five"', "decimal text"),
    "negative price": ('price: "5"', 'price: "-5"', "decimal text"),
    "price without end": ('price: "5"', 'price: "Infinity"', "decimal text"),
    "unknown metric": ("metric: ai_requests", "metric: calls", "does not name"),
    "metric without its field": (", field_name: count", "", "needs a field_name"),
    "code with a slash": ("code: starter", "code: a/b", "must not have blanks, slashes"),
    "code of a run": ("code: starter", "code: lago-acceptance-x", "of this suite's runs"),
    "key given twice": ("name: Starter", "name: Starter\n    name: Other", "line 7 gives name a second time"),
    "key given twice on one line": ("size: 1000", "size: 1000, size: 10", "line 11 gives size a second time"),
    "a second document": ("plans:", "---\nplans:", "it has a second document"),
    "nothing but null": (GOOD, "~", "is empty"),
    "empty": (GOOD, "", "is empty"),
    "no name": ("name: Starter", 'name: " "', "no name"),
    "misspelt field": ("pay_in_advance", "pay_in_advanced", "pay_in_advance"),
    "no YAML": ("plans:", "plans: [", "is not YAML"),
    "no plans": (GOOD[GOOD.index("plans:") :], "plans: []", "names no plan"),
}


def _load(folder, text: str) -> catalogue.Catalogue:
    path = folder / "plans.yml"
    path.write_text(text)
    return catalogue.load(path)


def test_the_shipped_catalogue_is_the_plans(tmp_path):
    shipped = {
        plan.code: (plan.amount_cents, plan.allowance and plan.allowance.included)
        for plan in catalogue.load(resources.COMPOSE / "plans.yml").plans
    }
    assert shipped == {
        "free": (0, 100),
        "starter": (4900, 1000),
        "growth": (19900, 10000),
        "scale": (49900, 50000),
        "enterprise": (0, None),
    }
    assert _load(tmp_path, GOOD).plans[0].code == "starter"


@pytest.mark.parametrize("name", BAD)
def test_a_catalogue_is_refused_in_one_sentence(name, tmp_path):
    old, new, said = BAD[name]
    assert old in GOOD
    with pytest.raises(UsageError) as raised:
        _load(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(raised.value)
    assert "plans.yml" in str(raised.value)


def test_a_code_belongs_to_one_plan(tmp_path):
    twice = GOOD + GOOD[GOOD.index("  - code: starter") :]
    with pytest.raises(UsageError, match="starter is listed 2 times"):
        _load(tmp_path, twice)


def test_a_catalogue_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        catalogue.load(tmp_path / "none.yml")
    with pytest.raises(UsageError, match="is a folder"):
        catalogue.load(tmp_path)
    with pytest.raises(UsageError, match="levels deep"):
        _load(tmp_path, "[" * 5000)
    (tmp_path / "plans.yml").write_bytes(b"\x00\xff\xfe")
    with pytest.raises(UsageError, match="is not YAML"):
        catalogue.load(tmp_path / "plans.yml")


def test_the_run_ends_with_exit_code_4_before_anything_starts(tmp_path):
    path = tmp_path / "plans.yml"
    path.write_text(GOOD.replace("monthly", "month"))
    result = run(tmp_path / "reports", "-m", "phase6", "--plans", str(path))
    assert result.code == 4
    assert "Lago knows weekly" in result.output
    assert "Traceback" not in result.output


def test_graduated_ranges_join_without_a_gap():
    ranges = Allowance("m", 1000, "graduated", "0.05").properties()["graduated_ranges"]
    assert [(each["from_value"], each["to_value"]) for each in ranges] == [(0, 1000), (1001, None)]


class Held:
    """A Lago in memory, as far as seeding asks."""

    def __init__(self):
        self.things: dict[str, dict[str, dict]] = {"billable_metrics": {}, "plans": {}}
        self.asked: list[str] = []

    def all(self, collection):
        return list(self.things[collection].values())

    def create(self, collection, kind, values):
        self.asked.append(f"create {values['code']}")
        return self._keep(collection, values)

    def update(self, path, kind, values):
        self.asked.append(f"update {values['code']}")
        return self._keep(path.partition("/")[0], values)

    def _keep(self, collection, values):
        charges = [
            {"lago_id": "c", "billable_metric_code": "ai_requests", **charge}
            for charge in values.get("charges", ())
        ]
        self.things[collection][values["code"]] = {"lago_id": values["code"], **values, "charges": charges}
        return self.things[collection][values["code"]]


def test_seeding_creates_once_tells_drift_and_changes_only_when_told(tmp_path):
    lago, plans, permit = Held(), _load(tmp_path, GOOD), Permit("--seed")
    assert seed(lago, plans, permit).created == ("ai_requests", "starter")
    lago.asked.clear()
    assert seed(lago, plans, permit) == type(seed(lago, plans, permit))((), (), ())
    assert lago.asked == []

    lago.things["plans"]["starter"]["amount_cents"] = 2900
    lago.things["plans"]["starter"]["charges"][0]["properties"] = {"amount": "5"}
    told = seed(lago, plans, permit)
    assert [drift.field for drift in told.drifted] == ["amount_cents", "charges"]
    assert str(told.drifted[0]) == "plan starter: amount_cents is 2900 in Lago and 4900 in the catalogue"
    assert lago.asked == []

    assert seed(lago, plans, permit, reseed=True).changed == ("starter",)
    assert plan_drift(plans.plans[0], lago.things["plans"]["starter"]) == []


def test_seeding_needs_a_permit(tmp_path):
    with pytest.raises(TypeError):
        seed(Held(), _load(tmp_path, GOOD), None)


def test_what_later_versions_and_people_add_is_no_drift(tmp_path):
    """More properties of a charge, a description of Lago's own, and numbers that are written otherwise."""
    lago, plans, permit = Held(), _load(tmp_path, GOOD), Permit("--seed")
    seed(lago, plans, permit)
    held = lago.things["plans"]["starter"]
    held.update(description="by hand", pending_deletion=False, metadata={}, fixed_charges=[])
    held["charges"][0]["properties"].update(amount="5.00", pricing_group_keys=None)
    lago.things["billable_metrics"]["ai_requests"]["expression"] = None
    assert seed(lago, plans, permit).drifted == ()
    held["charges"][0]["properties"]["amount"] = "5.01"
    assert [drift.field for drift in seed(lago, plans, permit).drifted] == ["charges"]
    seed(lago, plans, permit, reseed=True)
    assert "description" not in plans.plans[0].as_lago()


def test_ranges_are_held_against_each_other_one_by_one():
    plan = Plan("p", "P", "monthly", 0, "USD", True, Allowance("m", 1000, "graduated", "0.05"))
    charge = {
        "billable_metric_code": "m",
        "charge_model": "graduated",
        "properties": plan.allowance.properties(),
    }
    held = {**plan.as_lago(), "charges": [charge]}
    assert plan_drift(plan, held) == []
    charge["properties"] = {"graduated_ranges": charge["properties"]["graduated_ranges"][:1]}
    assert [drift.field for drift in plan_drift(plan, held)] == ["charges"]


class Bought:
    """A Lago that takes subscriptions, and routes as Lago does: what follows a dot in an id is a format."""

    def __init__(self):
        self.customers: set[str] = set()

    def create(self, collection, kind, values):
        if collection == "customers":
            self.customers.add(values["external_id"])
        return {"status": "active", "plan_code": values.get("plan_code")}

    def delete(self, path):
        self.customers.discard(path.removeprefix("customers/").partition(".")[0])

    def find(self, path, kind):
        found = path.removeprefix("customers/").partition(".")[0]
        return {} if found in self.customers else None


def test_a_customer_on_a_plan_whose_code_has_a_dot_is_removed(tmp_path):
    plans = _load(tmp_path, GOOD.replace("code: starter", "code: starter.v1"))
    lago, owner = Bought(), Owner("20260101-000000-abcdef", "here", "1-1")
    assert each_plan_can_be_subscribed_to(lago, plans, owner, Permit("--seed")) == []
    assert lago.customers == set()
