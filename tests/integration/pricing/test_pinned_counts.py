"""Who is grandfathered: the subscriptions that have a version, or will have it, when the question is asked."""

from datetime import UTC, datetime

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import apply_price_book, plan_price_book
from tenor.subscriptions import NewSubscription, cancel, change_plan, subscribe
from tests.support.price_books import small_book

START = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 10, tzinfo=UTC)
FUTURE = datetime(2026, 4, 1, tzinfo=UTC)
DEARER = ("amount: 49.00", "amount: 59.00")
LATER = ("2026-01-01T", "2026-03-01T")


def subscribe_to_pro(uow: UnitOfWork, name: str, *, ends_at: datetime | None = None) -> SubscriptionId:
    customer = register_customers(
        uow, [CustomerDetails(external_id=name, name=name)], now=START, actor="test", reason="a test"
    )[name]
    request = NewSubscription(external_id=name, customer_id=customer, plan="pro", starts_at=START, ends_at=ends_at)
    return subscribe(uow, [request], now=START, actor="ada", reason="test")[0]


def test_a_subscription_counts_where_it_is_or_will_be(uow: UnitOfWork) -> None:
    apply_price_book(uow, small_book(), actor="ada", now=START)
    subscribe_to_pro(uow, "stays")
    subscribe_to_pro(uow, "ends later", ends_at=FUTURE)
    subscribe_to_pro(uow, "ends now", ends_at=NOW)  # the end does not belong to the stay
    gone = subscribe_to_pro(uow, "cancelled")
    cancel(uow, gone, effective=FEBRUARY, version=1, now=FEBRUARY, actor="ada", reason="test")
    moved = subscribe_to_pro(uow, "moved")
    change_plan(uow, moved, plan="basic", effective=FEBRUARY, version=1, now=FEBRUARY, actor="ada", reason="test")

    changes = plan_price_book(uow, small_book(DEARER, LATER, ("code: basic", "code: starter")), now=NOW)

    kept = {change.plan: change.grandfathered for change in changes.plans}
    assert kept == {"pro": ((1, 2),), "starter": (), "basic": ((1, 1),)}


def test_those_of_every_older_version_are_told(uow: UnitOfWork) -> None:
    apply_price_book(uow, small_book(), actor="ada", now=START)
    subscribe_to_pro(uow, "first")
    apply_price_book(uow, small_book(DEARER), actor="ada", now=START)
    subscribe_to_pro(uow, "second")
    subscribe_to_pro(uow, "third")

    changes = plan_price_book(uow, small_book(("amount: 49.00", "amount: 69.00"), LATER), now=NOW)

    assert changes.render()[1:] == [
        "  ~ plan pro: version 2 → 3",
        "      charges.base.amount: 59 → 69",
        "      1 subscription stays on version 1",
        "      2 subscriptions stay on version 2",
        "  = plan basic: version 1",
    ]
