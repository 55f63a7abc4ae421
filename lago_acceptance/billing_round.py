"""The whole round that proves billing: from a plan of one's own over usage to the last invoice, then everything removed.

A round is made once; each of its attempts belongs to one check. What needs the worker is not tried without one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from lago_acceptance import sweeping
from lago_acceptance.attempts import Attempt
from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.errors import Blocked
from lago_acceptance.findings import Finding, Red
from lago_acceptance.host import Permit
from lago_acceptance.roles import API, PDF, WORKER
from lago_acceptance.runs import PREFIX
from lago_acceptance.sweeping import Owner
from lago_acceptance.waiting import until
from lago_acceptance.webhook_box import Box, Delivery

AMOUNT_CENTS = 4900
INCLUDED, BEYOND_CENTS = 3, 500
# The real Lago took 0.6 s for the invoice, 0.4 s for usage, 2 s for the PDF; its last invoice waits for a poller
# that looks every 5 to 15 s (Lago sheet, sections 3.11 and 8).
INVOICE_SECONDS, USAGE_SECONDS, FILE_SECONDS, HOOK_SECONDS, LAST_SECONDS = 15.0, 10.0, 20.0, 15.0, 30.0
STARTED_HOOKS = ("customer.created", "subscription.started", "invoice.created")


class Names(msgspec.Struct, frozen=True):
    """What the round's things are called: all begin with the run id."""

    run: str

    @property
    def base(self) -> str:
        return f"{PREFIX}{self.run}"

    @property
    def metric(self) -> str:
        return f"{self.base}-requests"

    @property
    def plan(self) -> str:
        return f"{self.base}-plan"

    @property
    def customer(self) -> str:
        return f"{self.base}-customer"

    @property
    def subscription(self) -> str:
        return f"{self.base}-subscription"


class Circumstances(msgspec.Struct, frozen=True):
    """What is known before: roles whose service is down, by the id of the red check that says so; and red rules that
    explain why usage would not grow.
    """

    down: dict[str, str] = {}
    stale_usage: str = ""


class BillingRound:
    """One round in one organization. ``run`` makes it; the attempts are there afterwards."""

    def __init__(self, lago: Lago, owner: Owner, permit: Permit, box: Box | None, around: Circumstances):
        if not isinstance(permit, Permit):
            raise TypeError("a billing round writes into Lago and needs a permit")
        self.lago, self.owner, self.permit, self.box, self.around = lago, owner, permit, box, around
        self.names = Names(owner.run)

    def run(self) -> BillingRound:
        """Make the round. Whatever fails is kept in its attempt; what was made is removed in the end."""
        self.prepared = Attempt.of(self._prepare)
        self.subscribed = Attempt.of(self._subscribe)
        with ThreadPoolExecutor(3) as beside:
            invoice = beside.submit(self._in_turn, self._first_invoice, self._file)
            usage = beside.submit(self._in_turn, self._grown, self._charged)
            hooks = beside.submit(Attempt.of, self._hooks, STARTED_HOOKS)
            self.first_invoice, self.file = invoice.result()
            self.grown, self.charged = usage.result()
            self.hooks = hooks.result()
        self.terminated = Attempt.of(self._terminate)
        self.last_invoice = Attempt.of(self._last_invoice)
        self.removed = Attempt.of(self._remove)
        return self

    def _in_turn(self, *steps: Callable[[Attempt | None], Any]) -> tuple[Attempt, ...]:
        done: list[Attempt] = []
        for step in steps:
            done.append(Attempt.of(step, done[-1] if done else None))
        return tuple(done)

    # --- steps ---

    def _prepare(self) -> Document:
        metric = self.lago.create("billable_metrics", "billable_metric", {
            "name": f"Requests of {self.names.base}", "code": self.names.metric, "description": self.owner.mark,
            "aggregation_type": "sum_agg", "field_name": "count",
        })
        charge = {
            "billable_metric_id": metric["lago_id"],
            "charge_model": "package",
            "properties": {"amount": "5", "free_units": INCLUDED, "package_size": INCLUDED},
        }
        plan = self.lago.create("plans", "plan", {
            "name": f"Plan of {self.names.base}", "code": self.names.plan, "description": self.owner.mark,
            "interval": "monthly", "amount_cents": AMOUNT_CENTS, "amount_currency": "USD", "pay_in_advance": True,
            "charges": [charge],
        })
        if self.box:
            url = self.owner.hook(self.box.inside)
            self.lago.create("webhook_endpoints", "webhook_endpoint", {"webhook_url": url})
        self.lago.create("customers", "customer", {
            "external_id": self.names.customer, "name": f"Customer of {self.names.base}", "currency": "USD",
            "legal_name": self.owner.mark,
        })
        return plan

    def _subscribe(self) -> Document:
        self.prepared.needed("a subscription")
        made = self.lago.create("subscriptions", "subscription", {
            "external_customer_id": self.names.customer, "external_id": self.names.subscription,
            "plan_code": self.names.plan, "billing_time": "anniversary",
        })
        if made["status"] != "active":
            _red("subscription-not-active", API, f"a subscription that starts now is {made['status']}",
                 "the customer pays nothing and may use nothing", "look at the API's log around the subscription")
        return made

    def _first_invoice(self, _: Attempt | None) -> Document:
        self.subscribed.needed("the first invoice")
        self._need(WORKER, "the first invoice, which the worker makes")
        found = self._invoice(lambda invoice: invoice["status"] == "finalized", INVOICE_SECONDS)
        if not found:
            _red("invoice-missing", WORKER, f"no finalized invoice within {INVOICE_SECONDS:.0f} s of subscribing to a plan that "
                 "is paid in advance", "customers use what they never get a bill for",
                 "see whether the worker reads the queue billing in the API's Redis (REDIS_URL of both), and its log")
        if (found["fees_amount_cents"], found["currency"]) != (AMOUNT_CENTS, "USD"):
            _red("invoice-amount", WORKER, f"the invoice of a plan of {AMOUNT_CENTS} USD cents bills "
                 f"{found['fees_amount_cents']} {found['currency']} cents", "customers are billed wrongly",
                 "compare GET /invoices/<id> with the plan; look for coupons, taxes and overrides")
        return found

    def _file(self, invoice: Attempt) -> str:
        made = invoice.needed("the invoice's PDF")
        self._need(PDF, "the invoice's PDF")

        def url() -> str | None:
            return self.lago.get(f"invoices/{made['lago_id']}", "invoice")["file_url"]

        if not (found := until(url, FILE_SECONDS)):
            _red("invoice-without-file", PDF, f"the finalized invoice has no file_url after {FILE_SECONDS:.0f} s",
                 "customers get no PDF, and each invoice leaves a dead job",
                 "set LAGO_PDF_URL on the worker to the PDF service and read the worker's log")
        return self._fetch(found)

    def _fetch(self, url: str) -> str:
        """Follow file_url as a browser does, and see that a PDF comes."""
        answer = self.lago.connection.fetch(url)
        target = answer.headers.get("location", "")
        if answer.status_code == 302 and target:
            answer = self.lago.connection.fetch(target)
        if answer.status_code != 200 or not answer.content.startswith(b"%PDF-"):
            media_type = answer.headers.get("content-type", "no content type")
            _red("invoice-file-unreadable", API, f"file_url leads to {answer.status_code} {media_type} and not to a PDF",
                 "customers click on a link to nothing",
                 "LAGO_API_URL must be the public https URL, and /app/storage a volume that API and worker share")
        return url

    def _grown(self, _: Attempt | None) -> Document:
        self.subscribed.needed("usage")
        self._need(WORKER, "usage, which the worker lets grow")
        if self.around.stale_usage:
            raise Blocked(self.around.stale_usage, "usage, which can't grow so")
        # Fills the cache: without it the number would be computed at once and prove PostgreSQL alone.
        primed = self._units()
        if primed["units"] != "0.0":
            _red("usage-not-zero", API, f"a subscription that has just begun has used {primed['units']} units",
                 "customers pay for what they did not use", "look for other senders of events with this metric's code")
        self._send(INCLUDED)
        found = self._until_units(f"{INCLUDED}.0")
        if found["amount_cents"] != 0:
            _red("allowance-not-free", API, f"{INCLUDED} of {INCLUDED} included units cost {found['amount_cents']} cents",
                 "customers pay for what their plan includes", "look at the charge's properties as Lago echoes them")
        return found

    def _charged(self, grown: Attempt) -> Document:
        grown.needed("usage beyond the allowance")
        self._send(1)
        found = self._until_units(f"{INCLUDED + 1}.0")
        if found["amount_cents"] != BEYOND_CENTS:
            _red("usage-amount", API, f"one unit beyond the allowance costs {found['amount_cents']} cents instead of {BEYOND_CENTS}",
                 "usage is billed wrongly", "look at the charge's properties as Lago echoes them")
        return found

    def _hooks(self, types: tuple[str, ...]) -> list[Delivery]:
        self.subscribed.needed("webhooks")
        if not self.box:
            from lago_acceptance.errors import Unknown

            raise Unknown("Lago has no way from here to a receiver of webhooks")
        self._need(WORKER, "webhooks, which the worker delivers")
        path = self.owner.hook("")
        found: list[Delivery] = []

        def all_there() -> bool:
            nonlocal found
            found = [each for each in self.box.deliveries() if each.path == path]
            return set(types) <= {each.type for each in found}

        if not until(all_there, HOOK_SECONDS):
            missing = ", ".join(sorted(set(types) - {each.type for each in found}))
            _red("webhook-not-delivered", WORKER, f"no {missing} was delivered within {HOOK_SECONDS:.0f} s to {self.box.inside}",
                 "whoever waits for Lago's word, the gateway for one, never hears of it",
                 "see whether the worker reads the queue webhook and can reach the receiver")
        key, pairs = self.lago.public_key(), {each.type: each for each in found}
        for each in pairs.values():
            if trouble := each.trouble(key):
                _red("webhook-signature", WORKER, f"the webhook {each.type} {trouble}",
                     "receivers that check signatures throw every webhook away",
                     "give API and worker the same RSA key; mount the same PEM in both")
        return list(pairs.values())

    def _terminate(self) -> Document:
        self.subscribed.needed("termination")
        answer = self.lago.terminate(self.names.subscription)
        if answer["status"] != "terminated":
            _red("subscription-not-terminated", API, f"a terminated subscription is {answer['status']}",
                 "customers who left go on paying", "read the API's log around the termination")
        return answer

    def _last_invoice(self) -> Document:
        self.terminated.needed("the last invoice")
        first = self.first_invoice.needed("the last invoice, beside the first")
        self.charged.needed("the last invoice, whose fee is the usage")
        found = self._invoice(
            lambda invoice: invoice["lago_id"] != first["lago_id"] and invoice["status"] == "finalized", LAST_SECONDS
        )
        if not found:
            _red("last-invoice-missing", WORKER, f"no invoice within {LAST_SECONDS:.0f} s of terminating",
                 "the usage of customers who leave is never billed", "read the worker's log: the job is scheduled for 2 s later")
        if found["fees_amount_cents"] != BEYOND_CENTS:
            _red("last-invoice-amount", WORKER, f"the last invoice bills {found['fees_amount_cents']} cents for usage of "
                 f"{BEYOND_CENTS}", "the usage of customers who leave is billed wrongly", "compare its fees with current_usage")
        return found

    def _remove(self) -> list[str]:
        mine = [thing for thing in sweeping.owned(self.lago) if thing.owner.run == self.owner.run]
        if left := sweeping.remove(self.lago, mine, self.permit):
            self._need(WORKER, "removal of the round's plan, which the worker ends")
            _red("round-not-removed", WORKER, f"deleted and still there after {sweeping.GONE_SECONDS} s: {', '.join(left)}",
                 "what this run made stays in Lago", "Lago deletes a plan in the worker: look at the queue default")
        return [str(thing) for thing in mine]

    # --- what several steps do ---

    def _need(self, role: str, missing: str) -> None:
        if role in self.around.down:
            raise Blocked(self.around.down[role], missing)

    def _invoice(self, wanted: Callable[[Document], bool], deadline: float) -> Document | None:
        def look() -> Document | None:
            found = self.lago.some("invoices", external_customer_id=self.names.customer)
            return next((invoice for invoice in found if wanted(invoice)), None)

        return until(look, deadline)

    def _send(self, units: int) -> None:
        event = {
            "transaction_id": f"{self.names.base}-{time.time_ns()}",
            "code": self.names.metric,
            "external_subscription_id": self.names.subscription,
            "properties": {"count": units},
        }
        self.lago.create("events", "event", event)

    def _units(self) -> Document:
        return self.lago.usage(self.names.customer, self.names.subscription)["charges_usage"][0]

    def _until_units(self, wanted: str) -> Document:
        found: Document = {}

        def there() -> bool:
            nonlocal found
            found = self._units()
            return found["units"] == wanted

        if not until(there, USAGE_SECONDS):
            _red("usage-does-not-grow", WORKER, f"{USAGE_SECONDS:.0f} s after {wanted} units were sent, current_usage "
                 f"says {found['units']}", "what customers use is not billed, or shown too late",
                 "the worker must run and share the API's cache: LAGO_REDIS_CACHE_URL the same on both, "
                 "no SIDEKIQ_EVENTS without a worker for the queue events")
        return found


def _red(id: str, role: str, wrong: str, leads_to: str, mend: str) -> None:
    raise Red(Finding(id=id, role=role, wrong=wrong, leads_to=leads_to, mend=mend))
