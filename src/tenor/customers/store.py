"""Register customers and find them, always many at once."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from tenor.customers.model import Customer, CustomerDetails
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import CustomerId, new_id
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import Row, UnitOfWork

_FIELDS: Final = "id, external_id, name, country, timezone, tax_percent"
"""What `_customer_from` reads."""


class CustomerDiffers(Conflict):
    """A customer of this external id is registered with another country, time zone or tax."""

    code = "customer_differs"


def register_customers(
    uow: UnitOfWork, customers: Sequence[CustomerDetails], *, now: datetime
) -> dict[str, CustomerId]:
    """Register the customers that are new; return the ids of all by external id.

    Registering the same customer again changes nothing. A new name is taken over. A new country, time
    zone or tax is refused: it would decide amounts and dates, which a repeated import must not do.

    Raises:
        CustomerDiffers: as said; nothing is registered.
    """
    asked = {customer.external_id: customer for customer in customers}
    for customer in customers:
        _require_same(customer, asked[customer.external_id])
    with uow.connection.transaction():  # a savepoint: a refusal takes back what this call wrote
        uow.execute(
            """
            insert into customers as stored
                (tenant_id, created_at, id, external_id, name, country, timezone, tax_percent)
            select %s, %s, * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::numeric[])
            on conflict (tenant_id, external_id) do update set name = excluded.name
            where stored.name is distinct from excluded.name
            """,
            [
                uow.tenant_id,
                now,
                [new_id(now) for _ in asked],
                list(asked),
                [customer.name for customer in asked.values()],
                [customer.country for customer in asked.values()],
                [customer.timezone for customer in asked.values()],
                [customer.tax_percent for customer in asked.values()],
            ],
        )
        stored = customers_by_external_id(uow, asked)
        for external_id, customer in asked.items():
            _require_same(customer, stored[external_id])
    return {external_id: customer.id for external_id, customer in stored.items()}


def customers_by_external_id(uow: UnitOfWork, external_ids: Iterable[str]) -> dict[str, Customer]:
    """Return the customers of these external ids; those that are not registered are left out."""
    rows = uow.fetch_all(f"select {_FIELDS} from customers where external_id = any(%s)", [list(external_ids)])
    return {customer.external_id: customer for customer in map(_customer_from, rows)}


def newest_customers(uow: UnitOfWork, *, limit: int) -> list[Customer]:
    """Return the customers that were registered last, the newest first; at most `limit`."""
    rows = uow.fetch_all(f"select {_FIELDS} from customers order by created_at desc, id desc limit %s", [limit])
    return [_customer_from(row) for row in rows]


def customer_ids(uow: UnitOfWork, external_ids: Collection[str]) -> dict[str, CustomerId]:
    """Return the ids of the customers of these external ids; those that are not registered are left out."""
    rows = uow.fetch_all("select external_id, id from customers where external_id = any(%s)", [list(external_ids)])
    return {external_id: CustomerId(customer_id) for external_id, customer_id in rows}


def _customer_from(row: Row) -> Customer:
    customer_id, external_id, name, country, timezone, tax_percent = row
    return Customer(
        id=CustomerId(customer_id),
        external_id=external_id,
        name=name,
        country=country,
        timezone=timezone,
        tax_percent=tax_percent,
    )


def _require_same(customer: CustomerDetails, other: CustomerDetails) -> None:
    for field in ("country", "timezone", "tax_percent"):
        mine, theirs = getattr(customer, field), getattr(other, field)
        if mine != theirs:
            raise CustomerDiffers(
                f"customer {customer.external_id!r}: {field} {_shown(mine)} is given, "
                f"but it is registered with {_shown(theirs)}",
                external_id=customer.external_id,
                field=field,
            )


def tax_percent_of(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> dict[CustomerId, Decimal]:
    """Return the tax of each of these customers, in percent."""
    rows = uow.fetch_all("select id, tax_percent from customers where id = any(%s)", [list(customer_ids)])
    return {CustomerId(customer_id): tax_percent for customer_id, tax_percent in rows}


def _shown(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value
