"""Subscriptions of a customer for tests of their rules, without a database."""

from uuid import UUID

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.subscriptions.model import Status, Subscription
from tests.support.invoicing import at


def running(
    starts_at: str = "2026-01-31", *, timezone: str = "UTC", profile: str = "tenor", ends_at: str | None = None
) -> Subscription:
    """Return a subscription that has started, as its second entry would find it."""
    return Subscription(
        id=SubscriptionId(UUID(int=11)),
        customer_id=CustomerId(UUID(int=12)),
        external_id="acme",
        currency="USD",
        timezone=timezone,
        profile=profile,
        status=Status.ACTIVE,
        version=1,
        starts_at=at(starts_at),
        trial_ends_at=None,
        trial_converts=True,
        ends_at=None if ends_at is None else at(ends_at),
    )
