"""A bill run without a database: one customer's tables as lists, which refuse what the tables refuse.

The pure stages of the bill run do the work, so that what holds here holds for what they make.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Final, NamedTuple, cast
from uuid import UUID

from tenor.invoicing.bill_run import rows, stages
from tenor.invoicing.bill_run.batch import Batch, ItemWork, Memory, Work
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.model import Billed, Draft, Key, Line, Owed
from tenor.invoicing.rules.dues import Due, Look, dues, next_due_at, with_corrections_due
from tenor.invoicing.rules.owed import UsageKey, owed
from tenor.invoicing.usage import served_span
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import BillRunId, ChargeId, CustomerId, ItemId, SubscriptionId
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import (
    BillingPosition,
    Change,
    Facts,
    Item,
    PlanChanged,
    Status,
    Subscribed,
    Subscription,
)
from tenor.subscriptions.rules.timeline import fold
from tests.support.invoicing import looked_at

NO_DATABASE: Final = cast(UnitOfWork, None)


class Used(NamedTuple):
    """One usage event."""

    at: datetime
    size: str
    units: Decimal


class Claimed(NamedTuple):
    """A service period that has been settled, at zero or not."""

    item_id: ItemId
    charge_id: ChargeId
    period: Period


class Books:
    """A subscription with its journal, usage, positions, claims and documents: the tables of one customer."""

    def __init__(
        self,
        plans: Sequence[PlanVersion],
        first: Subscribed,
        *,
        starts_at: datetime,
        profile_name: str = "tenor",
        zone: str = "UTC",
        tax_percent: int = 0,
    ) -> None:
        self.plans = {version.id: version for version in plans}
        self.tax_percent = Decimal(tax_percent)
        self.policy = profile(profile_name)
        self.zone = parse_zone(zone)
        self.subscription = subscription(starts_at=starts_at, profile_name=profile_name, zone=zone)
        self.journal: list[Change] = []
        self.used: list[Used] = []
        self.drafts: list[Draft] = []
        self.settlements: dict[Claimed, int] = {}
        self.positions: dict[ItemId, BillingPosition] = {}
        self.next_due: dict[ItemId, datetime | None] = {}
        self.run_numbers = count(1)
        self.record(starts_at, first, now=starts_at)

    @property
    def lines(self) -> list[Line]:
        """Every line that was ever issued."""
        return [entry.line for draft in self.drafts for entry in draft.lines]

    @property
    def items(self) -> list[Item]:
        """Every item that there ever was; without phases where a later change took it back."""
        kept = {item.id: item for item in fold(self.journal).items}
        opened = [change.facts for change in self.journal if isinstance(change.facts, Subscribed | PlanChanged)]
        return [
            kept.get(facts.item_id) or Item(facts.item_id, facts.plan_version_id, facts.anchor_at, Decimal(0), ())
            for facts in opened
            if facts.item_id in self.positions
        ]

    def record(self, effective_at: datetime, facts: Facts, *, now: datetime) -> None:
        """Write an entry of the journal, open positions for new items, and mark as news what it touches."""
        before = {item.id: item.phases for item in self.items} if self.journal else {}
        self.journal.append(Change(len(self.journal) + 1, effective_at, now, "test", "", facts))
        for item in fold(self.journal).items:
            if item.id not in self.positions:
                self.positions[item.id] = BillingPosition(item.id, None, None)
                self.next_due[item.id] = item.starts_at
        for item in self.items:
            if item.id in before and before[item.id] != item.phases:
                self._mark(item.id, effective_at, now=now)

    def use(self, used: Used, *, now: datetime) -> None:
        """Take in usage; where it comes late, mark it as news."""
        self.used.append(used)
        for item_id, position in self.positions.items():
            if position.settled_through is not None and position.settled_through > used.at:
                self._mark(item_id, used.at, now=now)

    def _mark(self, item_id: ItemId, since: datetime, *, now: datetime) -> None:
        position, due = self.positions[item_id], self.next_due[item_id]
        self.positions[item_id] = position._replace(revisit_from=min(position.revisit_from or since, since))
        self.next_due[item_id] = min(due or now, now)

    def metered(self, item_id: ItemId, looked_at: Sequence[Due]) -> dict[UsageKey, Usage]:
        """Return the usage that is known by now of each due, over its served span."""
        totals = {}
        for due in looked_at:
            served = served_span(due)
            if due.charge.metric is None or served is None:
                continue
            inside = [used for used in self.used if served.holds(used.at)]
            by_size: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
            for used in inside:
                by_size[used.size,] += used.units
            totals[item_id, due.charge.id, due.period] = Usage(
                units=sum((used.units for used in inside), Decimal(0)),
                by_dimension=by_size if due.charge.dimensions else {},
            )
        return totals

    def bill(self, as_of: datetime) -> list[Draft]:
        """Do what the bill run does for this subscription as of an instant; return the documents made."""
        if not any(due is not None and due <= as_of for due in self.next_due.values()):
            return []
        batch = self._loaded(as_of)
        for stage in (stages.rate, stages.discount, stages.commit, stages.settle_batch, stages.tax):
            stage(NO_DATABASE, batch)
        assert [work.parked for work in batch.works] == [None]
        self._claim(batch)
        self.drafts += batch.drafts
        for work in batch.works[0].items:
            item_id = work.item.id
            self.positions[item_id] = BillingPosition(item_id, as_of, None)
            self.next_due[item_id] = next_due_at(work.item, work.plan, self.zone, self.policy.calendar, after=as_of)
        return batch.drafts

    def _loaded(self, as_of: datetime) -> Batch:
        run = PlannedRun(BillRunId(UUID(int=next(self.run_numbers))), as_of, as_of, 1, 1, is_resumed=False)
        items = [ItemWork(item, self.positions[item.id], self.plans[item.plan_version_id]) for item in self.items]
        batch = Batch(run=run, number=1, memory=Memory())
        work = Work(self.subscription, self.tax_percent, self.zone, self.policy, items)
        batch.works = [work]
        for one in items:
            look = Look(as_of, one.position.settled_through, one.position.revisit_from)
            one.dues = dues(one.item, one.plan, look, self.zone, self.policy.calendar)
            batch.usage |= self.metered(one.item.id, one.dues)
        newest = work.newest_due_at(as_of)
        for one in items:
            one.dues = with_corrections_due(one.dues, newest)
        since = stages._settled_before(batch)
        batch.billed = {item_id: list(self._billed(ItemId(item_id), since[item_id])) for item_id in since}
        return batch

    def _billed(self, item_id: ItemId, since: datetime) -> Iterator[Billed]:
        """Yield what lines hold for the claimed periods of an item that end after `since`."""
        for claimed, settlements in self.settlements.items():
            if claimed.item_id != item_id or claimed.period.end <= since:
                continue
            sums: dict[str, int] = defaultdict(int)
            for line in self.lines:
                if (line.key.item_id, line.key.charge_id, line.key.period) == claimed:
                    sums[line.key.dimension] += line.amount_minor
            for dimension, amount_minor in (sums or {"": 0}).items():
                key = Key(item_id, claimed.charge_id, dimension, claimed.period)
                yield Billed(key, amount_minor, settlements, is_deferred=False, description="")

    def _claim(self, batch: Batch) -> None:
        """Write the claims, and refuse what the keys of their table refuse."""
        for item_id, charge_id, start, end, number, previous, follows, _, _ in rows.claim_rows(batch):
            claimed = Claimed(item_id, charge_id, Period(start, end))
            ends = [other.period.end for other in self.settlements if other[:2] == claimed[:2]]
            assert number == self.settlements.get(claimed, 0) + 1, "another settlement has this number"
            assert previous == (number - 1 or None)
            assert follows is None or follows in ends, "a gap in the chain of periods"
            assert follows is not None or number > 1 or not ends, "a second chain of periods"
            self.settlements[claimed] = number

    def used_by_key(self, through: datetime) -> dict[UsageKey, Usage]:
        """Return the usage that is known by now of every due of the whole life."""
        usage: dict[UsageKey, Usage] = {}
        for item in self.items:
            version = self.plans[item.plan_version_id]
            every = looked_at(item, version, through=through, zone=self.zone, policy=self.policy)
            usage |= self.metered(item.id, every)
        return usage

    def owed(self, through: datetime, usage: dict[UsageKey, Usage] | None = None) -> list[Owed]:
        """Return what the whole life owes, with nothing settled."""
        metered = self.used_by_key(through) if usage is None else usage
        return owed(fold(self.journal), self.plans, metered, self.policy, through=through, zone=self.zone)

    def billed_sums(self) -> dict[Key, int]:
        """Return what all lines so far sum to, key by key."""
        sums: dict[Key, int] = defaultdict(int)
        for line in self.lines:
            sums[line.key] += line.amount_minor
        return dict(sums)


def subscription(*, starts_at: datetime, profile_name: str, zone: str) -> Subscription:
    return Subscription(
        id=SubscriptionId(UUID(int=7)),
        customer_id=CustomerId(UUID(int=8)),
        external_id="sub",
        currency="USD",
        timezone=zone,
        profile=profile_name,
        status=Status.ACTIVE,
        version=1,
        starts_at=starts_at,
        trial_ends_at=None,
        trial_converts=True,
        ends_at=None,
    )
