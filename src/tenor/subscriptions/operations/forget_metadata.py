"""Empty what the tenant's own systems keep with the subscriptions of customers who were erased."""

from collections.abc import Sequence

from tenor.kernel.ids import CustomerId
from tenor.platform.event import Event
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.store.subscriptions import empty_metadata


def forget_metadata(uow: UnitOfWork, erased: Sequence[Event]) -> None:
    """Subscriber of `customer.erased`: empty the metadata of these customers' subscriptions, ended ones too."""
    empty_metadata(uow, [CustomerId(event.object_id) for event in erased])
