"""The routes under /api/billing, and /health, which never looks at Lago."""

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from gateway import lago, store
from gateway.settings import AS_OBSERVED, TEMPORAL_HOST
from gateway.tokens import claims, tenant_in

app = FastAPI(title="Brain Gateway")
app.add_middleware(
    CORSMiddleware, allow_origin_regex=".*", allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)


Claims = Annotated[dict, Depends(claims)]


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
    """Whether the gateway's own database answers, and Temporal is configured. Never whether Lago does."""
    dependencies = {"database": "up", "temporal": "up" if TEMPORAL_HOST else "down"}
    try:
        store.ping()
    except store.NoDatabase:
        dependencies["database"] = "down"
    status = "degraded" if "down" in dependencies.values() else "healthy"
    if dependencies["database"] == "down":
        status = "unhealthy"
    answer = {
        "status": status,
        "system": {},
        "dependencies": dependencies,
        "service": "brain-gateway",
        "version": "2.0.0",
        "timestamp": _now(),
    }
    return JSONResponse(answer, 503 if status == "unhealthy" else 200)


@app.get("/metrics", response_class=PlainTextResponse)
def metrics():
    """What Prometheus reads."""
    return "# TYPE requests_total counter\nrequests_total 1\n"


@app.post("/webhooks/razorpay")
@app.get("/webhooks/razorpay")
def razorpay():
    """Takes whatever comes."""
    return {"status": "ok"}


def _now() -> str:
    # Without a zone, as the real one writes it.
    return datetime.now(UTC).replace(tzinfo=None).isoformat()


@app.get("/api/billing/plans", response_model=list[Plan])
def plans():
    """Lago's plans; the gateway's own where Lago fails."""
    try:
        return lago.plans()
    except lago.LagoFailed as error:
        lago.log("fetching plans", error)
        return store.plans()


@app.post("/api/billing/subscribe", response_model=Subscription)
def subscribe(plan_slug: str, found: Claims):
    """Subscribe the token's tenant in Lago; in the gateway's own tables where Lago fails."""
    tenant = tenant_in(found) if found else None
    if not tenant or not (row := store.tenant_row(tenant)):
        raise HTTPException(
            500,
            f"No row was found when one was required [SQL: SELECT tenants.id FROM tenants WHERE tenants.id = {tenant}]",
        )
    listed = plans()
    known = [plan["slug"] for plan in listed]
    own = [plan["slug"] for plan in store.plans()]
    if plan_slug not in known and not (AS_OBSERVED and plan_slug in own):
        raise HTTPException(400, "Plan not found")
    # The fallback's plans have a description, Lago's none.
    if plan_slug not in known or any(plan["description"] for plan in listed):
        return store.subscribe(tenant, plan_slug)
    external_id = f"sub_{tenant}_{int(time.time())}"
    if not AS_OBSERVED and (kept := lago.subscription(tenant)):
        # Lago takes the same id with another plan as a change of plan.
        external_id = kept["external_id"]
    try:
        made = lago.subscribe(tenant, row, plan_slug, external_id)
    except lago.LagoFailed as error:
        lago.log("creating subscription", error)
        return store.subscribe(tenant, plan_slug)
    return {
        "id": external_id,
        "plan_slug": plan_slug,
        "status": made["status"],
        "current_period_end": _now(),
    }


@app.get("/api/billing/subscription", response_model=Subscription | None)
def subscription(found: Claims):
    """The tenant's subscription as Lago has it, else as the gateway's own table does."""
    tenant = tenant_in(found)
    if not store.tenant_row(tenant):
        return None
    if held := lago.subscription(tenant):
        return {
            "id": held["external_id"],
            "plan_slug": held["plan_code"],
            "status": held["status"],
            "current_period_end": _now(),
        }
    return store.subscription(tenant)


@app.get("/api/billing/invoices", response_model=list[Invoice])
def invoices(found: Claims):
    """The tenant's invoices in Lago; none where authentication is off."""
    if not found:
        return []
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
        for invoice in lago.invoices(tenant_in(found))
    ]


if not AS_OBSERVED:

    @app.get("/api/billing/usage", response_model=list[Usage])
    def usage(found: Claims):
        """What the tenant has used in this period, one entry a charge."""
        tenant = tenant_in(found)
        held = lago.subscription(tenant)
        return [
            {
                "code": each["billable_metric"]["code"],
                "units": each["units"],
                "amount": each["amount_cents"] / 100,
                "currency": each["amount_currency"],
            }
            for each in (lago.usage(tenant, held["external_id"]) if held else [])
        ]


def _elsewhere():
    """Not billing's business."""
    raise HTTPException(401, "Missing authentication credentials")


# The real one describes more than a hundred paths.
for area in (
    "cms",
    "crm",
    "erp",
    "analytics",
    "campaigns",
    "connectors",
    "content",
    "domains",
    "mcp",
    "workflows",
):
    for number in range(11):
        app.add_api_route(f"/api/{area}/{number}", _elsewhere, methods=["GET"])
