"""Register customers: many at once, as an import does that may be repeated."""

from collections.abc import Sequence
from datetime import datetime

from tenor.customers.model import CustomerDetails
from tenor.customers.personal import Personal, write_personal
from tenor.customers.store import LASTING, insert_new, next_versions, require_same, same_customers, versions_of
from tenor.kernel.ids import CustomerId
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


def register_customers(
    uow: UnitOfWork, customers: Sequence[CustomerDetails], *, now: datetime, actor: str, reason: str
) -> dict[str, CustomerId]:
    """Register the customers that are new; return the ids of all by external id.

    Registering the same customer again changes nothing. A new name, email or address is taken over, and one that is
    not given stays. A new country, time zone or tax is refused: it would decide amounts and dates, which a repeated
    import must not do. A constant number of statements.

    Raises:
        CustomerDiffers: as said; nothing is registered.
        CustomerErased: one of them was erased; nothing is registered.
    """
    asked = {customer.external_id: customer for customer in customers}
    if not asked:
        return {}
    for customer in customers:
        other = asked[customer.external_id]
        require_same(customer, {field: getattr(other, field) for field in LASTING})
    with uow.connection.transaction():  # a savepoint: a refusal takes back what this call wrote
        # In the order of the ids, so that two imports at once do not wait in a circle.
        created = insert_new(uow, [asked[external_id] for external_id in sorted(asked)], now=now)
        ids = same_customers(uow, asked)
        said = {ids[external_id]: Personal.of(details) for external_id, details in asked.items()}
        changed = write_personal(uow, said, now=now) - created
        next_versions(uow, changed)
        _tell(uow, created, changed, now=now, actor=actor, reason=reason)
    return ids


def _tell(
    uow: UnitOfWork, created: set[CustomerId], changed: set[CustomerId], *, now: datetime, actor: str, reason: str
) -> None:
    events, deeds = [], []
    for customer_id, external_id, version in versions_of(uow, created | changed):
        deed = "customer.created" if customer_id in created else "customer.changed"
        facts: dict[str, object] = {"external_id": external_id, "version": version}
        deeds.append(Deed(actor, deed, "customer", customer_id, reason, now, after=facts))
        events.append(Event(deed, customer_id, facts, now))
    record(uow, deeds)
    publish(uow, events)
