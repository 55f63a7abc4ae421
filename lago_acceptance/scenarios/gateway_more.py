"""More purchases of a tenant that has a subscription: another plan, and a plan that only the gateway's own table has."""

from __future__ import annotations

import time

from lago_acceptance.clients.answers import failed
from lago_acceptance.clients.gateway import Gateway, Operation
from lago_acceptance.clients.lago import Document, Lago
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Red
from lago_acceptance.core.roles import GATEWAY
from lago_acceptance.core.secrets import Secret, excerpt
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.core.waiting import until
from lago_acceptance.scenarios.context import red

# Plans that are known to be in the running gateway's own table.
OWN_PLANS = ("professional", "business", "enterprise", "trial", "starter")
# The running gateway's id of a subscription has the second in it.
_SECOND = 1.2


class MorePurchases:
    """Purchases of one tenant, in Lago and in the gateway."""

    def __init__(self, gateway: Gateway, lago: Lago, token: Secret, tenant: str):
        self._gateway, self._lago, self._token, self._tenant = gateway, lago, token, tenant

    @registry.check(
        phase=5, errors={"gateway-two-subscriptions": "A change of plan leaves one active subscription."}
    )
    def plan_is_changed(self, subscribe: Operation, plan: str) -> None:
        """A second purchase changes the plan: in Lago the tenant has one active subscription, and not two."""
        if not plan:
            raise Unknown(
                "the catalogue has no second plan that costs something, so a change of plan can't be made",
                why="the catalogue has no second plan that costs something",
            )
        began = time.monotonic()
        until(lambda: time.monotonic() - began > _SECOND, 2 * _SECOND)
        self._gateway.subscribe(subscribe, plan, self._tenant, self._token).taken(
            "customers can't change their plan"
        )
        active = [each for each in self._held() if each["status"] == "active"]
        if len(active) > 1:
            told = ", ".join(f"{each['plan_code']} ({each['external_id']})" for each in active[:10])
            red(
                "gateway-two-subscriptions",
                GATEWAY,
                f"after a second purchase, of {plan}, Lago has {len(active)} active subscriptions of this customer: {told}",
                "whoever changes the plan is billed for both from then on",
                "have the gateway send the external_id of the active subscription with the new plan_code, which Lago takes as "
                "a change of plan, or end the old one (DELETE /api/v1/subscriptions/<external_id>)",
            )

    @registry.check(
        phase=5, errors={"gateway-sells-its-own-plan": "The gateway sells no plan that Lago does not have."}
    )
    def own_plan_is_refused(self, subscribe: Operation, plan: str = "") -> None:
        """A plan that only the gateway's own table has can't be bought while Lago is well.

        Which plans are there is not shown then; those of the running gateway are tried that Lago lacks, the first of them.
        """
        known = {each["code"] for each in self._lago.all("plans")}
        wanted = plan or next((each for each in OWN_PLANS if each not in known), "")
        if not wanted:
            raise Unknown(
                f"Lago has every plan that a gateway is known to have itself ({', '.join(OWN_PLANS)})",
                why="Lago has every plan that a gateway is known to have itself",
            )
        answer = self._gateway.subscribe(subscribe, wanted, self._tenant, self._token)
        if answer.status >= 500:
            raise Red(failed(answer, f"for the plan {wanted}, which Lago does not have"))
        if answer.status not in (200, 201):
            return
        said = answer.body.get("subscription", answer.body) if isinstance(answer.body, dict) else {}
        names = ("external_id", "lago_id")
        ids = [each[name] for each in self._held() for name in names if each.get(name)]
        if isinstance(said, dict) and said.get("id") in ids:
            return
        red(
            "gateway-sells-its-own-plan",
            GATEWAY,
            f"Lago has no plan {wanted}, and buying it is answered with {excerpt(answer.said, 300)}; Lago has no such "
            "subscription",
            "whoever buys such a plan uses the product and never gets a bill",
            "have the gateway refuse a plan that Lago does not list (400), and look plans up nowhere else",
        )

    def _held(self) -> list[Document]:
        return self._lago.all("subscriptions", external_customer_id=self._tenant)
