"""How calls name things: ids in paths, and the customer whose things a list is to show."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from tenor.api.bodies import Reference
from tenor.customers import customer_id_of
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import PREFIXES, CustomerId, NotAnId, from_wire
from tenor.platform.unit_of_work import UnitOfWork

OfCustomer = Annotated[Reference | None, Query(description="Only those of this customer.")]


def id_in_path(prefix: str, text: str) -> UUID:
    """Read an id that a path names.

    Raises:
        NotFound: it is none of this kind.
    """
    try:
        return from_wire(prefix, text)
    except NotAnId:
        raise NotFound(f"there is no {PREFIXES[prefix]} {text[:60]!r}") from None


def wanted_customer(uow: UnitOfWork, customer: str | None) -> CustomerId | None:
    """Return whose things a list is to show; None: everybody's.

    Raises:
        CustomerNotFound: there is no such customer.
    """
    return None if customer is None else customer_id_of(uow, customer)
