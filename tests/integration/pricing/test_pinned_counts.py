"""Who is grandfathered: the subscriptions that have a version, counted from the tables of the subscriptions."""

from datetime import UTC, datetime
from uuid import UUID

from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.ids import CustomerId, PlanVersionId, new_id
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import apply_price_book, plan_price_book
from tests.support.price_books import small_book

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 10, tzinfo=UTC)
PAST = datetime(2026, 2, 1, tzinfo=UTC)
FUTURE = datetime(2026, 4, 1, tzinfo=UTC)
DEARER = ("amount: 49.00", "amount: 59.00")
LATER = ("2026-01-01T", "2026-03-01T")


def subscribe(uow: UnitOfWork, customer: CustomerId, *, status: str = "active") -> UUID:
    subscription = new_id(NOW)
    uow.execute(
        """
        insert into subscriptions (tenant_id, id, customer_id, external_id, currency, timezone, profile, status, version,
                                   starts_at, created_at)
        values (%s, %s, %s, %s, 'USD', 'UTC', 'tenor', %s, 1, %s, %s)
        """,
        [uow.tenant_id, subscription, customer, str(subscription), status, START, NOW],
    )
    return subscription


def stay(
    uow: UnitOfWork,
    subscription: UUID,
    plan_version: PlanVersionId,
    *,
    ends_at: datetime | None = None,
    is_taken_back: bool = False,
) -> None:
    """Give a subscription an item on a plan version, with one phase."""
    item = new_id(NOW)
    uow.execute(
        "insert into subscription_items (tenant_id, id, subscription_id, plan_version_id, anchor_at)"
        " values (%s, %s, %s, %s, %s)",
        [uow.tenant_id, item, subscription, plan_version, START],
    )
    uow.execute(
        """
        insert into phases (tenant_id, item_id, phase_no, written_by_version, superseded_by_version, starts_at, ends_at,
                            is_billable, terms)
        values (%s, %s, 1, 1, %s, %s, %s, true, '{}')
        """,
        [uow.tenant_id, item, 2 if is_taken_back else None, START, ends_at],
    )


def test_a_subscription_counts_where_it_is_or_will_be(uow: UnitOfWork) -> None:
    versions = apply_price_book(uow, small_book(), actor="ada", now=START).plan_versions
    pro, basic = versions["pro"], versions["basic"]
    customer = register_customers(uow, [CustomerDetails(external_id="c", name="C")], now=NOW)["c"]
    stay(uow, subscribe(uow, customer), pro)
    stay(uow, subscribe(uow, customer, status="past_due"), pro, ends_at=FUTURE)
    stay(uow, subscribe(uow, customer, status="cancelled"), pro)
    stay(uow, subscribe(uow, customer), pro, ends_at=NOW)  # the end does not belong to the stay
    stay(uow, subscribe(uow, customer), pro, is_taken_back=True)
    moved = subscribe(uow, customer)
    stay(uow, moved, pro, ends_at=PAST)
    stay(uow, moved, basic)
    twice = subscribe(uow, customer)
    stay(uow, twice, pro)
    stay(uow, twice, pro)

    withdrawn_basic = small_book(DEARER, LATER, ("code: basic", "code: starter"))
    changes = plan_price_book(uow, withdrawn_basic, now=NOW)

    kept = {change.plan: change.grandfathered for change in changes.plans}
    assert kept == {"pro": ((1, 3),), "starter": (), "basic": ((1, 1),)}
