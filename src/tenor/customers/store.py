"""Register customers and find them, always many at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from psycopg.types.json import Jsonb

from tenor.customers.model import Customer, CustomerDetails
from tenor.customers.personal import PERSONAL_COLUMNS, Personal, is_erased, revealed, write_personal
from tenor.kernel.errors import Conflict, NotFound
from tenor.kernel.ids import CustomerId, NotAnId, from_wire, new_id, to_wire
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import Row, UnitOfWork

_LASTING: Final = ("country", "timezone", "tax_percent")
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


def register_customers(
    uow: UnitOfWork, customers: Sequence[CustomerDetails], *, now: datetime
) -> dict[str, CustomerId]:
    """Register the customers that are new; return the ids of all by external id.

    Registering the same customer again changes nothing. A new name, email or address is taken over, and one that is
    not given stays. A new country, time zone or tax is refused: it would decide amounts and dates, which a repeated
    import must not do.

    Raises:
        CustomerDiffers: as said; nothing is registered.
        CustomerErased: one of them was erased; nothing is registered.
    """
    asked = {customer.external_id: customer for customer in customers}
    for customer in customers:
        other = asked[customer.external_id]
        _require_same(customer, {field: getattr(other, field) for field in _LASTING})
    with uow.connection.transaction():  # a savepoint: a refusal takes back what this call wrote
        uow.execute(
            """
            insert into customers (tenant_id, created_at, id, external_id, country, timezone, tax_percent)
            select %s, %s, * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::numeric[])
            on conflict (tenant_id, external_id) do nothing
            """,
            [
                uow.tenant_id,
                now,
                [new_id(now) for _ in asked],
                list(asked),
                [customer.country for customer in asked.values()],
                [customer.timezone for customer in asked.values()],
                [customer.tax_percent for customer in asked.values()],
            ],
        )
        rows = uow.fetch_all(
            f"select external_id, id, {', '.join(_LASTING)} from customers where external_id = any(%s)",
            [list(asked)],
        )
        found = {external_id: CustomerId(customer_id) for external_id, customer_id, *_ in rows}
        ids = {external_id: found[external_id] for external_id in asked}
        for external_id, _, *facts in rows:
            _require_same(asked[external_id], dict(zip(_LASTING, facts, strict=True)))
        write_personal(uow, {ids[name]: Personal.of(details) for name, details in asked.items()}, now=now)
    return ids


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
    """Return the customer with the id ('cus_01…') or the external id `reference`.

    Raises:
        CustomerNotFound: there is none.
    """
    row = uow.fetch_one(f"{_SELECT} where c.external_id = %s", [reference])
    if row is None and reference.startswith("cus_"):
        row = _row_by_id(uow, reference)
    if row is None:
        raise CustomerNotFound(f"there is no customer {reference[:60]!r}")
    return _customer_from(uow, row)


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


def write_customer(uow: UnitOfWork, customer: Customer) -> None:
    """Write a new customer, what is personal of it sealed."""
    uow.execute(
        """
        insert into customers
            (tenant_id, id, external_id, country, timezone, tax_percent, created_at, version, metadata)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
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
        ],
    )
    write_personal(uow, {customer.id: Personal.of(customer)}, now=customer.created_at)


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


def _require_same(customer: CustomerDetails, other: Mapping[str, object]) -> None:
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
