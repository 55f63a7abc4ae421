"""Puts the catalogue into Lago: creates what is missing, reports drift, and changes it only with --reseed.

Deletes nothing. Running it twice changes nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lago_acceptance.clients.lago import Lago
from lago_acceptance.clients.paths import path_of
from lago_acceptance.core.compare import same
from lago_acceptance.core.permit import Permit
from lago_acceptance.plans.catalogue import Catalogue, Metric, Plan


class Drift(msgspec.Struct, frozen=True):
    """One field that differs between Lago and the catalogue."""

    thing: str
    field: str
    held: Any
    wanted: Any

    def __str__(self) -> str:
        return f"{self.thing}: {self.field} is {self.held!r} in Lago and {self.wanted!r} in the catalogue"


class Seeded(msgspec.Struct, frozen=True):
    """What seeding did: codes that were ``created`` and ``changed``, and what still differs."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    drifted: tuple[Drift, ...]


def seed(lago: Lago, catalogue: Catalogue, permit: Permit, reseed: bool = False) -> Seeded:
    """Seed Lago with the catalogue. Without ``reseed``, what is in Lago already stays as it is."""
    if not isinstance(permit, Permit):
        raise TypeError("seeding changes Lago and needs a permit")
    created: list[str] = []
    changed: list[str] = []
    drifted: list[Drift] = []
    metrics: dict[str, str] = {}
    held_metrics = {metric["code"]: metric for metric in lago.all("billable_metrics")}
    for metric in catalogue.billable_metrics:
        held = held_metrics.get(metric.code)
        if held is None:
            held = lago.create("billable_metrics", "billable_metric", metric.as_lago())
            created.append(metric.code)
        elif reseed and metric_drift(metric, held):
            held = lago.update(path_of("billable_metrics", metric.code), "billable_metric", metric.as_lago())
            changed.append(metric.code)
        drifted += metric_drift(metric, held)
        metrics[metric.code] = held["lago_id"]
    held_plans = {plan["code"]: plan for plan in lago.all("plans")}
    for plan in catalogue.plans:
        held = held_plans.get(plan.code)
        if held is None:
            held = lago.create("plans", "plan", {**plan.as_lago(), "charges": _charges(plan, metrics, None)})
            created.append(plan.code)
        elif reseed and plan_drift(plan, held):
            values = {**plan.as_lago(), "charges": _charges(plan, metrics, held)}
            held = lago.update(path_of("plans", plan.code), "plan", values)
            changed.append(plan.code)
        drifted += plan_drift(plan, held)
    return Seeded(tuple(created), tuple(changed), tuple(drifted))


def _charges(plan: Plan, metrics: dict[str, str], held: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The plan's charge; with its id where Lago has it: Lago would add one without an id."""
    if not plan.allowance:
        return []
    wanted = {
        "billable_metric_id": metrics[plan.allowance.metric],
        "charge_model": plan.allowance.model,
        "properties": plan.allowance.properties(),
    }
    same = [
        charge
        for charge in (held or {}).get("charges") or ()
        if charge["billable_metric_code"] == plan.allowance.metric
        and charge["charge_model"] == plan.allowance.model
    ]
    return [{"id": same[0]["lago_id"], **wanted}] if same else [wanted]


def metric_drift(metric: Metric, held: dict[str, Any]) -> list[Drift]:
    """The fields of a metric that differ in Lago."""
    return _drift(f"metric {metric.code}", metric.as_lago(), held)


def plan_drift(plan: Plan, held: dict[str, Any]) -> list[Drift]:
    """The fields of a plan that differ in Lago, its allowance included."""
    thing = f"plan {plan.code}"
    found = _drift(thing, plan.as_lago(), held)
    wanted = (
        []
        if not plan.allowance
        else [_shown(plan.allowance.metric, plan.allowance.model, plan.allowance.properties())]
    )
    charges = [
        _shown(each["billable_metric_code"], each["charge_model"], each["properties"])
        for each in held.get("charges") or ()
    ]
    if not _holds(charges, wanted):
        found.append(Drift(thing, "charges", charges, wanted))
    return found


def _shown(metric: str, model: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"metric": metric, "model": model, "properties": properties}


def _drift(thing: str, wanted: dict[str, Any], held: dict[str, Any]) -> list[Drift]:
    return [
        Drift(thing, field, held.get(field), value)
        for field, value in wanted.items()
        if not _holds(held.get(field) or None, value or None)
    ]


def _holds(held: Any, wanted: Any) -> bool:
    """Whether Lago holds what is wanted: "5.0" is "5", and later versions hold more properties of a charge."""
    if isinstance(wanted, dict):
        return isinstance(held, dict) and all(_holds(held.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(held, list) and len(held) == len(wanted) and all(map(_holds, held, wanted))
    return same(held, wanted)
