"""The routes under /api/billing, and /health, which never looks at Lago."""

import sqlite3
import time
from datetime import UTC, datetime

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from gateway import lago, store
from gateway.settings import AS_OBSERVED
from gateway.tokens import tenant_of

app = FastAPI(title="Brain Gateway")
store.prepare()


class Plan(BaseModel):
    id: str
    name: str
    slug: str
    amount: float
    currency: str
    interval: str
    description: str | None = None


class Subscription(BaseModel):
    id: str
    plan_slug: str
    status: str
    current_period_end: str


class Invoice(BaseModel):
    id: str
    amount: float
    currency: str
    status: str
    created_at: str
    paid_at: str | None = None
    pdf_url: str | None = None


class Usage(BaseModel):
    code: str
    units: str
    amount: float
    currency: str


@app.get("/health")
def health():
    """Whether the gateway's own database answers."""
    try:
        store.ping()
    except sqlite3.Error:
        return JSONResponse({"status": "unhealthy"}, 503)
    return {"status": "healthy"}


@app.get("/api/billing/plans", response_model=list[Plan])
def plans():
    """Lago's plans; the gateway's own where Lago fails."""
    try:
        return lago.plans()
    except lago.LagoFailed:
        return store.plans()


@app.post("/api/billing/subscribe", response_model=Subscription)
def subscribe(plan_slug: str, tenant: str = Depends(tenant_of)):
    """Subscribe the token's tenant in Lago; in the gateway's own tables where Lago fails."""
    if plan_slug not in [plan["slug"] for plan in plans()]:
        raise HTTPException(400, "Unknown plan")
    external_id = f"sub_{tenant}_{int(time.time())}"
    try:
        made = lago.subscribe(tenant, plan_slug, external_id)
    except lago.LagoFailed:
        return store.subscribe(tenant, plan_slug)
    now = datetime.now(UTC).isoformat()
    answer = {"id": external_id, "plan_slug": plan_slug, "status": made["status"], "current_period_end": now}
    store.remember(tenant, answer)
    return answer


@app.get("/api/billing/subscription", response_model=Subscription | None)
def subscription(tenant: str = Depends(tenant_of)):
    """The tenant's subscription as Lago has it, else as the gateway remembers it."""
    if found := lago.subscription(tenant):
        end = found["current_billing_period_ending_at"] or datetime.now(UTC).isoformat()
        return {
            "id": found["external_id"],
            "plan_slug": found["plan_code"],
            "status": found["status"],
            "current_period_end": end,
        }
    return store.subscription(tenant)


@app.get("/api/billing/invoices", response_model=list[Invoice])
def invoices(tenant: str = Depends(tenant_of)):
    """The tenant's invoices in Lago."""
    amount, currency = (
        ("amount_cents", "amount_currency") if AS_OBSERVED else ("total_amount_cents", "currency")
    )
    return [
        {
            "id": invoice["lago_id"],
            "amount": invoice[amount] / 100,
            "currency": invoice[currency],
            "status": invoice["status"],
            "created_at": invoice["issuing_date"],
            "pdf_url": invoice.get("file_url"),
        }
        for invoice in lago.invoices(tenant)
        if amount in invoice
    ]


if not AS_OBSERVED:

    @app.get("/api/billing/usage", response_model=list[Usage])
    def usage(tenant: str = Depends(tenant_of)):
        """What the tenant has used in this period, one entry a charge."""
        found = lago.subscription(tenant)
        return [
            {
                "code": each["billable_metric"]["code"],
                "units": each["units"],
                "amount": each["amount_cents"] / 100,
                "currency": each["amount_currency"],
            }
            for each in (lago.usage(tenant, found["external_id"]) if found else [])
        ]
