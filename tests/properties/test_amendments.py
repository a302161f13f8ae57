"""Laws of a subscription's life: changes at any instants, recorded while time passes, in any order."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import CustomerId, ItemId, SubscriptionId
from tenor.subscriptions.model import (
    Cancelled,
    Facts,
    PhaseState,
    QuantityChanged,
    Recording,
    Status,
    Subscribed,
    Subscription,
    Timeline,
    Undone,
)
from tenor.subscriptions.rules.amendment import Amendment, Opened, amend, caught_up, renewed
from tenor.subscriptions.rules.moves import Move
from tenor.subscriptions.rules.timeline import fold, item_at, phase_at
from tests.properties.test_timeline import change, changes, hour, hours, item_id, plan_id, terms, timeline_at

START, LAST = 5, 120
"""Hours: the start of every life, and one beyond which nothing is planned. Everything happens on the hour."""

AGREEING = {
    PhaseState.TRIAL: {Status.TRIALING, Status.ACTIVE, Status.EXPIRING_SOON},  # a trial can be extended after the fact
    PhaseState.ACTIVE: {Status.ACTIVE, Status.EXPIRING_SOON},
    PhaseState.PAUSED: {Status.PAUSED},
    None: {Status.EXPIRED, Status.CANCELLED},
}


def state_at(timeline: Timeline, instant: datetime) -> PhaseState | None:
    item = item_at(timeline, instant)
    phase = phase_at(item, instant) if item else None
    return phase.state if phase else None


class Lives(RuleBasedStateMachine):
    @initialize(
        trial=st.none() | st.integers(min_value=1, max_value=15),
        converts=st.booleans(),
        end=st.none() | st.integers(min_value=1, max_value=30),
        notice_days=st.integers(min_value=0, max_value=1),
        renewal=st.none() | st.integers(min_value=3, max_value=20).map(lambda count: Interval(Unit.HOUR, count)),
    )
    def subscribe(
        self, trial: int | None, converts: bool, end: int | None, notice_days: int, renewal: Interval | None
    ) -> None:
        trial_ends_at = None if trial is None else hour(START + trial)
        ends_at = None if end is None else hour(START + end)
        facts = Subscribed(item_id(1), plan_id(1), hour(START), terms(1), Decimal(0), trial_ends_at, converts, ends_at)
        subscription = Subscription(
            id=SubscriptionId(UUID(int=1)),
            customer_id=CustomerId(UUID(int=2)),
            external_id="acme",
            currency="EUR",
            timezone="UTC",
            profile="tenor",
            status=Status.CREATED,
            version=1,
            starts_at=hour(START),
            trial_ends_at=trial_ends_at,
            trial_converts=converts,
            ends_at=ends_at,
            notice_days=notice_days,
            renewal=renewal,
            next_move_at=hour(START),
        )
        journal = (change(1, hour(START), facts),)
        self.now = hour(0)
        self.item_rows: dict[ItemId, tuple[Any, ...]] = {}
        timeline = fold(journal)
        self.opened = Opened(subscription, (), journal, timeline, frozenset(item.id for item in timeline.items))
        self.check(())

    @rule(count=st.integers(min_value=1, max_value=6))
    def wait(self, count: int) -> None:
        self.now += timedelta(hours=count)
        renewal = renewed(self.opened, now=self.now)
        if renewal:
            self.check_news(renewal)
        opened = renewal.reopened() if renewal else self.opened
        at_once = caught_up(opened, now=self.now)
        step_by_step = opened
        for hours_passed in range(count + 1):
            then = self.now - timedelta(hours=count - hours_passed)
            after = caught_up(step_by_step, now=then)
            step_by_step = replace(after, moves=step_by_step.moves + after.moves)
        assert step_by_step == at_once
        self.opened = replace(at_once, moves=())
        self.check(at_once.moves)

    @precondition(lambda self: self.opened.subscription.status is not Status.CANCELLED)
    @rule(at=hours, data=st.data())
    def change(self, at: int, data: st.DataObject) -> None:
        opened = self.opened
        facts = data.draw(changes(opened.subscription.version + 1))
        if isinstance(facts, Undone) and self.has_ended_by(facts.version):
            return  # what has ended by a cancellation stays cancelled
        undone = (
            one.effective_at for one in opened.journal if isinstance(facts, Undone) and one.version == facts.version
        )
        entries: list[tuple[Facts, datetime]] = [(facts, next(undone, hour(at)))]
        if data.draw(st.booleans()):
            entries.append((QuantityChanged({"seats": Decimal(9)}), hour(data.draw(hours))))
        amendment = amend(opened, entries, Recording(self.now, "test", ""))
        self.check_news(amendment)
        self.opened = replace(amendment.reopened(), moves=())
        self.check(amendment.moves)

    def has_ended_by(self, version: int) -> bool:
        return any(
            entry.version == version and isinstance(entry.facts, Cancelled) and entry.effective_at <= self.now
            for entry in self.opened.journal
        )

    def check_news(self, amendment: Amendment) -> None:
        """Every former item of which anything is otherwise is news, from no later than that."""
        before, after = amendment.opened.timeline, amendment.timeline
        for instant in map(hour, range(LAST)):
            for agreed in timeline_at(before, instant) ^ timeline_at(after, instant):
                if agreed.item in amendment.opened.item_ids:
                    assert amendment.news[agreed.item] <= instant
                else:
                    assert agreed.item in {item.id for item in amendment.new_items}

    def check(self, moves: tuple[Move, ...]) -> None:
        subscription, timeline = self.opened.subscription, self.opened.timeline
        assert timeline == fold(self.opened.journal)
        assert subscription.version == len(self.opened.journal)
        if timeline.items and self.now < subscription.starts_at:
            assert subscription.status is Status.CREATED
        else:
            assert subscription.status in AGREEING[state_at(timeline, self.now)]
        for earlier, later in pairwise(moves):
            assert earlier.to_status is later.from_status
            assert earlier.effective_at <= later.effective_at
        assert all(move.effective_at <= self.now for move in moves)
        self.check_next_move()
        for item in timeline.items:
            row = (item.plan_version_id, item.anchor_at, item.discount_percent, item.is_add_on)
            assert self.item_rows.setdefault(item.id, row) == row  # its row is written once

    def check_next_move(self) -> None:
        """Nothing begins, stops or ends before the instant at which the calendar looks again."""
        subscription, timeline = self.opened.subscription, self.opened.timeline
        until = subscription.next_move_at or hour(LAST)
        assert until > self.now
        instant = self.now
        while instant < until:
            assert state_at(timeline, instant) == state_at(timeline, self.now)
            instant += timedelta(hours=1)


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
