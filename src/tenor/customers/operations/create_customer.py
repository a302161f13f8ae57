"""Create a customer."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from tenor.customers.model import Customer, CustomerDetails
from tenor.customers.store import customer_ids, write_customer
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import CustomerId, new_id, to_wire
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork


class CustomerExists(Conflict):
    """An external id that another customer has."""

    code = "customer_exists"


def create_customer(
    uow: UnitOfWork,
    details: CustomerDetails,
    *,
    metadata: Mapping[str, str],
    now: datetime,
    actor: str,
    reason: str,
) -> Customer:
    """Create a customer. Unlike `register_customers`, which an import repeats, it refuses one that is there.

    Raises:
        CustomerExists: as said.
    """
    customer = Customer(**asdict(details), id=CustomerId(new_id(now)), created_at=now, metadata=metadata)
    if not write_customer(uow, customer):
        existing = to_wire("cus", customer_ids(uow, [details.external_id])[details.external_id])
        raise CustomerExists(f"customer {details.external_id[:60]!r} is there already", customer=existing)
    facts = {"external_id": customer.external_id, "version": customer.version}
    tell(uow, "customer.created", customer.id, facts, now=now, actor=actor, reason=reason)
    return customer
