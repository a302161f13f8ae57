"""Register customers and find them, always many at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Final

from psycopg.types.json import Jsonb

from tenor.customers.model import Customer, CustomerDetails
from tenor.customers.personal import PERSONAL_COLUMNS, Personal, is_erased, revealed, seal_new, write_personal
from tenor.kernel.errors import Conflict, NotFound
from tenor.kernel.ids import CustomerId, NotAnId, from_wire, new_id, to_wire
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import Row, UnitOfWork

LASTING: Final = ("country", "timezone", "tax_percent")
"""What decides amounts and dates, and so is not changed by registering again."""

_SELECT: Final = f"""
    select c.id, c.external_id, c.country, c.timezone, c.tax_percent, c.created_at, c.version, c.metadata,
           {PERSONAL_COLUMNS}
    from customers c left join customer_keys k on k.customer_id = c.id
"""
"""What `_customer_from` reads."""


class CustomerNotFound(NotFound):
    """A customer that this tenant does not have."""

    code = "customer_not_found"


class CustomerDiffers(Conflict):
    """A customer of this external id is registered with another country, time zone or tax."""

    code = "customer_differs"


def insert_new(uow: UnitOfWork, customers: Sequence[CustomerDetails], *, now: datetime) -> set[CustomerId]:
    """Write customers whose external ids are new, without what is known of the persons; return which these are."""
    rows = uow.fetch_all(
        """
        insert into customers (tenant_id, created_at, id, external_id, country, timezone, tax_percent)
        select %s, %s, * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::numeric[])
        on conflict (tenant_id, external_id) do nothing returning id
        """,
        [
            uow.tenant_id,
            now,
            [new_id(now) for _ in customers],
            [customer.external_id for customer in customers],
            [customer.country for customer in customers],
            [customer.timezone for customer in customers],
            [customer.tax_percent for customer in customers],
        ],
    )
    return {CustomerId(customer_id) for (customer_id,) in rows}


def same_customers(uow: UnitOfWork, asked: Mapping[str, CustomerDetails]) -> dict[str, CustomerId]:
    """Return the ids of customers by external id, all of which are written.

    Raises:
        CustomerDiffers: one of them has another country, time zone or tax than is asked for.
    """
    rows = uow.fetch_all(
        f"select external_id, id, {', '.join(LASTING)} from customers where external_id = any(%s)", [list(asked)]
    )
    for external_id, _, *facts in rows:
        require_same(asked[external_id], dict(zip(LASTING, facts, strict=True)))
    found = {external_id: CustomerId(customer_id) for external_id, customer_id, *_ in rows}
    return {external_id: found[external_id] for external_id in asked}


def next_versions(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> None:
    """Count customers one version up: they were changed."""
    uow.execute("update customers set version = version + 1 where id = any(%s)", [list(customer_ids)])


def versions_of(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> list[tuple[CustomerId, str, int]]:
    """Return ids, external ids and versions of customers, in the order of the external ids."""
    rows = uow.fetch_all(
        "select id, external_id, version from customers where id = any(%s) order by external_id", [list(customer_ids)]
    )
    return [(CustomerId(customer_id), external_id, version) for customer_id, external_id, version in rows]


def customer_timezones(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> dict[CustomerId, str]:
    """Return the time zone of each of these customers; ids that the tenant does not have are left out."""
    rows = uow.fetch_all("select id, timezone from customers where id = any(%s)", [list(customer_ids)])
    return {CustomerId(customer_id): timezone for customer_id, timezone in rows}


def customers_by_external_id(uow: UnitOfWork, external_ids: Iterable[str]) -> dict[str, Customer]:
    """Return the customers of these external ids; those that are not registered are left out."""
    wanted = list(external_ids)
    rows = uow.fetch_all(f"{_SELECT} where c.external_id = any(%s)", [wanted])
    found = {customer.external_id: customer for customer in (_customer_from(uow, row) for row in rows)}
    return {external_id: found[external_id] for external_id in wanted if external_id in found}


def newest_customers(uow: UnitOfWork, *, limit: int) -> list[Customer]:
    """Return the customers that were registered last, the newest first; at most `limit`."""
    rows = uow.fetch_all(f"{_SELECT} order by c.created_at desc, c.id desc limit %s", [limit])
    return [_customer_from(uow, row) for row in rows]


def list_customers(
    uow: UnitOfWork, *, limit: int, after: CustomerId | None = None, external_id: str | None = None
) -> list[Customer]:
    """Return customers, those that were recorded last first: those before `after`, or the one of an external id."""
    rows = uow.fetch_all(
        f"""
        {_SELECT}
        where (%(after)s::uuid is null
               or (c.recorded_at, c.id) < (select recorded_at, id from customers where id = %(after)s))
          and (%(external_id)s::text is null or c.external_id = %(external_id)s)
        order by c.recorded_at desc, c.id desc limit %(limit)s
        """,
        {"after": after, "external_id": external_id, "limit": limit},
    )
    return [_customer_from(uow, row) for row in rows]


def find_customer(uow: UnitOfWork, reference: str) -> Customer:
    """Return the customer with the id ('cus_01…') or the external id `reference`; ids go before names.

    Raises:
        CustomerNotFound: there is none.
    """
    row = _row_by_id(uow, reference) if reference.startswith("cus_") else None
    if row is None:
        row = uow.fetch_one(f"{_SELECT} where c.external_id = %s", [reference])
    if row is None:
        raise CustomerNotFound(f"there is no customer {reference[:60]!r}")
    return _customer_from(uow, row)


def customer_id_of(uow: UnitOfWork, reference: str) -> CustomerId:
    """Return the id of the customer that `find_customer` finds, and nothing of what is sealed.

    Raises:
        CustomerNotFound: there is none.
    """
    row = None
    if reference.startswith("cus_"):
        with suppress(NotAnId):
            row = uow.fetch_one("select id from customers where id = %s", [from_wire("cus", reference)])
    if row is None:
        row = uow.fetch_one("select id from customers where external_id = %s", [reference])
    if row is None:
        raise CustomerNotFound(f"there is no customer {reference[:60]!r}")
    return CustomerId(row[0])


def _row_by_id(uow: UnitOfWork, text: str) -> Row | None:
    try:
        customer_id = from_wire("cus", text)
    except NotAnId:
        return None
    return uow.fetch_one(f"{_SELECT} where c.id = %s", [customer_id])


def lock_customer(uow: UnitOfWork, reference: str) -> Customer:
    """Return a customer as `find_customer` does, locked until the transaction ends."""
    found = find_customer(uow, reference)
    uow.execute("select from customers where id = %s for no key update", [found.id])
    return find_customer(uow, to_wire("cus", found.id))


def write_customer(uow: UnitOfWork, customer: Customer) -> bool:
    """Write a new customer, what is personal of it sealed under a key of its own, in one statement.

    Returns False, with nothing written, where another customer has its external id; waits for a call that is about
    to write one.
    """
    wrapped, sealed = seal_new(uow, customer.id, Personal.of(customer))
    written = uow.execute(
        """
        with made as (
            insert into customers
                (tenant_id, id, external_id, country, timezone, tax_percent, created_at, version, metadata,
                 name_sealed, email_sealed, address_sealed)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %b, %b, %b)
            on conflict (tenant_id, external_id) do nothing returning tenant_id, id, created_at
        )
        insert into customer_keys (tenant_id, customer_id, made_at, key_id, wrapped)
        select tenant_id, id, created_at, %s, %b from made
        """,
        [
            uow.tenant_id,
            customer.id,
            customer.external_id,
            customer.country,
            customer.timezone,
            customer.tax_percent,
            customer.created_at,
            customer.version,
            Jsonb(dict(customer.metadata)),
            *sealed,
            wrapped.key_id,
            wrapped.wrapped,
        ],
    )
    return bool(written)


def rewrite_customer(uow: UnitOfWork, customer: Customer, *, now: datetime) -> None:
    """Write what is personal, the metadata and the version of a customer.

    Raises:
        CustomerErased: it was erased.
    """
    uow.execute(
        "update customers set metadata = %s, version = %s where id = %s",
        [Jsonb(dict(customer.metadata)), customer.version, customer.id],
    )
    write_personal(uow, {customer.id: Personal.of(customer)}, now=now)


def customer_ids(uow: UnitOfWork, external_ids: Collection[str]) -> dict[str, CustomerId]:
    """Return the ids of the customers of these external ids; those that are not registered are left out."""
    rows = uow.fetch_all("select external_id, id from customers where external_id = any(%s)", [list(external_ids)])
    return {external_id: CustomerId(customer_id) for external_id, customer_id in rows}


def _customer_from(uow: UnitOfWork, row: Row) -> Customer:
    customer_id, external_id, country, timezone, tax_percent, created_at, version, metadata, *columns = row
    personal = revealed(uow, CustomerId(customer_id), columns)
    return Customer(
        id=CustomerId(customer_id),
        external_id=external_id,
        name=personal.name or "",
        country=country,
        timezone=timezone,
        tax_percent=tax_percent,
        email=personal.email,
        address=personal.address,
        is_erased=is_erased(columns),
        created_at=created_at,
        version=version,
        metadata=metadata,
    )


def require_same(customer: CustomerDetails, other: Mapping[str, object]) -> None:
    """Refuse a customer whose facts are not those of `other`, by name.

    Raises:
        CustomerDiffers: with the first one that differs.
    """
    for field, theirs in other.items():
        mine = getattr(customer, field)
        if mine != theirs:
            raise CustomerDiffers(
                f"customer {customer.external_id!r}: {field} {_shown(mine)} is given, "
                f"but it is registered with {_shown(theirs)}",
                external_id=customer.external_id,
                field=field,
            )


def _shown(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value
