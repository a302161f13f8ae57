"""Subscribing: many at once, everything that is wrong at once, and the same again without a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tenor.kernel.ids import CustomerId, PlanVersionId, TenantId
from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    NewSubscription,
    Status,
    Subscribed,
    SubscriptionsRefused,
    journals,
    load_items,
    subscribe,
    timeline_drift,
)

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
UNKNOWN_CUSTOMER = CustomerId(UUID(int=404))
TABLES = (
    "subscriptions",
    "subscription_moves",
    "subscription_changes",
    "subscription_items",
    "phases",
    "billing_positions",
    "outbox_events",
    "audit_records",
)

pytestmark = pytest.mark.usefixtures("plans")


def request(customer: CustomerId, **fields: Any) -> NewSubscription:
    given: dict[str, Any] = {"external_id": "s", "customer_id": customer, "plan": "basic", "starts_at": MAY} | fields
    return NewSubscription(**given)


def run(uow: UnitOfWork, *requests: NewSubscription, now: datetime = NOW) -> list[Any]:
    return subscribe(uow, requests, now=now, actor="ada", reason="asked by phone")


def row_counts(uow: UnitOfWork) -> dict[str, int]:
    return {table: uow.fetch_all(f"select count(*) from {table}")[0][0] for table in TABLES}


def refused_fields(uow: UnitOfWork, *requests: NewSubscription) -> list[tuple[int, str]]:
    """The place and field of each problem; the call must leave nothing behind."""
    before = row_counts(uow)
    with pytest.raises(SubscriptionsRefused) as refusal:
        run(uow, *requests)
    assert row_counts(uow) == before
    assert refusal.value.code == "subscriptions_refused"
    return [(problem.position, problem.field) for problem in refusal.value.problems]


@contextmanager
def counted_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect every statement that is sent, COPY included."""
    sent: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("execute", "executemany", "copy"):
            original = getattr(psycopg.Cursor, name)

            def counting(self: Any, query: Any, *args: Any, original: Any = original, **kwargs: Any) -> Any:
                sent.append(str(query)[:60])
                return original(self, query, *args, **kwargs)

            patch.setattr(psycopg.Cursor, name, counting)
        yield sent


def test_a_start_in_the_past_is_active_with_one_open_phase(uow: UnitOfWork, customer: CustomerId) -> None:
    (subscription_id,) = run(uow, request(customer, quantities={"seats": Decimal(4)}, discount_percent=Decimal("12.5")))

    (standing,) = load_items(uow, [subscription_id])
    subscription, (item,), (position,) = standing.subscription, standing.items, standing.positions
    assert (subscription.status, subscription.version, subscription.currency) == (Status.ACTIVE, 1, "EUR")
    assert (subscription.timezone, subscription.profile) == ("Europe/Berlin", "tenor")  # the customer's, the tenant's
    assert (item.anchor_at, item.discount_percent) == (MAY, Decimal("12.5"))
    (phase,) = item.phases
    assert phase[:4] == (MAY, None, True, ({"seats": Decimal(4)}, {}))
    assert (position.settled_through, position.revisit_from) == (None, None)
    assert uow.fetch_all("select item_id, next_due_at from billing_positions") == [(item.id, MAY)]


def test_the_journal_moves_event_and_audit_record_are_written_with_it(uow: UnitOfWork, customer: CustomerId) -> None:
    (subscription_id,) = run(uow, request(customer))

    (change,) = journals(uow, [subscription_id])[subscription_id]
    assert isinstance(change.facts, Subscribed)
    assert (change.version, change.effective_at, change.recorded_at) == (1, MAY, NOW)
    assert (change.actor, change.reason) == ("ada", "asked by phone")
    assert change.facts.terms.quantities == {"seats": Decimal(1)}  # the plan's default
    assert uow.fetch_all("select move_no, from_status, to_status, trigger, effective_at from subscription_moves") == [
        (1, "created", "active", "started", MAY)
    ]
    assert uow.fetch_all(
        "select type, object_id, payload->>'status' from outbox_events where type like 'subscription.%'"
    ) == [("subscription.subscribed", subscription_id, "active")]
    assert uow.fetch_all(
        "select actor, action, object_id, reason from audit_records where object_type = 'subscription'"
    ) == [("ada", "subscription.subscribed", subscription_id, "asked by phone")]


def test_a_start_ahead_waits(uow: UnitOfWork, customer: CustomerId) -> None:
    start = NOW + timedelta(days=3)
    (subscription_id,) = run(uow, request(customer, starts_at=start))

    assert load_items(uow, [subscription_id])[0].subscription.status is Status.CREATED
    assert uow.fetch_all("select next_move_at from subscriptions") == [(start,)]
    assert uow.fetch_all("select * from subscription_moves") == []


def test_the_plans_trial_ends_at_the_same_local_time_and_anchors_the_grid(
    uow: UnitOfWork, customer: CustomerId
) -> None:
    # Berlin puts its clock forward on 29 March 2026: 14 civil days from 20 March 09:00 CET end 3 April 09:00 CEST.
    start, end = datetime(2026, 3, 20, 8, tzinfo=UTC), datetime(2026, 4, 3, 7, tzinfo=UTC)
    (subscription_id,) = run(uow, request(customer, plan="tried", starts_at=start))

    (standing,) = load_items(uow, [subscription_id])
    subscription, (item,) = standing.subscription, standing.items
    assert (subscription.trial_ends_at, item.anchor_at) == (end, end)
    assert [(phase.starts_at, phase.ends_at, phase.is_billable) for phase in item.phases] == [
        (start, end, False),
        (end, None, True),
    ]
    assert uow.fetch_all("select to_status, effective_at from subscription_moves order by move_no") == [
        ("trialing", start),
        ("active", end),
    ]


def test_a_trial_may_be_shorter_lapse_or_be_left_out(uow: UnitOfWork, customer: CustomerId) -> None:
    start = NOW - timedelta(days=3)
    lapsed, trying, without = run(
        uow,
        request(customer, external_id="a", plan="tried", starts_at=start, trial_days=2, trial_converts=False),
        request(customer, external_id="b", plan="tried", starts_at=start, trial_days=5),
        request(customer, external_id="c", plan="tried", starts_at=start, trial_days=0),
    )

    standings = {standing.subscription.id: standing for standing in load_items(uow, [lapsed, trying, without])}
    assert [standings[one].subscription.status for one in (lapsed, trying, without)] == [
        Status.EXPIRED,
        Status.TRIALING,
        Status.ACTIVE,
    ]
    assert [phase.is_billable for phase in standings[lapsed].items[0].phases] == [False]
    assert standings[lapsed].items[0].ends_at == start + timedelta(days=2)
    assert [phase.is_billable for phase in standings[trying].items[0].phases] == [False, True]
    assert [phase.is_billable for phase in standings[without].items[0].phases] == [True]


def test_an_anchor_an_end_and_prices_of_its_own_are_kept(uow: UnitOfWork, customer: CustomerId) -> None:
    anchor, end = MAY + timedelta(days=14), MAY + timedelta(days=400)
    wanted = request(customer, anchor_at=anchor, ends_at=end, prices={"base": Decimal("8.25"), "seats": Decimal(0)})
    (subscription_id,) = run(uow, wanted)

    (standing,) = load_items(uow, [subscription_id])
    subscription, (item,) = standing.subscription, standing.items
    assert (item.anchor_at, item.ends_at, subscription.ends_at) == (anchor, end, end)
    assert not subscription.cancels_at_end
    assert item.phases[0].terms.prices == {"base": Decimal("8.25"), "seats": Decimal(0)}


def test_ids_come_in_the_order_of_the_requests_and_what_is_written_folds(uow: UnitOfWork, customer: CustomerId) -> None:
    ids = run(uow, *(request(customer, external_id=f"s{number}") for number in range(150)))

    stored: dict[str, Any] = dict(uow.fetch_all("select external_id, id from subscriptions"))
    assert ids == [stored[f"s{number}"] for number in range(150)]
    assert timeline_drift(uow, ids) == []


def test_the_same_request_again_is_answered_without_writing(uow: UnitOfWork, customer: CustomerId) -> None:
    first = request(customer, quantities={"seats": Decimal(5)})
    (subscription_id,) = run(uow, first)
    before = row_counts(uow)

    same = replace(
        first,
        starts_at=MAY.astimezone(timezone(timedelta(hours=2))),  # the same instant, read off another clock
        quantities={"seats": Decimal("5.0")},
    )
    assert run(uow, same, now=NOW + timedelta(days=1)) == [subscription_id]
    assert row_counts(uow) == before


def test_an_external_id_with_other_content_is_refused(uow: UnitOfWork, customer: CustomerId) -> None:
    first = request(customer, quantities={"seats": Decimal(5)})
    run(uow, first)

    for difference in (
        {"quantities": {"seats": Decimal(6)}},
        {"prices": {"seats": Decimal(5)}},
        {"plan": "flat"},
        {"starts_at": MAY + timedelta(seconds=1)},
        {"trial_days": 7},
        {"timezone": "UTC"},
        {"profile": "tenor"},
        {"anchor_at": MAY},
        {"ends_at": NOW},
        {"discount_percent": Decimal(1)},
    ):
        other = replace(first, **difference)
        assert refused_fields(uow, other) == [(0, "external_id")], difference


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"plan": "no-such-plan"}, "plan"),
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 201}, "external_id"),
    ({"external_id": "a\0b"}, "external_id"),
    ({"external_id": "a\ud800"}, "external_id"),  # half a character
    ({"plan": "a\0b"}, "plan"),
    ({"customer_id": UNKNOWN_CUSTOMER}, "customer_id"),
    ({"quantities": {"chairs": Decimal(1)}}, "quantities.chairs"),
    ({"quantities": {"base": Decimal(1)}}, "quantities.base"),  # a recurring charge has no units
    ({"quantities": {"seats": Decimal(-1)}}, "quantities.seats"),
    ({"quantities": {"seats": Decimal("NaN")}}, "quantities.seats"),
    ({"quantities": {"seats": 1.5}}, "quantities.seats"),  # a float is not exact
    ({"plan": "team"}, "quantities.seats"),  # no default: they must be said
    ({"prices": {"chairs": Decimal(1)}}, "prices.chairs"),
    ({"prices": {"base": Decimal(-1)}}, "prices.base"),
    (
        {"plan": "team", "quantities": {"seats": Decimal(1)}, "prices": {"calls": Decimal(1)}},
        "prices.calls",  # usage is priced by the plan alone
    ),
    ({"timezone": "Europe/Atlantis"}, "timezone"),
    ({"profile": "abacus"}, "profile"),
    ({"starts_at": datetime(2026, 5, 1)}, "starts_at"),  # noqa: DTZ001 - the zone is what is missing
    ({"ends_at": datetime(2026, 6, 1)}, "ends_at"),  # noqa: DTZ001 - as above
    ({"anchor_at": datetime(2026, 6, 1)}, "anchor_at"),  # noqa: DTZ001 - as above
    ({"ends_at": MAY}, "ends_at"),
    ({"trial_days": 14, "ends_at": MAY + timedelta(days=14)}, "ends_at"),
    ({"trial_days": -1}, "trial_days"),
    ({"trial_days": 100_000}, "trial_days"),
    ({"trial_converts": False}, "trial_converts"),
    ({"discount_percent": Decimal(101)}, "discount_percent"),
    ({"discount_percent": Decimal("-0.1")}, "discount_percent"),
    ({"discount_percent": Decimal("0.0000001")}, "discount_percent"),
]


def test_each_wrong_request_is_refused_at_its_field(uow: UnitOfWork, customer: CustomerId) -> None:
    found = [(fields, refused_fields(uow, request(customer, **fields))) for fields, _ in WRONG]

    assert found == [(fields, [(0, field)]) for fields, field in WRONG]


def test_every_problem_of_every_request_is_reported_at_once_and_nothing_is_written(
    uow: UnitOfWork, customer: CustomerId
) -> None:
    good = request(customer)
    bad = request(
        UNKNOWN_CUSTOMER,
        external_id="bad",
        starts_at=datetime(2026, 5, 1),  # noqa: DTZ001 - the zone is what is missing
        quantities={"seats": Decimal(-1), "chairs": Decimal(1)},
        prices={"nothing": Decimal(1)},
        timezone="nowhere",
        discount_percent=Decimal(200),
    )

    assert refused_fields(uow, good, bad, replace(good, plan="none")) == [
        (1, "customer_id"),
        (1, "discount_percent"),
        (1, "prices.nothing"),
        (1, "quantities.chairs"),
        (1, "quantities.seats"),
        (1, "starts_at"),
        (1, "timezone"),
        (2, "external_id"),  # that of request 0
        (2, "plan"),
    ]


def test_the_message_names_the_place(uow: UnitOfWork, customer: CustomerId) -> None:
    with pytest.raises(SubscriptionsRefused, match=r"\[1\] 'b' quantities\.seats: quantity: -3 is negative"):
        run(
            uow,
            request(customer, external_id="a"),
            request(customer, external_id="b", quantities={"seats": Decimal(-3)}),
        )


@pytest.mark.parametrize("plan", ["basic", "tried"])
def test_the_number_of_statements_does_not_depend_on_how_many_subscribe(
    uow: UnitOfWork, customer: CustomerId, monkeypatch: pytest.MonkeyPatch, plan: str
) -> None:
    def statements(prefix: str, count: int) -> int:
        requests = [request(customer, external_id=f"{prefix}{number}", plan=plan) for number in range(count)]
        with counted_statements(monkeypatch) as sent:
            run(uow, *requests)
        return len(sent)

    assert statements("a", 1_000) == statements("b", 200)
    assert statements("c", 1_000) < 40


def test_another_tenants_plans_and_customers_are_not_there(
    database: Database, tenant: TenantId, customer: CustomerId, plans: dict[str, PlanVersionId]
) -> None:
    other = create_tenant(database, slug="other", name="Other")

    with database.transaction(other) as uow:
        assert refused_fields(uow, request(customer)) == [(0, "customer_id"), (0, "plan")]
