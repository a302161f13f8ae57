"""Erase a customer: its personal data is gone for good, and every fact about money stays."""

from datetime import datetime

from tenor.customers.personal import destroy_key
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


def erase_customer(uow: UnitOfWork, customer_id: CustomerId, *, now: datetime, actor: str, reason: str) -> bool:
    """Destroy the customer's key, so that nobody can read name, email and address any more.

    Nor in backups, once those of the table `customer_keys` are gone. Documents, transfers and usage stay: they name the
    customer by its id. Returns False when it was done before.

    Raises:
        NotFound: there is no such customer.
    """
    if uow.fetch_one("select from customers where id = %s for update", [customer_id]) is None:
        raise NotFound(f"there is no customer {to_wire('cus', customer_id)}")
    if not destroy_key(uow, customer_id, at=now):
        return False
    record(uow, [Deed(actor, "customer.erased", "customer", customer_id, reason, now)])
    publish(uow, [Event("customer.erased", customer_id, {"customer_id": to_wire("cus", customer_id)}, now)])
    return True
