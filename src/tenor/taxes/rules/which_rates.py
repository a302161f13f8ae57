"""Which rates hold for a customer: place, category and instant pick them, the customer's standing decides on them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from tenor.taxes.model import (
    STANDARD,
    AppliedRate,
    Jurisdiction,
    RatesOfCustomer,
    TaxAnswer,
    TaxProfile,
    TaxRate,
    TaxTreatment,
)
from tenor.taxes.rules.european_union import MEMBERS

REVERSE_CHARGE: Final = "reverse charge"


class RateTable:
    """The rates that are in force at one instant, by place."""

    def __init__(self, rates: Iterable[TaxRate], *, at: datetime) -> None:
        self._by_place: Mapping[Jurisdiction, list[TaxRate]] = defaultdict(list)
        for rate in rates:
            if rate.holds(at):
                self._by_place[rate.jurisdiction].append(rate)

    def rates(self, place: Jurisdiction, category: str) -> tuple[AppliedRate, ...]:
        """Return the taxes of a category in a place, by name: those of its country and those of its region.

        Of one name the nearest row holds: the region's before its country's, then the category's before
        `standard`. So a region adds a tax by another name, and replaces one by the same name; and a category
        that has no row anywhere is taxed like everything else.
        """
        country = Jurisdiction(place.country)
        nearest = {
            rate.name: rate
            for near in dict.fromkeys((country, place))
            for kind in dict.fromkeys((STANDARD, category))
            for rate in self._by_place.get(near, ())
            if rate.category == kind
        }
        return tuple(AppliedRate(name, rate.percent, str(rate.jurisdiction)) for name, rate in sorted(nearest.items()))

    def categories(self, place: Jurisdiction) -> set[str]:
        """Return the categories that have a row of their own in a place."""
        near = (Jurisdiction(place.country), place)
        return {rate.category for jurisdiction in near for rate in self._by_place.get(jurisdiction, ())}


def treatment(profile: TaxProfile, answer: TaxAnswer, *, seller_country: str | None) -> TaxTreatment:
    """Return how a customer of this profile is taxed where `answer` says the rates of its place.

    An exempt customer and one under reverse charge are charged nothing, with a note that says so. Reverse charge
    holds where the profile asks for it, where the answer found it, and for a business with a tax id in another
    country of the European Union than the seller's.
    """
    if profile.is_exempt:
        return TaxTreatment(answer.rates, answer.source, is_charged=False, note=f"exempt: {profile.exemption_reason}")
    if profile.is_reverse_charge or _crosses_the_union(profile, seller_country):
        return TaxTreatment(answer.rates, answer.source, is_charged=False, note=REVERSE_CHARGE)
    return TaxTreatment(answer.rates, answer.source, is_charged=answer.is_charged, note=answer.note)


def which_rates(
    profile: TaxProfile, table: RateTable, *, own_percent: Decimal, seller_country: str | None
) -> RatesOfCustomer:
    """Return how a customer of this profile is taxed by the table.

    Where the place has no rate for `standard`, the customer's own percentage takes its place; without one too, the
    lines are untaxed with a note that says so.
    """
    place = profile.jurisdiction
    standard = TaxAnswer(table.rates(place, STANDARD), "table")
    if not standard.rates:
        standard = _own_percentage(own_percent)
    if not standard.rates:
        standard = TaxAnswer((), "table", note=f"no tax rate in {place}")
    answers = {category: TaxAnswer(table.rates(place, category), "table") for category in table.categories(place)}
    by_category = {
        category: treatment(profile, answer, seller_country=seller_country)
        for category, answer in (answers | {STANDARD: standard}).items()
    }
    return RatesOfCustomer(by_category, by_category[STANDARD])


def rates_without_profile(own_percent: Decimal) -> RatesOfCustomer:
    """Return how a customer is taxed of whom only a plain percentage is known: one tax, named `tax`."""
    return RatesOfCustomer({}, TaxTreatment(_own_percentage(own_percent).rates, "customer"))


def overriding_rates(rates: Sequence[AppliedRate], audit_reference: str) -> RatesOfCustomer:
    """Return how a customer is taxed whose rates are overridden; the note carries the proof."""
    return RatesOfCustomer({}, TaxTreatment(tuple(rates), "override", note=f"rates by {audit_reference}"))


def quoted_rates(profile: TaxProfile, answers: Mapping[str, TaxAnswer], *, seller_country: str) -> RatesOfCustomer:
    """Return how a customer of this profile is taxed by the answers of a tax engine, by category."""
    return RatesOfCustomer(
        {category: treatment(profile, answer, seller_country=seller_country) for category, answer in answers.items()},
        others=None,
    )


def _own_percentage(percent: Decimal) -> TaxAnswer:
    return TaxAnswer((AppliedRate("tax", percent),) if percent else (), "customer")


def _crosses_the_union(profile: TaxProfile, seller_country: str | None) -> bool:
    country = profile.jurisdiction.country
    return profile.tax_id is not None and country != seller_country and {country, seller_country} <= MEMBERS
