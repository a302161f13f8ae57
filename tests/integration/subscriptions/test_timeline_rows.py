"""Rows of timelines: what any change of any kind puts in force, what it makes due, and what the calendar prolongs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import CustomerId, DiscountId, ItemId, PlanVersionId, SubscriptionId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.discounts.model import Discount
from tenor.subscriptions import (
    NewSubscription,
    Settled,
    Standing,
    Status,
    advance,
    due_batches,
    due_subscriptions,
    journals,
    load_items,
    save_positions,
    scheduled,
    subscribe,
    timeline_drift,
)
from tenor.subscriptions.changing import open_for_change, record_changes
from tenor.subscriptions.model import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    AppliedDiscount,
    Cancelled,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Paused,
    PhaseState,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Recording,
    Reopened,
    Resumed,
    TermChanged,
    Terms,
    TrialChanged,
    Undone,
)
from tests.integration.subscriptions.test_subscribe import counted_statements

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 10, tzinfo=UTC)
NEVER = datetime(2090, 1, 1, tzinfo=UTC)
TEN = Discount(id=DiscountId(UUID(int=10)), code="ten", name="Ten", percent_off=Decimal(10))
FIVE_EURO = Discount(
    id=DiscountId(UUID(int=5)), code="five", name="Five", amount_off=Decimal(5), currency="EUR", duration="once"
)

Plans = dict[str, PlanVersionId]

pytestmark = pytest.mark.usefixtures("plans")


def new(uow: UnitOfWork, customer: CustomerId, number: int = 1, **fields: Any) -> SubscriptionId:
    given: dict[str, Any] = {"plan": "basic", "starts_at": MAY} | fields
    request = NewSubscription(external_id=f"s{number}", customer_id=customer, **given)
    return subscribe(uow, [request], now=MAY, actor="ada", reason="")[0]


def change(uow: UnitOfWork, subscription_id: SubscriptionId, *entries: tuple[Facts, datetime]) -> Standing:
    """Record entries on top of whatever stands, on 10 June; return how the subscription then stands."""
    version = standing(uow, subscription_id).subscription.version
    opened = open_for_change(uow, subscription_id, version=version, now=NOW)
    record_changes(uow, opened, entries, Recording(NOW, "ada", "asked"))
    return standing(uow, subscription_id)


def standing(uow: UnitOfWork, subscription_id: SubscriptionId) -> Standing:
    return load_items(uow, [subscription_id])[0]


def settle(uow: UnitOfWork, subscription_id: SubscriptionId) -> None:
    """Have everything of a subscription settled, and nothing due."""
    items = standing(uow, subscription_id).items
    save_positions(uow, [Settled(subscription_id, item.id, NOW, NEVER) for item in items])


def news(uow: UnitOfWork, subscription_id: SubscriptionId) -> dict[ItemId, datetime]:
    rows = uow.fetch_all(
        "select item_id, revisit_from from billing_positions"
        " where subscription_id = %s and revisit_from is not null and next_due_at <= %s",
        [subscription_id, NOW],
    )
    return dict(rows)


def anything(random: Random, plans: Plans, items: Sequence[ItemId], versions: int) -> Facts:
    """Facts of any kind about any of these items."""
    item, other = random.choice(items), ItemId(UUID(int=random.getrandbits(128)))
    at = MAY + timedelta(days=random.randint(-10, 90))
    terms = Terms({"seats": Decimal(random.randint(0, 4))}, {})
    plan = plans[random.choice(["basic", "yearly"])]
    closing = random.choice(list(Closing))
    reopened = (Reopened(item, other, at, random.choice([None, at])),)
    facts: list[Facts] = [
        PlanChanged(other, plan, at, terms, closing, random.choice([None, item])),
        QuantityChanged(terms.quantities, random.choice([None, item])),
        PricesChanged({"base": random.choice([None, Decimal(7)])}, random.choice([None, item])),
        AddOnAdded(other, plan, at, terms),
        AddOnRemoved(item, closing),
        Paused(closing),
        Resumed(random.choice([(), reopened])),
        TrialChanged(at, random.choice([(), reopened])),
        AnchorMoved(reopened),
        TermChanged(random.choice([None, at])),
        DiscountApplied(random.choice([TEN, FIVE_EURO])),
        DiscountRemoved(random.choice([TEN, FIVE_EURO]).id),
        Undone(random.randint(2, max(2, versions))),
    ]
    return random.choice(facts)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_changes_the_rows_in_force_are_what_the_journal_folds_to(
    uow: UnitOfWork, customer: CustomerId, plans: Plans, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a repeatable story, not a secret
    ids = [
        new(uow, customer, number, plan=random.choice(["basic", "tried"]), ends_at=random.choice([None, NEVER]))
        for number in range(3)
    ]

    for _ in range(20):
        for one in ids:
            known = standing(uow, one)
            items = [item.id for item in known.items]
            facts = anything(random, plans, items, known.subscription.version)
            entries = [(facts, MAY + timedelta(days=random.randint(-5, 90)))] * random.choice([1, 1, 2])
            entries = entries if isinstance(facts, QuantityChanged | PricesChanged) else entries[:1]
            change(uow, one, *entries)

    assert timeline_drift(uow, ids) == []
    assert uow.fetch_all("select count(*) from subscription_items") == uow.fetch_all(
        "select count(*) from billing_positions"
    )
    # The history of phases and discounts holds one state for each version that changed them.
    assert uow.fetch_all("select count(*) from phases where superseded_by_version <= written_by_version") == [(0,)]


def test_a_pause_an_add_on_and_a_discount_stand_in_rows(uow: UnitOfWork, customer: CustomerId, plans: Plans) -> None:
    subscription_id = new(uow, customer)
    add_on = ItemId(UUID(int=77))
    terms = Terms({"seats": Decimal(2)}, {})

    found = change(
        uow,
        subscription_id,
        (AddOnAdded(add_on, plans["basic"], MAY, terms), JUNE),
        (DiscountApplied(TEN), JUNE),
        (DiscountApplied(FIVE_EURO), NOW),
        (Paused(Closing.WHOLE), NOW),
        (Resumed(), NOW + timedelta(days=5)),
    )

    assert found.subscription.version == 6
    assert found.subscription.status is Status.PAUSED
    assert found.discounts == (AppliedDiscount(TEN, JUNE, None), AppliedDiscount(FIVE_EURO, NOW, None))
    plan, beside = found.items
    assert (plan.is_add_on, beside.is_add_on, beside.id) == (False, True, add_on)
    until = NOW + timedelta(days=5)
    for item in found.items:
        assert [(phase.ends_at, phase.is_billable, phase.state, phase.closing) for phase in item.phases] == [
            (NOW, True, PhaseState.ACTIVE, Closing.WHOLE),
            (until, False, PhaseState.PAUSED, Closing.PRORATED),
            (None, True, PhaseState.ACTIVE, Closing.PRORATED),
        ]

    removed = change(uow, subscription_id, (DiscountRemoved(TEN.id), NOW))
    assert removed.discounts == (AppliedDiscount(TEN, JUNE, NOW), AppliedDiscount(FIVE_EURO, NOW, None))
    assert uow.fetch_all("select count(*), count(superseded_by_version) from subscription_discounts") == [(4, 2)]


@pytest.mark.parametrize(
    "planted",
    [
        "update subscription_discounts set removed_at = applied_at + interval '1 day'",
        "update subscription_discounts set superseded_by_version = 9",
        """update subscription_discounts set terms = jsonb_set(terms, '{percent_off}', '"11"')""",
    ],
)
def test_a_planted_difference_of_a_discount_is_found(uow: UnitOfWork, customer: CustomerId, planted: str) -> None:
    subscription_id = new(uow, customer)
    change(uow, subscription_id, (DiscountApplied(TEN), JUNE))
    uow.execute(planted)

    (drift,) = timeline_drift(uow, [subscription_id])

    assert (drift.object_id, drift.folded) == (TEN.id, AppliedDiscount(TEN, JUNE, None))
    assert drift.part.startswith("discount dis_")


def test_a_change_in_the_past_is_news_from_then_on_also_of_what_disappears(
    uow: UnitOfWork, customer: CustomerId, plans: Plans
) -> None:
    subscription_id = new(uow, customer)
    other, since = ItemId(UUID(int=77)), JUNE + timedelta(days=2)
    change(uow, subscription_id, (PlanChanged(other, plans["yearly"], JUNE, Terms({}, {})), JUNE))
    settle(uow, subscription_id)
    assert news(uow, subscription_id) == {}

    # A discount from 3 June touches the item that runs then, not the one that ended on 1 June.
    change(uow, subscription_id, (DiscountApplied(TEN), since))
    assert news(uow, subscription_id) == {other: since}

    # A cancellation as of 20 May takes back the later item altogether, and cuts the first.
    settle(uow, subscription_id)
    cancelled = datetime(2026, 5, 20, tzinfo=UTC)
    found = change(uow, subscription_id, (Cancelled(), cancelled))
    gone, first = found.items
    assert (gone.id, gone.phases, first.ends_at) == (other, (), cancelled)
    assert news(uow, subscription_id) == {first.id: cancelled, other: cancelled}


def test_what_comes_back_is_the_item_that_it_was(uow: UnitOfWork, customer: CustomerId, plans: Plans) -> None:
    subscription_id = new(uow, customer)
    other = ItemId(UUID(int=77))
    before = change(uow, subscription_id, (PlanChanged(other, plans["yearly"], JUNE, Terms({}, {})), JUNE))
    cancelled = NOW + timedelta(days=1)

    change(uow, subscription_id, (Cancelled(), cancelled))
    after = change(uow, subscription_id, (Undone(3), cancelled))

    assert after.items == before.items
    assert (after.subscription.status, after.subscription.ends_at) == (Status.ACTIVE, None)
    assert timeline_drift(uow, [subscription_id]) == []


def test_scheduled_changes_are_those_ahead_that_are_not_taken_back(uow: UnitOfWork, customer: CustomerId) -> None:
    subscription_id = new(uow, customer)
    later, latest = NOW + timedelta(days=1), NOW + timedelta(days=2)
    seats = QuantityChanged({"seats": Decimal(3)})
    change(uow, subscription_id, (Cancelled(), latest), (seats, later), (Paused(), later), (seats, NOW))

    change(uow, subscription_id, (Undone(4), later))

    journal = journals(uow, [subscription_id])[subscription_id]
    assert [(one.version, one.facts) for one in scheduled(journal, now=NOW)] == [(3, seats), (2, Cancelled())]
    assert [one.version for one in journal] == [1, 2, 3, 4, 5, 6]


def test_a_term_that_renews_itself_is_prolonged_when_it_ends(uow: UnitOfWork, customer: CustomerId) -> None:
    end = datetime(2026, 6, 5, tzinfo=UTC)
    # A term until 5 June, noticed five days before, renewed by a month in the zone of Berlin.
    subscription_id = new(
        uow, customer, ends_at=end, notice_days=5, renewal=Interval(Unit.MONTH), timezone="Europe/Berlin"
    )

    advance(uow, now=datetime(2026, 5, 31, tzinfo=UTC))
    assert standing(uow, subscription_id).subscription.status is Status.EXPIRING_SOON

    assert advance(uow, now=end) == {"renewed": 1}
    found = standing(uow, subscription_id)
    assert (found.subscription.status, found.subscription.version) == (Status.ACTIVE, 2)
    assert found.subscription.ends_at == found.items[0].ends_at == datetime(2026, 7, 5, tzinfo=UTC)
    assert found.subscription.next_move_at == datetime(2026, 6, 30, tzinfo=UTC)
    (_, entry) = journals(uow, [subscription_id])[subscription_id]
    assert (entry.facts, entry.effective_at, entry.actor) == (
        TermChanged(datetime(2026, 7, 5, tzinfo=UTC)),
        end,
        "calendar",
    )
    assert timeline_drift(uow, [subscription_id]) == []
    assert advance(uow, now=end) == {}

    # Three terms that nobody looked at are three entries; the notice of the last one stands.
    assert advance(uow, now=datetime(2026, 10, 1, tzinfo=UTC)) == {"end_noticed": 1}
    found = standing(uow, subscription_id)
    assert (found.subscription.version, found.subscription.ends_at) == (5, datetime(2026, 10, 5, tzinfo=UTC))


def test_a_cancellation_at_the_end_of_a_term_stops_its_renewal(uow: UnitOfWork, customer: CustomerId) -> None:
    end = NOW + timedelta(days=3)
    subscription_id = new(uow, customer, ends_at=end, renewal=Interval(Unit.MONTH))

    change(uow, subscription_id, (Cancelled(), end))
    advance(uow, now=end + timedelta(days=50))

    found = standing(uow, subscription_id).subscription
    assert (found.status, found.ends_at, found.version) == (Status.CANCELLED, end, 2)


def test_the_calendar_takes_the_same_statements_for_many_as_for_few(
    uow: UnitOfWork, customer: CustomerId, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, renewal = datetime(2026, 6, 5, tzinfo=UTC), Interval(Unit.MONTH)
    for number in range(2):
        new(uow, customer, number, ends_at=end, renewal=renewal)
    with counted_statements(monkeypatch) as few:
        advance(uow, now=end)
    for number in range(2, 12):
        new(uow, customer, number, ends_at=end, renewal=renewal)
    with counted_statements(monkeypatch) as many:
        advance(uow, now=end)

    assert len(many) == len(few)


def test_a_group_is_never_cut_by_a_batch(uow: UnitOfWork, customer: CustomerId) -> None:
    ids = sorted(new(uow, customer, number) for number in range(6))
    group = UUID(int=1)  # before all others
    uow.execute("update billing_positions set group_id = %s where subscription_id = any(%s)", [group, ids[3:]])

    batches = due_batches(uow, NOW, size=2)

    # The group of three fills the first batch; two and one are left.
    assert [(batch.first, batch.last, batch.subscription_count) for batch in batches] == [
        (group, group, 3),
        (ids[0], ids[0], 1),
        (ids[1], ids[2], 2),
    ]
    taken = [due_subscriptions(uow, NOW, first=batch.first, last=batch.last) for batch in batches]
    assert taken == [ids[3:], ids[:1], ids[1:3]]


def test_a_new_item_is_billed_in_the_group_of_its_subscription(
    uow: UnitOfWork, customer: CustomerId, plans: Plans
) -> None:
    subscription_id = new(uow, customer)
    group = UUID(int=1)
    uow.execute("update billing_positions set group_id = %s", [group])

    change(uow, subscription_id, (AddOnAdded(ItemId(UUID(int=77)), plans["basic"], MAY, Terms({}, {})), JUNE))

    assert uow.fetch_all("select distinct group_id from billing_positions") == [(group,)]
