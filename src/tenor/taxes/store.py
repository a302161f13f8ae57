"""The rows of taxes: rates, profiles, overrides, quotes and the seller; always many at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.taxes.errors import TaxOverrideNotFound
from tenor.taxes.model import (
    AppliedRate,
    Jurisdiction,
    TaxAnswer,
    TaxOverride,
    TaxProfile,
    TaxRate,
    TaxRequest,
    TaxSeller,
    TaxSituation,
    rates_from_json,
    rates_to_json,
)

_RATE = "id, country, region, category, name, percent, valid_from, valid_to"
_EVER_HELD = "(valid_to is null or valid_to > valid_from)"


class CustomerFacts(NamedTuple):
    """What is stored about how a customer is taxed: its own percentage, and its profile where it has one."""

    own_percent: Decimal
    profile: TaxProfile | None


class OverridingRates(NamedTuple):
    """The rates of an override and its proof."""

    rates: tuple[AppliedRate, ...]
    audit_reference: str


def lock_tax_rates(uow: UnitOfWork) -> None:
    """Wait until no other transaction sets rates of this tenant, and keep others waiting until the end."""
    uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"tenor tax rates of {uow.tenant_id}"])


def rates_by_id(uow: UnitOfWork, jurisdictions: Iterable[Jurisdiction]) -> dict[UUID, TaxRate]:
    """Return all rates of some places that hold at any time, in the order of their beginning."""
    places = list(jurisdictions)
    rows = uow.fetch_all(
        f"""
        select {_RATE} from tax_rates
        where (country, region) in (select * from unnest(%s::text[], %s::text[])) and {_EVER_HELD}
        order by valid_from, id
        """,
        [[place.country for place in places], [place.region for place in places]],
    )
    return dict(map(_rate, rows))


def tax_rates(
    uow: UnitOfWork, *, after: tuple[str, str, str, str, datetime] | None = None, limit: int | None = None
) -> list[TaxRate]:
    """Return every rate of the tenant that holds at any time, by place, category, name and beginning.

    Those after a country, region, category, name and beginning, and no more than `limit`, where they are given.
    """
    key = "(country, region, category, name, valid_from)"
    beyond = "" if after is None else f"and {key} > (%s, %s, %s, %s, %s)"
    rows = uow.fetch_all(
        f"select {_RATE} from tax_rates where {_EVER_HELD} {beyond} order by {key} limit %s", [*(after or ()), limit]
    )
    return [rate for _, rate in map(_rate, rows)]


def rates_in_force(uow: UnitOfWork, countries: Collection[str], at: datetime) -> list[TaxRate]:
    """Return the rates of some countries and their regions that hold at an instant."""
    rows = uow.fetch_all(
        f"""
        select {_RATE} from tax_rates
        where country = any(%s) and valid_from <= %s and (valid_to is null or valid_to > %s)
        """,
        [list(countries), at, at],
    )
    return [rate for _, rate in map(_rate, rows)]


def end_rates(uow: UnitOfWork, ends: Mapping[UUID, datetime]) -> None:
    """Let rates end earlier than they did."""
    uow.execute(
        """
        update tax_rates set valid_to = earlier.ends_at
        from unnest(%s::uuid[], %s::timestamptz[]) as earlier (id, ends_at)
        where tax_rates.id = earlier.id
        """,
        [list(ends), list(ends.values())],
    )


def add_rates(uow: UnitOfWork, rates: Mapping[UUID, TaxRate]) -> None:
    """Write new rates."""
    added = list(rates.values())
    uow.execute(
        f"""
        insert into tax_rates (tenant_id, {_RATE})
        select %s, * from unnest(
            %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::numeric[], %s::timestamptz[],
            %s::timestamptz[])
        """,
        [
            uow.tenant_id,
            list(rates),
            [rate.jurisdiction.country for rate in added],
            [rate.jurisdiction.region for rate in added],
            [rate.category for rate in added],
            [rate.name for rate in added],
            [rate.percent for rate in added],
            [rate.valid_from for rate in added],
            [rate.valid_to for rate in added],
        ],
    )


def tax_seller(uow: UnitOfWork) -> TaxSeller | None:
    """Return where the tenant is taxed, or None when it has not said."""
    row = uow.fetch_one("select country, tax_id, rates_from from tax_sellers")
    return TaxSeller(country=row[0], tax_id=row[1], rates_from=row[2]) if row else None


def write_seller(uow: UnitOfWork, seller: TaxSeller) -> None:
    """Write where the tenant is taxed."""
    uow.execute(
        """
        insert into tax_sellers (tenant_id, country, tax_id, rates_from) values (%s, %s, %s, %s)
        on conflict (tenant_id) do update
        set country = excluded.country, tax_id = excluded.tax_id, rates_from = excluded.rates_from
        """,
        [uow.tenant_id, seller.country, seller.tax_id, seller.rates_from],
    )


def customers_by_facts(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> dict[CustomerFacts, list[CustomerId]]:
    """Return these customers, those of whom the same is stored together; ids of no customer are left out."""
    rows = uow.fetch_all(
        """
        select c.id, c.tax_percent, p.country, p.region, p.tax_id, p.is_exempt, p.exemption_reason, p.is_reverse_charge
        from customers c
        left join customer_tax_profiles p
            on p.tenant_id = c.tenant_id and p.customer_id = c.id and p.customer_id = any(%(ids)s)
        where c.id = any(%(ids)s)
        """,  # the ids twice, so that the profiles of a million others are never read
        {"ids": list(customer_ids)},
    )
    alike: dict[Row, list[CustomerId]] = defaultdict(list)
    for customer_id, *stored in rows:
        alike[tuple(stored)].append(CustomerId(customer_id))
    return {
        CustomerFacts(own_percent, _profile(profile) if profile[0] else None): members
        for (own_percent, *profile), members in alike.items()
    }


def tax_profiles(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> dict[CustomerId, TaxProfile]:
    """Return the profiles of these customers; one who has none is left out."""
    alike = customers_by_facts(uow, customer_ids)
    return {
        customer_id: facts.profile
        for facts, members in alike.items()
        if facts.profile is not None
        for customer_id in members
    }


def write_profiles(uow: UnitOfWork, profiles: Mapping[CustomerId, TaxProfile]) -> None:
    """Write how customers are taxed."""
    values = list(profiles.values())
    uow.execute(
        """
        insert into customer_tax_profiles
            (tenant_id, customer_id, country, region, tax_id, is_exempt, exemption_reason, is_reverse_charge)
        select %s, * from unnest(
            %s::uuid[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[], %s::boolean[])
        on conflict (tenant_id, customer_id) do update
        set country = excluded.country, region = excluded.region, tax_id = excluded.tax_id,
            is_exempt = excluded.is_exempt, exemption_reason = excluded.exemption_reason,
            is_reverse_charge = excluded.is_reverse_charge
        """,
        [
            uow.tenant_id,
            list(profiles),
            [profile.jurisdiction.country for profile in values],
            [profile.jurisdiction.region for profile in values],
            [profile.tax_id for profile in values],
            [profile.is_exempt for profile in values],
            [profile.exemption_reason for profile in values],
            [profile.is_reverse_charge for profile in values],
        ],
    )


def add_override(uow: UnitOfWork, override_id: UUID, override: TaxOverride, *, created_at: datetime) -> None:
    """Write an override.

    Raises:
        NotFound: the customer is none of this tenant.
    """
    written = uow.execute(
        """
        insert into tax_overrides
            (tenant_id, id, customer_id, rates, audit_reference, valid_from, valid_to, created_at)
        select tenant_id, %s, id, %s, %s, %s, %s, %s from customers where id = %s
        """,
        [
            override_id,
            Jsonb(rates_to_json(override.rates)),
            override.audit_reference,
            override.valid_from,
            override.valid_to,
            created_at,
            override.customer_id,
        ],
    )
    if not written:
        raise NotFound(f"there is no customer {to_wire('cus', override.customer_id)}")


def overrides_of(
    uow: UnitOfWork, customer_id: CustomerId, *, limit: int, after: UUID | None = None
) -> list[tuple[UUID, TaxOverride]]:
    """Return the overrides of a customer with their ids, the newest first; those older than `after` where it is given.

    Those that ended where they began are left out: they never held.
    """
    rows = uow.fetch_all(
        """
        select id, rates, audit_reference, valid_from, valid_to from tax_overrides
        where customer_id = %(customer)s
          and (valid_to > valid_from) is not false and (%(after)s::uuid is null or id < %(after)s)
        order by id desc limit %(limit)s
        """,
        {"customer": customer_id, "after": after, "limit": limit},
    )
    return [
        (
            override_id,
            TaxOverride(
                customer_id=customer_id,
                rates=rates_from_json(rates),
                audit_reference=reference,
                valid_from=valid_from,
                valid_to=valid_to,
            ),
        )
        for override_id, rates, reference, valid_from, valid_to in rows
    ]


def end_override(uow: UnitOfWork, override_id: UUID, *, at: datetime) -> CustomerId:
    """Let an override end at an instant, or where it begins when that is later; return whose it is.

    Raises:
        TaxOverrideNotFound: there is none of this id that still holds by then.
    """
    row = uow.fetch_one(
        """
        update tax_overrides set valid_to = greatest(valid_from, %s)
        where id = %s and (valid_to is null or valid_to > greatest(valid_from, %s)) returning customer_id
        """,
        [at, override_id, at],
    )
    if row is None:
        raise TaxOverrideNotFound(f"there is no tax override {to_wire('tov', override_id)} that holds at that time")
    return CustomerId(row[0])


def overrides_in_force(
    uow: UnitOfWork, customer_ids: Collection[CustomerId], at: datetime
) -> dict[CustomerId, OverridingRates]:
    """Return the newest override of each customer that holds at an instant."""
    rows = uow.fetch_all(
        """
        select distinct on (customer_id) customer_id, rates, audit_reference from tax_overrides
        where customer_id = any(%s) and valid_from <= %s and (valid_to is null or valid_to > %s)
        order by customer_id, override_no desc
        """,
        [list(customer_ids), at, at],
    )
    return {CustomerId(row[0]): OverridingRates(rates_from_json(row[1]), row[2]) for row in rows}


def quotes(uow: UnitOfWork, situation_digests: Collection[bytes]) -> dict[bytes, dict[str, TaxAnswer]]:
    """Return the answers that are kept for some situations, by category; the engine's before a fallback."""
    rows = uow.fetch_all(
        """
        select situation_digest, category, rates, source, is_charged, note from tax_quotes
        where situation_digest = any(%s) order by source desc
        """,
        [list(situation_digests)],
    )
    found: dict[bytes, dict[str, TaxAnswer]] = {}
    for digest, category, rates, source, is_charged, note in rows:  # 'fallback' first: 'engine' takes its place
        answer = TaxAnswer(rates_from_json(rates), source, is_charged=is_charged, note=note)
        found.setdefault(digest, {})[category] = answer
    return found


def write_quotes(
    uow: UnitOfWork, answers: Sequence[tuple[bytes, TaxRequest, TaxAnswer]], *, asked_at: datetime
) -> None:
    """Keep answers with the digest of their situation; the first answer of each source stays."""
    uow.execute(
        """
        insert into tax_quotes
            (tenant_id, asked_at, situation_digest, category, source, situation, rates, is_charged, note)
        select %s, %s, * from unnest(
            %s::bytea[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[], %s::boolean[], %s::text[])
        on conflict do nothing
        """,
        [
            uow.tenant_id,
            asked_at,
            [digest for digest, _, _ in answers],
            [request.category for _, request, _ in answers],
            [answer.source for _, _, answer in answers],
            [Jsonb(situation_to_json(request.situation)) for _, request, _ in answers],
            [Jsonb(rates_to_json(answer.rates)) for _, _, answer in answers],
            [answer.is_charged for _, _, answer in answers],
            [answer.note for _, _, answer in answers],
        ],
    )


def situation_to_json(situation: TaxSituation) -> dict[str, str | None]:
    """Return a situation as JSON keeps it and as its digest is taken."""
    return {
        "seller_country": situation.seller_country,
        "country": situation.jurisdiction.country,
        "region": situation.jurisdiction.region,
        "tax_id": situation.tax_id,
        "on": situation.on.isoformat(),
    }


def _rate(row: Row) -> tuple[UUID, TaxRate]:
    rate_id, country, region, category, name, percent, valid_from, valid_to = row
    return rate_id, TaxRate(
        name=name,
        jurisdiction=Jurisdiction(country, region),
        percent=percent,
        valid_from=valid_from,
        valid_to=valid_to,
        category=category,
    )


def _profile(row: Sequence[Any]) -> TaxProfile:
    country, region, tax_id, is_exempt, exemption_reason, is_reverse_charge = row
    return TaxProfile(
        jurisdiction=Jurisdiction(country, region),
        tax_id=tax_id,
        is_exempt=is_exempt,
        exemption_reason=exemption_reason,
        is_reverse_charge=is_reverse_charge,
    )
