"""The connector: what the gateway asks of Lago. Redirects are not followed; each call has five seconds."""

from typing import Any

import httpx

from gateway.settings import LAGO_KEY, LAGO_URL

SECONDS = 5.0


class LagoFailed(Exception):
    """Lago gave no answer that can be used."""


_client = httpx.Client(timeout=SECONDS, headers={"Authorization": f"Bearer {LAGO_KEY}"}, trust_env=False)


def ask(method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
    """The JSON of a 200. LagoFailed for everything else: another status, HTML, no answer in time."""
    try:
        answer = _client.request(method, f"{LAGO_URL}/api/v1/{path}", json=body, params=query)
        if answer.status_code != 200:
            raise LagoFailed(f"Lago answered {answer.status_code}")
        document = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise LagoFailed(str(error)) from error
    if not isinstance(document, dict):
        raise LagoFailed("Lago's answer is no object")
    return document


def plans() -> list[dict[str, Any]]:
    """Lago's plans in the gateway's words: amounts are major units, as a float."""
    return [
        {
            "id": plan["lago_id"],
            "name": plan["name"],
            "slug": plan["code"],
            "amount": plan["amount_cents"] / 100,
            "currency": plan["amount_currency"],
            "interval": plan["interval"],
            "description": plan["description"],
        }
        for plan in ask("GET", "plans", per_page="100")["plans"]
    ]


def subscribe(tenant: str, plan: str, external_id: str) -> dict[str, Any]:
    """Make the tenant a customer and subscribe it."""
    ask("POST", "customers", {"customer": {"external_id": tenant, "name": tenant, "currency": "USD"}})
    wanted = {
        "external_customer_id": tenant,
        "external_id": external_id,
        "plan_code": plan,
        "billing_time": "anniversary",
    }
    return ask("POST", "subscriptions", {"subscription": wanted})["subscription"]


def subscription(tenant: str) -> dict[str, Any] | None:
    """The tenant's active subscription, or None; also where Lago fails."""
    try:
        found = ask("GET", "subscriptions", external_customer_id=tenant)["subscriptions"]
    except LagoFailed:
        return None
    return found[0] if found else None


def invoices(tenant: str) -> list[dict[str, Any]]:
    """The tenant's invoices, as Lago lists them; none where Lago fails."""
    try:
        return ask("GET", "invoices", external_customer_id=tenant)["invoices"]
    except LagoFailed:
        return []


def usage(tenant: str, external_id: str) -> list[dict[str, Any]]:
    """What the tenant has used in this period, one entry a charge; none where Lago fails."""
    try:
        answer = ask("GET", f"customers/{tenant}/current_usage", external_subscription_id=external_id)
    except LagoFailed:
        return []
    return answer["customer_usage"]["charges_usage"]
