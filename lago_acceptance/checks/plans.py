"""Whether Lago holds the catalogue's plans and metrics as the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lago_acceptance.checks import inside
from lago_acceptance.core import registry
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API
from lago_acceptance.core.run import PREFIX
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideView
from lago_acceptance.plans.catalogue import Catalogue
from lago_acceptance.plans.seeding import Seeded, metric_drift, plan_drift

Document = dict[str, Any]
_SEED = "seed it: --seed creates what is missing, --reseed changes what differs"
_UNCOUNTED = "usage is not counted, or counted wrongly"


@registry.check(phase=6, errors={"seeding-not-done": "Lago is seeded where the run was asked to."})
def asked_for(attempt: Attempt[Seeded]) -> Attempt[Seeded]:
    """With --seed or --reseed, what kept the run from seeding is red: a key that nobody gave, an API that can't be reached
    from here. Nothing was created then.
    """
    if not isinstance(unknown := attempt.failure, Unknown):
        return attempt
    return Attempt(
        failure=Red(
            Finding(
                id="seeding-not-done",
                role=API,
                problem=f"--seed was given, and nothing was seeded: {unknown}",
                impact="plans and metrics that Lago lacks are still missing, and nobody can subscribe to them",
                fix=unknown.fix or "remove that cause, or leave out --seed",
            )
        )
    )


def held_plans(view: InsideView, seeded: Attempt[Seeded]) -> dict[str, Document]:
    """Lago's plans by code, asked inside its own container. Blocked where seeding failed, which says why."""
    seeded.block_if_red("the catalogue's plans, which could not be seeded")
    return {plan["code"]: plan for plan in inside.listed(view, "api-plans", "plans")}


def some_plans(view: InsideView, seeded: Attempt[Seeded]) -> list[Document]:
    """Lago's plans, for a check that needs some. Blocked where there are none."""
    if not (held := inside.listed(view, "api-plans", "plans")):
        seeded.block_if_red("what the gateway lists, because no plan could be seeded")
        raise Blocked("plan-missing", "what the gateway lists, because Lago has no plans")
    return held


def lago_has_plans(view: InsideView, seeded: Attempt[Seeded]) -> Iterator[Finding]:
    """Lago has at least one plan."""
    if not inside.listed(view, "api-plans", "plans"):
        seeded.block_if_red("Lago's plans, which could not be seeded")
        yield Finding(
            id="plan-missing",
            role=API,
            problem="Lago has no plans at all",
            impact="there is nothing to subscribe to",
            fix="seed the catalogue: --seed, or in the web UI",
        )


@registry.check(phase=6, errors={"plan-missing": "Lago has every plan of the catalogue."})
def each_is_in_lago(catalogue: Catalogue, held: Mapping[str, Document]) -> Iterator[Finding]:
    """Lago has every plan of the catalogue."""
    for plan in catalogue.plans:
        if plan.code not in held:
            yield Finding(
                id="plan-missing",
                role=API,
                problem=f"Lago has no plan {plan.code}",
                impact="nobody can subscribe to it",
                fix=_SEED,
            )


@registry.check(phase=6, errors={"plan-drift": "Each plan in Lago is as the catalogue says."})
def each_is_as_the_catalogue_says(catalogue: Catalogue, held: Mapping[str, Document]) -> Iterator[Finding]:
    """Every plan in Lago has the name, interval, price, currency and allowance that the catalogue says."""
    for plan in catalogue.plans:
        for drift in plan_drift(plan, held[plan.code]) if plan.code in held else ():
            yield Finding(
                id="plan-drift",
                role=API,
                problem=str(drift),
                impact="customers are billed differently from what they were promised",
                fix=_SEED,
            )


@registry.check(
    phase=6,
    errors={
        "metric-missing": "Lago has every billable metric of the catalogue.",
        "metric-drift": "Each billable metric in Lago is as the catalogue says.",
    },
)
def metrics_are_as_the_catalogue_says(
    catalogue: Catalogue, view: InsideView, seeded: Attempt[Seeded]
) -> Iterator[Finding]:
    """Lago has every billable metric of the catalogue, with the same aggregation and field."""
    seeded.block_if_red("the catalogue's metrics, which could not be seeded")
    held = {metric["code"]: metric for metric in inside.listed(view, "api-metrics", "billable_metrics")}
    for metric in catalogue.billable_metrics:
        if metric.code not in held:
            problem = f"Lago has no billable metric {metric.code}"
            yield Finding(id="metric-missing", role=API, problem=problem, impact=_UNCOUNTED, fix=_SEED)
            continue
        for drift in metric_drift(metric, held[metric.code]):
            yield Finding(id="metric-drift", role=API, problem=str(drift), impact=_UNCOUNTED, fix=_SEED)


@registry.check(phase=6, warnings={"plan-unknown": "Lago has no plan that is not in the catalogue."})
def others_are_reported(catalogue: Catalogue, held: Mapping[str, Document]) -> Iterator[Finding]:
    """Plans in Lago that the catalogue does not name are reported; those of this suite's runs are not."""
    known = {plan.code for plan in catalogue.plans}
    for code in sorted(held.keys() - known):
        if not code.startswith(PREFIX):
            yield Finding(
                id="plan-unknown",
                role=API,
                problem=f"Lago has the plan {code}, which is not in the catalogue",
                impact="customers may be subscribed to a plan that is no longer maintained",
                fix="add it to the catalogue, or delete it in Lago once no customer is subscribed to it",
            )
