"""Quotes: ask the tax engine before a transaction, keep its answers, and read them inside."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.taxes import store
from tenor.taxes.engines import TableEngine
from tenor.taxes.model import STANDARD, TaxAnswer, TaxProfile, TaxRequest, TaxSeller, TaxSituation
from tenor.taxes.ports import TaxEngine, TaxEngineFailed
from tenor.taxes.rules.which_rates import RateTable

REQUESTS_MAX: Final = 100
"""So many requests are asked in one call."""
FALLBACK_NOTE: Final = "default rates: the tax engine gave no answer"


class Prefetched(NamedTuple):
    """What became of the requests that had no answer of the engine yet, and why the engine failed where it did."""

    from_engine: int = 0
    from_fallback: int = 0
    unanswered: int = 0
    failures: tuple[str, ...] = ()


def prefetch_quotes(
    database: Database,
    tenant_id: TenantId,
    customer_ids: Collection[CustomerId],
    *,
    at: datetime,
    engine: TaxEngine,
    now: datetime,
    categories: Collection[str] = (STANDARD,),
) -> Prefetched:
    """Ask the tax engine for what a bill run at `at` will need of these customers, and keep the answers.

    To be called outside of transactions: it reads in one, asks, and writes in another. Equal situations are asked
    once. Where the engine fails, the rates of the table are kept as a marked fallback, and the next call
    asks again; a place without default rates stays unanswered, so that billing refuses instead of charging nothing.
    Does nothing for a tenant whose rates come from its table.
    """
    with database.transaction(tenant_id) as uow:
        seller = store.tax_seller(uow)
        if seller is None or seller.rates_from != "engine":
            return Prefetched()
        profiles = {facts.profile for facts in store.customers_by_facts(uow, customer_ids) if facts.profile}
        digests = {(situation := situation_of(profile, seller, at)): digest_of(situation) for profile in profiles}
        known = store.quotes(uow, digests.values())
        countries = {profile.jurisdiction.country for profile in profiles}
        defaults = TableEngine(RateTable(store.rates_in_force(uow, countries, at), at=at), "fallback")
    requests = [
        TaxRequest(situation, category)
        for situation, digest in sorted(digests.items(), key=lambda pair: pair[1])
        for category in sorted(set(categories))
        if not ((answer := known.get(digest, {}).get(category)) and answer.source == "engine")
    ]
    failures: list[str] = []
    answered = list(_answers(requests, engine, defaults, failures))
    with database.transaction(tenant_id) as uow:
        kept = [(digests[request.situation], request, answer) for request, answer in answered]
        store.write_quotes(uow, kept, asked_at=now)
    from_engine = sum(answer.source == "engine" for _, answer in answered)
    return Prefetched(
        from_engine, len(answered) - from_engine, len(requests) - len(answered), tuple(dict.fromkeys(failures))
    )


def situation_of(profile: TaxProfile, seller: TaxSeller, at: datetime) -> TaxSituation:
    """Return a customer of this profile as a tax engine sees it at an instant."""
    return TaxSituation(seller.country, profile.jurisdiction, profile.tax_id, at.astimezone(UTC).date())


def digest_of(situation: TaxSituation) -> bytes:
    """Return the SHA-256 of a situation's canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(store.situation_to_json(situation), order="deterministic")).digest()


def _answers(
    requests: Sequence[TaxRequest], engine: TaxEngine, defaults: TaxEngine, failures: list[str]
) -> Iterator[tuple[TaxRequest, TaxAnswer]]:
    """Yield each request that has an answer, of the engine or, where it fails, of the default rates."""
    for first in range(0, len(requests), REQUESTS_MAX):
        asked = requests[first : first + REQUESTS_MAX]
        try:
            yield from zip(asked, engine.answers(asked), strict=True)
        except TaxEngineFailed as failure:
            failures.append(str(failure))
            for request, answer in zip(asked, defaults.answers(asked), strict=True):
                if answer.rates:
                    yield request, replace(answer, note=FALLBACK_NOTE)
