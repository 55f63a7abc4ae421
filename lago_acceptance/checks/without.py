"""What does not happen while a service of Lago is away."""

from __future__ import annotations

from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, GATEWAY, MIGRATE, PDF, PROXY, REDIS, WORKER

IMPACT = {
    DB: "there is no database: nothing works",
    REDIS: "no job can be enqueued: every change through the API answers 500",
    MIGRATE: "the database is not migrated before the API starts, or the API migrates it and starts even if that fails",
    API: "there is no Lago: no request is answered, no usage is taken in, nobody can log in",
    WORKER: "no invoices, no webhooks, no usage: nothing is billed, while /health stays green",
    CLOCK: "no recurring invoices, no activation and no termination of subscriptions",
    FRONT: "there is no web UI",
    PDF: "invoices are created without a PDF, and each leaves a dead job",
}
_OTHERS = {
    PROXY: "no public name of Lago answers",
    GATEWAY: "customers can't buy a plan, and their usage is not sent to Lago",
}


def impact_without(role: str | None) -> str:
    """What does not happen while the service of a role is away."""
    return (IMPACT | _OTHERS).get(role or "", "the work of this service is not done")
