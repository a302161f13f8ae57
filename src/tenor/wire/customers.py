"""Customers as JSON."""

from typing_extensions import TypedDict

from tenor.customers import Customer
from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.wire.forms import DecimalText, Instant, instant


class CustomerJson(TypedDict):
    """A party that documents are addressed to. Of one that is erased, what was personal is gone."""

    id: str
    external_id: str
    name: str
    email: str | None
    address: str | None
    is_erased: bool
    country: str | None
    timezone: str
    tax_percent: DecimalText
    metadata: dict[str, str]
    version: int
    created_at: Instant


def customer_json(customer: Customer) -> CustomerJson:
    """Return a customer."""
    return CustomerJson(
        id=to_wire("cus", customer.id),
        external_id=customer.external_id,
        name=customer.name,
        email=customer.email,
        address=customer.address,
        is_erased=customer.is_erased,
        country=customer.country,
        timezone=customer.timezone,
        tax_percent=plain(customer.tax_percent),
        metadata=dict(customer.metadata),
        version=customer.version,
        created_at=instant(customer.created_at),
    )
