"""Change what a customer is called and what the tenant keeps with it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tenor.customers.model import Customer
from tenor.customers.store import lock_customer, rewrite_customer
from tenor.kernel.errors import Conflict
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork


class CustomerChanged(Conflict):
    """A change that was decided on an older version of the customer."""

    code = "customer_changed"


def change_customer(
    uow: UnitOfWork,
    reference: str,
    *,
    version: int | None,
    name: str | None = None,
    email: str | None = None,
    address: str | None = None,
    metadata: Mapping[str, str] | None = None,
    now: datetime,
    actor: str,
    reason: str,
) -> Customer:
    """Change what a customer is called, how it is reached, and the metadata; None keeps.

    What decides amounts and dates changes elsewhere.

    Raises:
        CustomerNotFound: as said.
        CustomerErased: there is nothing of it any more that could be changed.
        CustomerChanged: `version` is given, and another one by now.
    """
    held = lock_customer(uow, reference)
    if version is not None and version != held.version:
        raise CustomerChanged(f"the customer is at version {held.version} by now, not {version}", version=held.version)
    changed = replace(
        held,
        name=held.name if name is None else name,
        email=held.email if email is None else email,
        address=held.address if address is None else address,
        metadata=held.metadata if metadata is None else metadata,
    )
    if changed == held:
        return held
    changed = replace(changed, version=held.version + 1)
    rewrite_customer(uow, changed, now=now)
    facts = {"external_id": changed.external_id, "version": changed.version}
    tell(uow, "customer.changed", changed.id, facts, now=now, actor=actor, reason=reason)
    return changed
