"""Signs that Lago's jobs can work with what is in its tables. Its own forms and API don't let such values in, SQL does."""

from __future__ import annotations

from lago_acceptance.checks.billing_signs import sign
from lago_acceptance.core.roles import CLOCK, WORKER

ZONES = sign(
    "timezone-unknown",
    phase=6,
    role=CLOCK,
    title="Each time zone of a customer or an organization exists.",
    problem="{count} time zones are none that PostgreSQL knows, the first since {since}: {examples}",
    impact="the clock's queries for all customers end with an error (time zone … not recognized): no subscription is "
    "billed, started or ended, not only this customer's",
    fix="correct it: PUT /api/v1/organizations, or POST /api/v1/customers with its external_id, with a timezone such as "
    "Europe/Paris; an empty one is NULL (UPDATE customers SET timezone = NULL WHERE timezone = '')",
)
CURRENCIES = sign(
    "currencies-unknown",
    phase=6,
    role=WORKER,
    title="Each currency is one that Lago takes.",
    problem="{count} currencies are none that Lago takes, the first since {since}: {examples}",
    impact="every amount in them ends with an error: these customers get no invoice",
    fix="write the three letters of ISO 4217 in capitals, such as USD, in the column of the table that the example names",
)
PLANS = sign(
    "plans-unusable",
    phase=6,
    role=WORKER,
    title="Each plan has an interval that exists and no negative amount.",
    problem="{count} plans have values that Lago can't bill, the first since {since}: {examples}",
    impact="the jobs that bill their subscriptions end with an error",
    fix="PUT /api/v1/plans/CODE with an interval of weekly, monthly, quarterly or yearly and amount_cents of 0 or more",
)
SUBSCRIPTIONS = sign(
    "subscriptions-unusable",
    phase=6,
    role=WORKER,
    title="Each subscription has a status, a billing time and the dates that belong to them.",
    problem="{count} subscriptions have values that Lago can't bill, the first since {since}: {examples}",
    impact="they are not found by the clock, or their job ends with an error: they are not billed",
    fix="find what wrote the column beside Lago; status is 0 pending, 1 active, 2 terminated or 3 canceled, billing_time 0 "
    "calendar or 1 anniversary, and an active subscription has started_at and subscription_at",
)
METRICS = sign(
    "metrics-unusable",
    phase=6,
    role=WORKER,
    title="Each billable metric has an aggregation that exists and the field that it needs.",
    problem="{count} billable metrics can't be aggregated, the first since {since}: {examples}",
    impact="the invoices of all plans that charge for them end with an error",
    fix="PUT /api/v1/billable_metrics/CODE with an aggregation_type such as sum_agg and its field_name",
)
CHARGES = sign(
    "charges-unusable",
    phase=6,
    role=WORKER,
    title="Each charge has the properties that its model needs.",
    problem="{count} charges have values that Lago can't price, the first since {since}: {examples}",
    impact="current usage answers 500, and the invoices of their plans' subscriptions end with an error",
    fix="PUT /api/v1/plans/CODE with the charge's properties complete: amount as a text, package_size and free_units as whole "
    "numbers, ranges as a list",
)
