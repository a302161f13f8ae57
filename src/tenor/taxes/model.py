"""Taxes: rates with their validity, how a customer is taxed, and the tax of one line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import CustomerId
from tenor.kernel.money import RoundingMode
from tenor.kernel.quantity import parse_decimal
from tenor.taxes.errors import MalformedTax, TaxNotQuoted

PERCENT_DIGITS: Final = 6
STANDARD: Final = "standard"
"""The tax category of whatever names none."""

TEXT_LENGTH_MAX: Final = 500
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_REGION: Final = re.compile(r"[A-Z0-9]{0,3}")
_CATEGORY: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_NAME: Final = re.compile(r"[^\x00-\x1f]{1,60}")

Source = Literal["customer", "table", "engine", "fallback", "override"]
"""Where rates come from: the customer's own plain percentage, the table of rates, the tax engine, the table because
the engine failed, or an override."""


class Jurisdiction(NamedTuple):
    """Where a tax is due: an ISO 3166-1 country and, where it has taxes of its own, an ISO 3166-2 region ('QC')."""

    country: str
    region: str = ""

    def __str__(self) -> str:
        return f"{self.country}-{self.region}" if self.region else self.country


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """A row of the table of rates: a tax by name, in `percent` (19 is 19 %), in force from `valid_from` to `valid_to`.

    The span is half-open; no `valid_to` means until further notice.

    Raises:
        MalformedTax: a code, name, percentage or span that is none.
    """

    name: str
    jurisdiction: Jurisdiction
    percent: Decimal
    valid_from: datetime
    valid_to: datetime | None = None
    category: str = STANDARD

    def __post_init__(self) -> None:
        require_jurisdiction(self.jurisdiction)
        require_category(self.category)
        require_rate(self.name, self.percent)
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise MalformedTax(f"tax {self.name!r}: a rate must end after it begins")

    def holds(self, at: datetime) -> bool:
        """Whether the rate is in force at an instant."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


class AppliedRate(NamedTuple):
    """A tax as it is applied to lines; a document keeps it with the amount, so that a credit reverses the same.

    `is_inclusive`: None where the document's prices decide it; True or False where this tax differs from them.
    `is_charged` False: a price that includes it is lowered by it, and nobody pays it.
    """

    name: str
    percent: Decimal
    jurisdiction: str = ""
    is_inclusive: bool | None = None
    is_charged: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class TaxTreatment:
    """How the lines of one tax category are taxed for one customer.

    `is_charged` is False for an exempt customer and under reverse charge: then no tax is charged, but a price
    that includes these rates is lowered by them. `note` is for the document and says why. Compared by identity,
    because lines of one customer share it.
    """

    rates: tuple[AppliedRate, ...]
    source: Source
    is_charged: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RatesOfCustomer:
    """How one customer is taxed, by category of what is sold; `others` holds for a category that is not named.

    Without `others` each category needs an answer of its own, which is how a tax engine works.
    """

    by_category: Mapping[str, TaxTreatment]
    others: TaxTreatment | None

    def for_category(self, category: str) -> TaxTreatment:
        """Return how lines of a category are taxed.

        Raises:
            TaxNotQuoted: the tax engine has to say, and has not said.
        """
        treatment = self.by_category.get(category, self.others)
        if treatment is None:
            raise TaxNotQuoted(
                f"neither the tax engine nor the table of rates says how {category!r} is taxed", category=category
            )
        return treatment


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxProfile:
    """What decides how a customer is taxed. `tax_id` has passed the check of its country (`rules.tax_ids`).

    Raises:
        MalformedTax: no such place, an exemption without a reason, or both an exemption and reverse charge.
    """

    jurisdiction: Jurisdiction
    tax_id: str | None = None
    is_exempt: bool = False
    exemption_reason: str = ""
    is_reverse_charge: bool = False

    def __post_init__(self) -> None:
        require_jurisdiction(self.jurisdiction)
        if self.is_exempt != bool(self.exemption_reason.strip()):
            raise MalformedTax("an exemption needs a reason, and a reason an exemption")
        if len(self.exemption_reason) > TEXT_LENGTH_MAX or "\0" in self.exemption_reason:
            raise MalformedTax(f"the reason of an exemption has at most {TEXT_LENGTH_MAX} characters")
        if self.is_exempt and self.is_reverse_charge:
            raise MalformedTax("a customer is exempt or under reverse charge, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSeller:
    """Where the tenant itself is taxed, and who says the rates: its own table, or a tax engine."""

    country: str
    tax_id: str | None = None
    rates_from: Literal["table", "engine"] = "table"

    def __post_init__(self) -> None:
        require_jurisdiction(Jurisdiction(self.country))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxOverride:
    """Rates that replace all others, for a customer from `valid_from` to `valid_to`; None: until it is ended.

    Raises:
        MalformedTax: no audit reference, or a rate or a span that is none.
    """

    customer_id: CustomerId
    rates: tuple[AppliedRate, ...]
    audit_reference: str
    valid_from: datetime
    valid_to: datetime | None = None

    def __post_init__(self) -> None:
        if not self.audit_reference.strip() or len(self.audit_reference) > TEXT_LENGTH_MAX:
            raise MalformedTax("an override of tax rates needs an audit reference, such as the number of a ruling")
        if "\0" in self.audit_reference:
            raise MalformedTax("an audit reference is text without control characters")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise MalformedTax("an override must end after it begins")
        require_rates(self.rates)


class TaxSituation(NamedTuple):
    """A buyer as a tax engine sees it on one day (UTC). It holds no name and no amount.

    So equal customers share one question, and amounts are computed by one rule whoever says the rates.
    """

    seller_country: str
    jurisdiction: Jurisdiction
    tax_id: str | None
    on: date


class TaxRequest(NamedTuple):
    """What a tax engine is asked: the rates of one category of what is sold, in one situation."""

    situation: TaxSituation
    category: str


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """What a tax engine answers to a request."""

    rates: tuple[AppliedRate, ...]
    source: Source
    is_charged: bool = True
    note: str = ""


class TaxRounding(NamedTuple):
    """How tax becomes minor units: to multiples of `step_minor`, on each `line` or once for the `invoice`."""

    mode: RoundingMode = RoundingMode.HALF_UP
    place: Literal["line", "invoice"] = "line"
    step_minor: int = 1

    @classmethod
    def of(cls, mode: RoundingMode, *, digits: int | None, place: str, currency_digits: int) -> "TaxRounding":
        """Return the rounding that a policy names; `digits` None means those of the currency.

        Raises:
            MalformedTax: tax that is not rounded, finer than the currency, or at another place.
        """
        coarser = 0 if digits is None else currency_digits - digits
        if mode is RoundingMode.NONE or coarser < 0:
            raise MalformedTax("tax is rounded to whole minor units of the currency, or coarser")
        match place:
            case "line" | "invoice":
                return cls(mode, place, 10**coarser)
            case _:
                raise MalformedTax(f"tax is rounded per line or per invoice, not per {place!r}")


class TaxableLine(NamedTuple):
    """An amount after discounts, as the price book means it (with or without tax), and how it is taxed."""

    amount_minor: int
    treatment: TaxTreatment


class LineTax(NamedTuple):
    """The tax of one line: its net amount and one tax for each rate of the treatment, in their order."""

    net_minor: int
    taxes_minor: tuple[int, ...]

    @property
    def tax_minor(self) -> int:
        """All taxes of the line."""
        return sum(self.taxes_minor)

    @property
    def total_minor(self) -> int:
        """What is paid for the line."""
        return self.net_minor + sum(self.taxes_minor)


@dataclass(frozen=True, slots=True)
class TaxedAmount:
    """An amount on documents with its tax by rate, as each was billed."""

    amount_minor: int = 0
    taxes_minor: Mapping[AppliedRate, int] = field(default_factory=dict)

    @classmethod
    def of(cls, line: TaxableLine, tax: LineTax) -> "TaxedAmount":
        """Return a line with the tax that was found for it."""
        return cls(line.amount_minor, dict(zip(line.treatment.rates, tax.taxes_minor, strict=True)))

    def plus(self, other: "TaxedAmount") -> "TaxedAmount":
        """Return the sum of both, rate by rate."""
        taxes = dict(self.taxes_minor)
        for rate, tax_minor in other.taxes_minor.items():
            taxes[rate] = taxes.get(rate, 0) + tax_minor
        return TaxedAmount(self.amount_minor + other.amount_minor, taxes)


def require_category(category: str) -> None:
    """Refuse what cannot be the code of a tax category.

    Raises:
        MalformedTax: it is not of a to z, 0 to 9, `_`, `.` and `-`, or too long.
    """
    if not _CATEGORY.fullmatch(category):
        raise MalformedTax(f"tax category {category[:60]!r} is not a code such as 'standard'")


def require_jurisdiction(jurisdiction: Jurisdiction) -> None:
    """Refuse a place whose country or region is no ISO 3166 code."""
    if not _COUNTRY.fullmatch(jurisdiction.country):
        raise MalformedTax(f"{jurisdiction.country[:20]!r} is not a country code such as 'DE'")
    if not _REGION.fullmatch(jurisdiction.region):
        raise MalformedTax(f"{jurisdiction.region[:20]!r} is not the code of a region such as 'QC' of CA-QC")


def require_rate(name: str, percent: Decimal) -> None:
    """Refuse a tax without a name, or a percentage outside 0 to 100 or finer than six digits."""
    if not _NAME.fullmatch(name):
        raise MalformedTax(f"a tax has a name of 1 to 60 characters, not {name[:60]!r}")
    try:
        exact = parse_decimal(percent, name=f"tax {name!r}", fraction_digits=PERCENT_DIGITS)
    except Malformed as refusal:
        raise MalformedTax(refusal.message) from None
    if not 0 <= exact <= 100:
        raise MalformedTax(f"tax {name!r}: {exact} % is not between 0 and 100")


def require_rates(rates: Sequence[AppliedRate]) -> None:
    """Refuse rates of which one is none, or of which two are the same tax: a credit could not tell them apart."""
    for rate in rates:
        require_rate(rate.name, rate.percent)
    if len({(rate.name, rate.jurisdiction) for rate in rates}) < len(rates):
        raise MalformedTax("one tax is given twice for one line")


def rates_to_json(rates: Sequence[AppliedRate]) -> list[dict[str, object]]:
    """Return rates as JSON keeps them, percentages as text."""
    return [
        {
            "name": rate.name,
            "percent": format(rate.percent, "f"),
            "jurisdiction": rate.jurisdiction,
            "is_inclusive": rate.is_inclusive,
        }
        for rate in rates
    ]


def rates_from_json(rates: Sequence[Mapping[str, object]]) -> tuple[AppliedRate, ...]:
    """Return the rates that `rates_to_json` wrote."""
    return tuple(
        AppliedRate(
            str(rate["name"]),
            Decimal(str(rate["percent"])),
            str(rate["jurisdiction"]),
            None if rate["is_inclusive"] is None else bool(rate["is_inclusive"]),
        )
        for rate in rates
    )
