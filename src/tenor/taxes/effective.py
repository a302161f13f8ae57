"""Which rates each customer of a batch is billed with: override, then profile and table or engine, then percentage."""

from collections.abc import Collection, Mapping
from datetime import datetime

from tenor.kernel.ids import CustomerId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes import store
from tenor.taxes.model import RatesOfCustomer
from tenor.taxes.quotes import digest_of, situation_of
from tenor.taxes.rules.which_rates import (
    RateTable,
    overriding_rates,
    quoted_rates,
    rates_without_profile,
    which_rates,
)
from tenor.taxes.store import CustomerFacts


def effective_rates(
    uow: UnitOfWork, customer_ids: Collection[CustomerId], at: datetime
) -> Mapping[CustomerId, RatesOfCustomer]:
    """Return how each of these customers is taxed at an instant, in at most five statements for any number of them.

    An override holds before all else. A customer with a tax profile is taxed by the table of rates, or, where the
    seller takes its rates from an engine, by the answers that `prefetch_quotes` has kept for that day. A customer
    without a profile has its own percentage. Customers who are taxed alike share one value.
    """
    alike = store.customers_by_facts(uow, customer_ids)
    overrides = store.overrides_in_force(uow, customer_ids, at)
    rates = _rates(uow, alike, at)
    by_customer = {customer_id: rates[facts] for facts, members in alike.items() for customer_id in members}
    return by_customer | {customer_id: overriding_rates(*override) for customer_id, override in overrides.items()}


def _rates(uow: UnitOfWork, stored: Collection[CustomerFacts], at: datetime) -> Mapping[CustomerFacts, RatesOfCustomer]:
    """Return how customers are taxed whose rates are not overridden."""
    rates = {facts: rates_without_profile(facts.own_percent) for facts in stored if facts.profile is None}
    profiled = {facts: facts.profile for facts in stored if facts.profile is not None}
    seller = store.tax_seller(uow) if profiled else None
    if seller is not None and seller.rates_from == "engine":
        digests = {facts: digest_of(situation_of(profile, seller, at)) for facts, profile in profiled.items()}
        quotes = store.quotes(uow, digests.values())
        for facts, profile in profiled.items():
            rates[facts] = quoted_rates(profile, quotes.get(digests[facts], {}), seller_country=seller.country)
    elif profiled:
        countries = {profile.jurisdiction.country for profile in profiled.values()}
        table = RateTable(store.rates_in_force(uow, countries, at), at=at)
        seller_country = seller.country if seller else None
        for facts, profile in profiled.items():
            rates[facts] = which_rates(profile, table, own_percent=facts.own_percent, seller_country=seller_country)
    return rates
