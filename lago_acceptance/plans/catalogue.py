"""A plan catalogue, such as compose/plans.yml, checked for what Lago accepts silently and bills wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import msgspec

from lago_acceptance.core import user_files
from lago_acceptance.core.run import PREFIX
from lago_acceptance.core.verdicts import UsageError

# ISO 4217, the currencies that are in use.
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF
CLF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
HRK HTG HUF IDR ILS INR IRR ISK JMD JOD JPY KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
MKD MMK MNT MOP MRO MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN PYG QAR RON
RSD RUB RWF SAR SBD SCR SEK SGD SHP SLL SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UGX USD UYU UZS
VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
"""
CURRENCIES = frozenset(_CODES.split())

# How much of a file is read: a larger one is no catalogue.
LARGEST = 2**18

Interval = Literal["weekly", "monthly", "quarterly", "yearly"]
Code = str


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A billable metric. ``sum_agg`` adds up an event's ``field_name``, ``count_agg`` counts events."""

    code: Code
    name: str
    aggregation_type: Literal["count_agg", "sum_agg", "max_agg", "unique_count_agg"]
    field_name: str = ""

    def as_lago(self) -> dict[str, Any]:
        """What is sent to Lago, and what it must echo."""
        asked = {"code": self.code, "name": self.name, "aggregation_type": self.aggregation_type}
        return {**asked, "field_name": self.field_name} if self.field_name else asked


class Allowance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units of a metric that the price includes, and the price beyond them, a decimal text in major units."""

    metric: Code
    included: int
    model: str
    price: str
    size: int | None = None

    def properties(self) -> dict[str, Any]:
        """The charge's properties: Lago wants amounts as texts, units as integers
        (docs/lago-facts.md, section 3.7).
        """
        if self.model == "package":
            return {"amount": self.price, "free_units": self.included, "package_size": self.size}
        free = {"from_value": 0, "to_value": self.included, "per_unit_amount": "0", "flat_amount": "0"}
        beyond = {
            "from_value": self.included + 1,
            "to_value": None,
            "per_unit_amount": self.price,
            "flat_amount": "0",
        }
        return {"graduated_ranges": [free, beyond]}


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One plan. ``amount_cents`` is what a period costs."""

    code: Code
    name: str
    interval: Interval
    amount_cents: int
    amount_currency: str
    pay_in_advance: bool
    allowance: Allowance | None = None
    description: str | None = None

    def as_lago(self) -> dict[str, Any]:
        """What is sent to Lago, without charges, and what it must echo. A description is Lago's own where the
        catalogue has none.
        """
        asked = {
            "code": self.code,
            "name": self.name,
            "interval": self.interval,
            "amount_cents": self.amount_cents,
            "amount_currency": self.amount_currency,
            "pay_in_advance": self.pay_in_advance,
        }
        return asked if self.description is None else {**asked, "description": self.description}


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    plans: tuple[Plan, ...]
    billable_metrics: tuple[Metric, ...] = ()


OWN = Catalogue(
    plans=(
        Plan(
            code="example-monthly",
            name="Example, monthly",
            interval="monthly",
            amount_cents=2900,
            amount_currency="USD",
            pay_in_advance=True,
            allowance=Allowance("example-units", included=100, model="package", price="0.05", size=1),
        ),
        Plan(
            code="example-yearly",
            name="Example, yearly",
            interval="yearly",
            amount_cents=29000,
            amount_currency="USD",
            pay_in_advance=True,
        ),
    ),
    billable_metrics=(Metric("example-units", "Example units", "sum_agg", "units"),),
)
"""What a stack's Lago is seeded with where no catalogue is named: without a plan, nobody can subscribe to anything."""


def load(path: Path) -> Catalogue:
    """The catalogue of a file; UsageError with one sentence for the first thing that can't be seeded."""
    document = _document(path)
    try:
        made = msgspec.convert(document, Catalogue)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the plan catalogue {path} can't be used: {_in_words(document, str(error))}"
        ) from error
    if trouble := next(_troubles(made), None):
        raise UsageError(f"the plan catalogue {path} can't be used: {trouble}")
    return made


def _document(path: Path) -> Any:
    """The YAML document of a file; UsageError if it has none, or gives a key twice: YAML would keep the last one."""
    from lago_acceptance.composefile.yaml_lines import Unusable, parsed, typed, with_lines

    try:
        data = user_files.content("the plan catalogue", path, LARGEST)
        root = parsed(data.decode("utf-8-sig"), alone=True)
        if root is None:
            raise UsageError(f"the plan catalogue {path} is empty")
        text = with_lines(root)
        document = typed(root)
    except UnicodeDecodeError as error:
        raise UsageError(f"the plan catalogue {path} is not YAML: it is not UTF-8 text") from error
    except Unusable as error:
        where = f" (line {error.line})" if error.line else ""
        raise UsageError(f"the plan catalogue {path} can't be used: {error}{where}") from error
    if text.twice:
        key = text.twice[0]
        raise UsageError(
            f"the plan catalogue {path} can't be used: line {text.lines[key]} gives {key[-1]} a second time; "
            "YAML would silently keep the last one"
        )
    if document is None:
        raise UsageError(f"the plan catalogue {path} is empty")
    return document


def _in_words(document: Any, said: str) -> str:
    """msgspec's words, with the plan's code in the place of its number."""
    _, mark, rest = said.partition("$.plans[")
    number = rest.partition("]")[0]
    if mark and number.isdigit():
        entry = document["plans"][int(number)]
        code = entry.get("code") if isinstance(entry, dict) else None
        hint = ""
        if ".amount_cents" in rest:
            hint = "; write whole cents; Lago would cut off a fraction"
        if ".interval" in rest:
            hint = "; Lago knows weekly, monthly, quarterly and yearly, and answers 500 to others"
        return f"plan {code or int(number) + 1}: {said}{hint}"
    return said


def _troubles(catalogue: Catalogue) -> Iterator[str]:
    if not catalogue.plans:
        yield "it names no plan"
    for kind, entries in (("plan", catalogue.plans), ("billable metric", catalogue.billable_metrics)):
        yield from _of_codes(kind, [entry.code for entry in entries])
    metrics = {metric.code for metric in catalogue.billable_metrics}
    for metric in catalogue.billable_metrics:
        if metric.aggregation_type != "count_agg" and not metric.field_name:
            yield f"metric {metric.code}: {metric.aggregation_type} needs a field_name, the field that it adds up"
    for plan in catalogue.plans:
        if not plan.name.strip():
            yield f"plan {plan.code}: it has no name"
        if not 0 <= plan.amount_cents < 2**63:
            yield (
                f"plan {plan.code}: amount_cents is {plan.amount_cents}; Lago takes it, and the invoice "
                "is wrong"
            )
        if plan.amount_currency not in CURRENCIES:
            yield f"plan {plan.code}: {plan.amount_currency} is not a currency code (ISO 4217, in capitals)"
        if plan.allowance:
            yield from (f"plan {plan.code}: {trouble}" for trouble in _of_allowance(plan.allowance, metrics))


def _of_codes(kind: str, codes: list[str]) -> Iterable[str]:
    for code in codes:
        if not code.strip() or set(code) & set(" /?#"):
            yield (
                f"{kind} {code!r}: a code must not have blanks, slashes, ? or #, because it is part of Lago's URLs"
            )
        if code.startswith(PREFIX):
            yield f"{kind} {code}: codes that begin with {PREFIX} are those of this suite's runs"
        if codes.count(code) > 1:
            yield f"{kind} {code} is listed {codes.count(code)} times; codes must be unique"


def _of_allowance(allowance: Allowance, metrics: set[str]) -> Iterable[str]:
    if allowance.metric not in metrics:
        yield f"its allowance is of {allowance.metric}, which billable_metrics does not name"
    if allowance.model not in ("package", "graduated"):
        yield (
            f"a charge of model {allowance.model} holds no included units, so Lago would bill from the "
            "first; "
            "package and graduated do"
        )
    if allowance.included < 1:
        yield f"{allowance.included} included units are not an allowance; leave it out"
    if allowance.model == "package" and (allowance.size is None or allowance.size < 1):
        yield "a package needs its size, a whole number of units"
    if allowance.model == "graduated" and allowance.size is not None:
        yield "size belongs to the model package"
    try:
        price = Decimal(allowance.price)
    except InvalidOperation:
        price = None
    if price is None or not price.is_finite() or price < 0:
        yield f'the price beyond the allowance is {allowance.price!r}; write a decimal text such as "0.05"'
