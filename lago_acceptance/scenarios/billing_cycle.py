"""The whole billing cycle: from a plan of this run over usage to the last invoice, then everything is removed.

It runs once; each of its attempts belongs to one check. What needs the worker is not tried without one.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.clients.webhook_receiver import Delivery, WebhookReceiver
from lago_acceptance.core import registry
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API, WORKER
from lago_acceptance.scenarios import cleanup, invoices, usage, webhooks
from lago_acceptance.scenarios.cleanup import Owner
from lago_acceptance.scenarios.context import Context, Names, Timeouts, red
from lago_acceptance.scenarios.preconditions import Preconditions

AMOUNT_CENTS = 4900
INCLUDED, BEYOND_CENTS = 3, 500


class BillingCycle:
    """One cycle in one organization. ``run`` runs it; the attempts are there afterwards."""

    def __init__(
        self,
        lago: Lago,
        owner: Owner,
        permit: Permit,
        receiver: WebhookReceiver | None,
        preconditions: Preconditions,
        timeouts: Timeouts | None = None,
    ):
        if not isinstance(permit, Permit):
            raise TypeError("a billing cycle writes into Lago and needs a permit")
        self.owner, self.permit, self.receiver = owner, permit, receiver
        self.names = Names(owner.run)
        self.lago, self._context = lago, Context(lago, self.names, preconditions, timeouts or Timeouts())

    def run(self) -> BillingCycle:
        """Run the cycle. What fails is kept in its attempt; what was made is removed in the end."""
        self.prepared = Attempt.of(self._prepare)
        self.subscribed = Attempt.of(self._subscribe)
        with ThreadPoolExecutor(3) as pool:
            billed, used = pool.submit(self._bill), pool.submit(self._use)
            delivered = pool.submit(Attempt.of, self._webhooks)
            self.first_invoice, self.file = billed.result()
            self.grown, self.charged = used.result()
            self.webhooks = delivered.result()
        self.terminated = Attempt.of(self._terminate)
        self.last_invoice = Attempt.of(self._last_invoice)
        self.removed = Attempt.of(self._remove)
        return self

    def _bill(self) -> tuple[Attempt[Document], Attempt[str]]:
        began = time.monotonic()
        first = Attempt.of(self._first_invoice)
        self.first_invoice_seconds = round(time.monotonic() - began, 2)
        return first, Attempt.of(lambda: invoices.file(self._context, first.require("the invoice's PDF")))

    def _use(self) -> tuple[Attempt[Document], Attempt[Document]]:
        grown = Attempt.of(self._grown)
        return grown, Attempt.of(self._charged, grown)

    # --- steps ---

    def _prepare(self) -> Document:
        metric = self.lago.create(
            "billable_metrics",
            "billable_metric",
            {
                "name": f"Requests of {self.names.base}",
                "code": self.names.metric,
                "description": self.owner.mark,
                "aggregation_type": "sum_agg",
                "field_name": "count",
            },
        )
        charge = {
            "billable_metric_id": metric["lago_id"],
            "charge_model": "package",
            "properties": {"amount": "5", "free_units": INCLUDED, "package_size": INCLUDED},
        }
        plan = self.lago.create(
            "plans",
            "plan",
            {
                "name": f"Plan of {self.names.base}",
                "code": self.names.plan,
                "description": self.owner.mark,
                "interval": "monthly",
                "amount_cents": AMOUNT_CENTS,
                "amount_currency": "USD",
                "pay_in_advance": True,
                "charges": [charge],
            },
        )
        if self.receiver:
            url = self.owner.hook(self.receiver.inside)
            self.lago.create("webhook_endpoints", "webhook_endpoint", {"webhook_url": url})
        self.lago.create(
            "customers",
            "customer",
            {
                "external_id": self.names.customer,
                "name": f"Customer of {self.names.base}",
                "currency": "USD",
                "legal_name": self.owner.mark,
            },
        )
        return plan

    @registry.check(phase=5, errors={"subscription-not-active": "A subscription that starts now is active."})
    def _subscribe(self) -> Document:
        """A customer subscribes to a plan, and the subscription is active at once."""
        self.prepared.require("a subscription")
        made = self.lago.create(
            "subscriptions",
            "subscription",
            {
                "external_customer_id": self.names.customer,
                "external_id": self.names.subscription,
                "plan_code": self.names.plan,
                "billing_time": "anniversary",
            },
        )
        if made["status"] != "active":
            red(
                "subscription-not-active",
                API,
                f"a subscription that starts now is {made['status']}",
                "the customer is not billed and can't use anything",
                "read the API's log around POST /subscriptions",
            )
        return made

    def _first_invoice(self) -> Document:
        self.subscribed.require("the first invoice")
        return invoices.first(self._context, AMOUNT_CENTS)

    def _grown(self) -> Document:
        self.subscribed.require("usage")
        return usage.grown(self._context, INCLUDED)

    def _charged(self, grown: Attempt[Document]) -> Document:
        grown.require("usage beyond the allowance")
        return usage.charged(self._context, INCLUDED, BEYOND_CENTS)

    def _webhooks(self) -> list[Delivery]:
        self.subscribed.require("webhooks")
        return webhooks.delivered(self._context, self.receiver, self.owner.hook(""))

    @registry.check(phase=5, errors={"subscription-not-terminated": "A subscription can be terminated."})
    def _terminate(self) -> Document:
        """A subscription can be terminated."""
        self.subscribed.require("termination")
        answer = self.lago.terminate(self.names.subscription)
        if answer["status"] != "terminated":
            red(
                "subscription-not-terminated",
                API,
                f"a terminated subscription is {answer['status']}",
                "customers who left are still billed",
                "read the API's log around the termination",
            )
        return answer

    def _last_invoice(self) -> Document:
        self.terminated.require("the last invoice")
        first = self.first_invoice.require("the last invoice, beside the first")
        self.charged.require("the last invoice, whose fee is the usage")
        return invoices.last(self._context, first, BEYOND_CENTS)

    @registry.check(phase=5, errors={"round-not-removed": "What this run created in Lago can be removed."})
    def _remove(self) -> list[str]:
        """Everything that the run made in Lago is removed again, except finalized invoices."""
        mine = [thing for thing in cleanup.owned(self.lago) if thing.owner.run == self.owner.run]
        if left := cleanup.remove(self.lago, mine, self.permit):
            self._context.preconditions.need(WORKER, "removal of this run's plan, which the worker completes")
            red(
                "round-not-removed",
                WORKER,
                f"deleted and still there after {cleanup.GONE_SECONDS} s: {', '.join(left)}",
                "what this run created stays in Lago",
                "Lago deletes plans in the worker: check that it reads the queue default",
            )
        return [str(thing) for thing in mine]
