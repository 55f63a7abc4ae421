"""A purchase through the gateway: a tenant of this run subscribes, and Lago must hold what the gateway says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import msgspec

from lago_acceptance.checks.gateway_plans import appears_in_lago, created_in_lago, named_by
from lago_acceptance.clients.gateway import Gateway, Operation, by_effect_alone, listed
from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.core import registry, run
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.compare import same
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import GATEWAY, WORKER
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.core.waiting import until
from lago_acceptance.facts.inside import InsideView
from lago_acceptance.scenarios import cleanup, invoices
from lago_acceptance.scenarios.cleanup import OwnedResource, Owner
from lago_acceptance.scenarios.context import Context, Names, Timeouts, red
from lago_acceptance.scenarios.gateway_more import MorePurchases
from lago_acceptance.scenarios.preconditions import Preconditions

_QUEUED_SECONDS = 15


class Subscribed(msgspec.Struct, frozen=True):
    """The gateway's answer to a subscription, and the customer's subscriptions in Lago right after it.

    ``told``: of a gateway whose routes the settings name, and whose answers are not known.
    """

    answer: dict[str, Any]
    plan: str
    held: list[Document]
    told: bool = False

    def judged(self, view: InsideView | None = None) -> Iterator[Finding]:
        """Whether the subscription is in Lago. ``view`` has the gateway's log."""
        if self.told:
            return appears_in_lago(self.plan, self.held, view)
        return created_in_lago(self.answer, self.plan, self.held, view)


class GatewayPurchase:
    """One purchase; ``run`` makes it and removes the customer again."""

    def __init__(
        self,
        gateway: Gateway,
        lago: Lago,
        token: Secret,
        owner: Owner,
        permit: Permit,
        plan: str,
        preconditions: Preconditions,
        cause: str = "",
        other: str = "",
    ):
        """``cause`` is the id of a finding that explains a subscription which only the gateway knows, if there is one.

        ``other`` is the code of a plan to change to, "" where there is none.
        """
        self.gateway, self.lago, self._token, self.owner, self.permit = gateway, lago, token, owner, permit
        self.plan, self.preconditions, self._cause = plan, preconditions, cause
        self._other = other
        self.tenant = run.tenant_of(owner.run)

    def run(self, operation: Callable[[str], Operation]) -> GatewayPurchase:
        """Subscribe through the gateway and compare both sides; what fails is kept in its attempt."""
        self.subscribed = Attempt.of(self._subscribe, operation)
        if self.subscribed.failure is None and self.subscribed.value().told:
            unknown: Attempt[None] = Attempt(failure=by_effect_alone())
            self.seen = self.invoiced = self.used = self.changed = self.own_plan = unknown
            self.removed = Attempt.of(self._remove)
            return self
        self.seen = Attempt.of(self._subscription_seen, operation)
        self.invoiced = Attempt.of(self._invoice_seen, operation)
        self.used = Attempt.of(self._usage_seen, operation)
        more = MorePurchases(self.gateway, self.lago, self._token, self.tenant)
        self.changed = Attempt.of(
            self._after, more.plan_is_changed, operation, self._other, "a change of plan"
        )
        self.own_plan = Attempt.of(
            self._after, more.own_plan_is_refused, operation, "", "a plan that Lago lacks"
        )
        self.removed = Attempt.of(self._remove)
        return self

    def _subscribe(self, operation: Callable[[str], Operation]) -> Subscribed:
        subscribe = operation("subscribe")
        # Made beforehand, so that it has this run's mark; the gateway's own upsert leaves the mark alone.
        self.lago.create(
            "customers",
            "customer",
            {
                "external_id": self.tenant,
                "name": self.tenant,
                "currency": "USD",
                "legal_name": self.owner.mark,
            },
        )
        answer = self.gateway.subscribe(subscribe, self.plan, self.tenant, self._token)
        if self._cause and answer.status >= 500:
            raise Blocked(self._cause, f"a purchase, which is answered with {answer.said}")
        said = None if subscribe.told and 200 <= answer.status < 300 else answer.taken("customers can't buy")
        if subscribe.told:
            # It may hand the purchase to a queue.
            until(lambda: any(each["plan_code"] == self.plan for each in self._held()), _QUEUED_SECONDS)
            return Subscribed({}, self.plan, self._held(), told=True)
        said = said.get("subscription", said) if isinstance(said, dict) else said
        if not isinstance(said, dict):
            answer.refuse("customers can't buy")
        return Subscribed(said, self.plan, self._held())

    def _held(self) -> list[Document]:
        return self.lago.all("subscriptions", external_customer_id=self.tenant)

    def _in_lago(self, missing: str) -> Document:
        """The subscription in Lago. Blocked where the gateway made none there."""
        subscribed = self.subscribed.require(missing)
        for finding in subscribed.judged():
            raise Blocked(self._cause or finding.id, missing)
        named = named_by(subscribed.answer, subscribed.plan, subscribed.held)
        if named is None:
            raise Blocked("gateway-subscription-is-its-own", missing)
        return named

    def _read(self, operation: Operation, subscription: Document) -> list[dict[str, Any]]:
        """What the tenant sees, as a list; a single object is a list of one."""
        known = {"tenant": self.tenant, "customer": self.tenant, "subscription": subscription["external_id"]}
        answer = self.gateway.read(operation, self._token, **known)
        shown = listed(answer, "customers can't see what they have bought")
        if shown is None:
            return [answer.body] if isinstance(answer.body, dict) and answer.body else []
        return shown

    @registry.check(
        phase=5, errors={"gateway-subscription-not-shown": "The gateway shows a new subscription."}
    )
    def _subscription_seen(self, operation: Callable[[str], Operation]) -> None:
        """The gateway shows the subscription that was made through it."""
        route = operation("subscriptions")
        wanted = self._in_lago("the subscription through the gateway")
        shown = self._read(route, wanted)
        # Under whatever name, in the subscription or in its plan.
        if not any(f"'{wanted['plan_code']}'" in str(each) for each in shown):
            _red(
                "gateway-subscription-not-shown",
                f"{route.path} shows {shown!r:.200} after subscribing to {wanted['plan_code']}",
                "customers believe that they have bought nothing",
            )

    @registry.check(phase=5, errors={"gateway-invoice-not-shown": "The gateway shows a new invoice."})
    def _invoice_seen(self, operation: Callable[[str], Operation]) -> None:
        """The gateway shows the invoice of that subscription, with Lago's amount."""
        route = operation("invoices")
        subscription = self._in_lago("the invoice through the gateway")
        self.preconditions.need(WORKER, "the invoice through the gateway, which the worker creates")
        timeouts = Timeouts()
        context = Context(self.lago, Names(self.owner.run), self.preconditions, timeouts)
        if not (invoice := invoices.finalized(context, self.tenant, timeouts.invoice)):
            raise Blocked("invoice-missing", "the invoice through the gateway, which Lago did not make")
        shown = self._read(route, subscription)
        mine = [each for each in shown if invoice["lago_id"] in (each.get("id"), each.get("lago_id"))]
        cents = invoice["total_amount_cents"]
        if not mine or not (
            same(mine[0].get("amount"), cents / 100) or same(mine[0].get("total_amount_cents"), cents)
        ):
            _red(
                "gateway-invoice-not-shown",
                f"{route.path} shows {shown!r:.200}, and Lago has an invoice over "
                f"{invoice['total_amount_cents']} cents",
                "customers can't see what they have to pay",
                "have the gateway read total_amount_cents and currency: Lago 1.16.0 has no amount_cents in an invoice",
            )

    @registry.check(
        phase=5, errors={"gateway-usage-not-shown": "The gateway shows the usage that Lago counts."}
    )
    def _usage_seen(self, operation: Callable[[str], Operation]) -> None:
        """The gateway shows the usage that Lago counts for that subscription."""
        route = operation("usage")
        wanted = self._in_lago("usage through the gateway")
        held = self.lago.usage(self.tenant, wanted["external_id"])["charges_usage"]
        shown = self._read(route, wanted)
        text = str(shown)
        if missing := [
            each["billable_metric"]["code"] for each in held if each["billable_metric"]["code"] not in text
        ]:
            _red(
                "gateway-usage-not-shown",
                f"{route.path} shows {shown!r:.200}, and Lago counts {', '.join(missing)}",
                "customers can't see their usage",
                "have the gateway ask Lago for customers/<id>/current_usage?external_subscription_id=…",
            )

    def _after(
        self,
        purchase: Callable[[Operation, str], None],
        operation: Callable[[str], Operation],
        plan: str,
        what: str,
    ) -> None:
        """One more purchase, where the first is in Lago."""
        route = operation("subscribe")
        self._in_lago(f"{what} through the gateway")
        purchase(route, plan)

    def _remove(self) -> list[str]:
        left = cleanup.remove(self.lago, [OwnedResource("customers", self.tenant, self.owner)], self.permit)
        if left:
            _red(
                "round-not-removed",
                f"deleted and still there: {', '.join(left)}",
                "what this run created stays in Lago",
            )
        return left


def _red(
    id: str,
    problem: str,
    impact: str,
    fix: str = "check what the gateway requests from Lago for this route, and what it caches",
) -> NoReturn:
    red(id, GATEWAY, problem, impact, fix)
