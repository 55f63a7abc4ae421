"""The connector: what the gateway asks of Lago. Redirects are not followed; each call has five seconds."""

from typing import Any

import httpx

from gateway.settings import AS_OBSERVED, LAGO_KEY, LAGO_URL

SECONDS = 5.0


class LagoFailed(Exception):
    """Lago gave no answer that can be used."""


_client = httpx.Client(timeout=SECONDS, headers={"Authorization": f"Bearer {LAGO_KEY}"}, trust_env=False)


def log(doing: str, error: Exception) -> None:
    """Only the log says why the gateway answers from its own tables."""
    print(f"Lago error {doing}: {error}", flush=True)


def ask(method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
    """The JSON of a 200. LagoFailed for everything else: another status, HTML, no answer in time."""
    try:
        answer = _client.request(method, f"{LAGO_URL}/api/v1/{path}", json=body, params=query)
        answer.raise_for_status()
        document = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise LagoFailed(str(error) or type(error).__name__) from error
    if not isinstance(document, dict):
        raise LagoFailed("Lago's answer is no object")
    return document


def plans() -> list[dict[str, Any]]:
    """Lago's plans in the gateway's words: amounts are major units, as a float, and there is no description.

    One that can't be read costs all of them.
    """
    return [
        {
            "id": plan["lago_id"],
            "name": plan["name"],
            "slug": plan["code"],
            "amount": plan["amount_cents"] / 100,
            "currency": plan["amount_currency"],
            "interval": plan["interval"],
            "description": None,
        }
        for plan in ask("GET", "plans", per_page="100")["plans"]
        if _is_read(plan)
    ]


def _is_read(plan: dict[str, Any]) -> bool:
    trial = plan.get("trial_period")
    if isinstance(trial, float) and not trial.is_integer():
        raise LagoFailed(
            "1 validation error for LagoPlan\ntrial_period\n  Input should be a valid integer, got a number with a "
            f"fractional part [type=int_from_float, input_value={trial}, input_type=float]\n"
            "    For further information visit https://errors.pydantic.dev/2.12/v/int_from_float"
        )
    return True


def subscribe(tenant: str, row: dict[str, str], plan: str, external_id: str) -> dict[str, Any]:
    """Make the tenant a customer and subscribe it."""
    customer = {
        "external_id": tenant,
        "name": row["name"],
        "email": f"admin@{row['slug']}.com",
        "currency": "USD",
    }
    ask("POST", "customers", {"customer": customer})
    wanted = {
        "external_customer_id": tenant,
        "external_id": external_id,
        "plan_code": plan,
        "billing_time": "calendar",
    }
    return ask("POST", "subscriptions", {"subscription": wanted})["subscription"]


def subscription(tenant: str) -> dict[str, Any] | None:
    """The tenant's oldest active subscription, or None; also where Lago fails."""
    try:
        found = ask("GET", "subscriptions", external_customer_id=tenant)["subscriptions"]
    except LagoFailed as error:
        log("listing subscriptions", error)
        return None
    return min(found, key=lambda each: (each["created_at"], each["external_id"])) if found else None


def invoices(tenant: str) -> list[dict[str, Any]]:
    """The tenant's invoices, as Lago lists them; none where Lago fails, or where one can't be read."""
    try:
        found = ask("GET", "invoices", external_customer_id=tenant)["invoices"]
        if AS_OBSERVED and any("amount_cents" not in each for each in found):
            raise LagoFailed(
                "1 validation error for LagoInvoice\namount_cents\n  Field required [type=missing]"
            )
    except LagoFailed as error:
        log("listing invoices", error)
        return []
    return found


def usage(tenant: str, external_id: str) -> list[dict[str, Any]]:
    """What the tenant has used in this period, one entry a charge; none where Lago fails."""
    try:
        answer = ask("GET", f"customers/{tenant}/current_usage", external_subscription_id=external_id)
    except LagoFailed as error:
        log("reading usage", error)
        return []
    return answer["customer_usage"]["charges_usage"]
