"""What an upgrade of Lago needs on the way (docs/lago-facts.md, section 7).

A stop is a release at which data has to be filled in before a later one can be deployed. Where the later one validates
the data in its migrations, ``required_by`` names it: without the stop its migration fails and leaves a database that is
neither the old release's nor the new one's.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lago_acceptance.lago.release_table import Numbers

HALF_MIGRATED = (
    "/health stays 200 and events are taken in, but customers and subscriptions can't be created (500) and nothing is "
    "billed"
)


class Stop(msgspec.Struct, frozen=True):
    """A release to stop at. ``task`` is what to run there, ``done`` how to see that it is finished.

    ``data`` is what is filled in, and ``required_by`` the first release whose migrations fail without it, () if none does.
    """

    tag: str
    task: str
    data: str
    done: str = ""
    required_by: Numbers = ()

    @property
    def version(self) -> Numbers:
        """The numbers of its tag."""
        return tuple(int(part) for part in self.tag.lstrip("v").split("."))


_FEES = " ".join(
    f"DatabaseMigrations::{job}.perform_now;"
    for job in (
        "PopulateFeesWithOrganizationFromInvoiceJob",
        "PopulateFeesWithOrganizationFromSubscriptionJob",
        "PopulateFeesWithBillingEntityIdJob",
    )
)
_REQUIRED_JOBS = "bundle exec rails upgrade:perform_required_jobs"

# In the order of the releases.
STOPS = (
    Stop(
        "v1.25.0",
        f"bundle exec rails runner '{_FEES.rstrip(';')}'",
        "each fee's organization and billing entity",
        "until no fee lacks organization_id or billing_entity_id",
        (1, 26, 0),
    ),
    Stop(
        "v1.29.0",
        "bundle exec rails migrations:fill_organization_id",
        "the organization in some forty tables",
        "until organization_id is nowhere NULL",
        (1, 32, 0),
    ),
    Stop("v1.32.0", _REQUIRED_JOBS, "each payment's customer", "", (1, 51, 0)),
    Stop(
        "v1.42.0",
        _REQUIRED_JOBS,
        "the codes of wallets, charges and fixed charges",
        "until no charge lacks a code",
        (1, 43, 0),
    ),
    Stop("v1.44.0", "bundle exec rails migrations:migrate_usage_thresholds", "usage thresholds"),
    Stop(
        "v1.45.0",
        "DRY_RUN=false bundle exec rails migrations:wallet_traceability",
        "which wallet credits were consumed",
        "until its dry run finds nothing",
    ),
    Stop(
        "v1.50.0",
        "bundle exec rails migrations:backfill_stripe_payment_methods (or adyen, gocardless, moneyhash: the providers in "
        "use)",
        "payment methods",
    ),
)

# Its folded migration takes only databases that have been migrated by a release from FOLDED_FROM to just before it.
FOLDED_IN, FOLDED_FROM = (1, 31, 0), (1, 19, 1)


def skipped(old: Numbers, new: Numbers) -> tuple[Stop, ...]:
    """The stops between two releases that a deploy from one straight to the other leaves out."""
    return tuple(each for each in STOPS if old < each.version < new)


def fatal(old: Numbers, new: Numbers) -> tuple[Stop, ...]:
    """Those of them without which a migration on the way fails."""
    return tuple(each for each in skipped(old, new) if each.required_by and each.required_by <= new)


def due_before(old: Numbers, new: Numbers) -> Stop | None:
    """The stop that is deployed now, if what has to run there is required on the way."""
    return next((each for each in _reached(old) if old < each.required_by <= new), None)


def _reached(old: Numbers) -> Iterator[Stop]:
    return (each for each in STOPS if each.version <= old and each.required_by)
