"""A bill run without a database: one customer's tables as lists, which refuse what the tables refuse.

The pure stages of the bill run do the work, so that what holds here holds for what they make.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Final, NamedTuple, cast
from uuid import UUID

from tenor.invoicing.bill_run import document_groups, loading, rows, stages
from tenor.invoicing.bill_run.batch import Batch, ItemWork, Memory, Work
from tenor.invoicing.billing_settings import BillingSettings
from tenor.invoicing.model import AdjustmentKey, Billed, Draft, Key, Line, Owed, TaxedLine
from tenor.invoicing.rules.documents import Occasion, draft_documents
from tenor.invoicing.rules.dues import Due
from tenor.invoicing.rules.line_taxes import taxes_by_rate
from tenor.invoicing.rules.owed import UsageKey, owed
from tenor.invoicing.rules.running import served_span
from tenor.invoicing.rules.settle import less_waived
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import BillRunId, ChargeId, CustomerId, ItemId, SubscriptionId
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.charges import DimensionKey
from tenor.pricing.model import PlanVersion, TaxMode
from tenor.pricing.policy import profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import BillingPosition, Change, Facts, Item, Status, Subscribed, Subscription, Timeline
from tenor.subscriptions.rules.amendment import Amendment, Opened
from tenor.subscriptions.rules.timeline import fold, fold_with_life
from tenor.taxes.model import TaxedAmount
from tenor.taxes.rules.giving_back import held
from tests.support.invoicing import looked_at, taxed_at

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


class Issued(NamedTuple):
    """A line for a key, with the document that it stands on."""

    key: Key
    entry: TaxedLine
    draft: Draft

    @property
    def taxed(self) -> TaxedAmount:
        """The line as a later credit reads it."""
        taxes = taxes_by_rate(
            self.entry.taxes,
            self.entry.tax_minor,
            self.draft.tax_percent,
            prices_include_tax=self.draft.tax_mode is TaxMode.INCLUSIVE,
        )
        return TaxedAmount(self.entry.line.amount_minor, taxes)


class Books:
    """A subscription with its journal, usage, positions, claims and documents: the tables of one customer.

    `rates` are how the customer is taxed from now on.
    """

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
        self.rates = taxed_at(Decimal(tax_percent))
        self.policy = profile(profile_name)
        self.zone = parse_zone(zone)
        self.subscription = subscription(starts_at=starts_at, profile_name=profile_name, zone=zone)
        self.journal: list[Change] = []
        self.timeline = Timeline(())
        self.used: list[Used] = []
        self.drafts: list[Draft] = []
        self.issued: dict[Claimed, list[Issued]] = defaultdict(list)
        self.settlements: dict[Claimed, int] = {}
        self.waived: dict[Key, int] = defaultdict(int)
        self.opened: dict[ItemId, Item] = {}
        self.positions: dict[ItemId, BillingPosition] = {}
        self.next_due: dict[ItemId, datetime | None] = {}
        self.run_numbers = count(1)
        self.record(starts_at, first, now=starts_at)

    @property
    def lines(self) -> list[tuple[Key, Line]]:
        """Every line that was ever issued, with its key."""
        every = [entry.line for draft in self.drafts for entry in draft.lines]
        return [(line.key, line) for line in every if not isinstance(line.key, AdjustmentKey)]

    @property
    def items(self) -> list[Item]:
        """Every item that there ever was, in order of start; first those of which later changes took all time back."""
        in_force = {item.id for item in self.timeline.items}
        gone = [
            Item(id_, item.plan_version_id, item.anchor_at, item.discount_percent, (), is_add_on=item.is_add_on)
            for id_, item in self.opened.items()
            if id_ not in in_force
        ]
        return [*sorted(gone, key=lambda item: (item.anchor_at, item.id)), *self.timeline.items]

    def record(self, effective_at: datetime, facts: Facts, *, now: datetime) -> None:
        """Write an entry of the journal, open positions for new items, and mark as news what it touches."""
        self.record_together([(facts, effective_at)], now=now)

    def record_together(self, entries: Sequence[tuple[Facts, datetime]], *, now: datetime) -> None:
        """Write entries of one decision, each with its effective instant."""
        changes = tuple(
            Change(version, effective_at, now, "test", "", facts)
            for version, (facts, effective_at) in enumerate(entries, start=len(self.journal) + 1)
        )
        opened = Opened(self.subscription, (), tuple(self.journal), self.timeline, frozenset(self.positions))
        self.journal += changes
        self.timeline, life = fold_with_life(self.journal)
        self.subscription = replace(self.subscription, version=len(self.journal), **life._asdict())
        amendment = Amendment(opened, changes, self.subscription, (), self.timeline)
        for item in amendment.new_items:
            self.opened[item.id] = item
            self.positions[item.id] = BillingPosition(item.id, None, None)
            self.next_due[item.id] = item.starts_at
        for item_id, since in amendment.news.items():
            self._mark(item_id, since, now=now)

    def use(self, used: Used, *, now: datetime) -> None:
        """Take in usage; where it comes late, mark it as news."""
        self.used.append(used)
        for item_id, position in self.positions.items():
            if position.settled_through is not None and position.settled_through > used.at:
                self._mark(item_id, used.at, now=now)

    def waive(self, key: Key, amount_minor: int, *, now: datetime) -> Draft:
        """Give up so much of what was billed for a key, by a credit note that no bill run makes."""
        claimed = Claimed(key.item_id, key.charge_id, key.period)
        of_key = [one for one in self.issued[claimed] if one.key == key]
        taxed = held(one.taxed for one in of_key)
        line = of_key[0].entry.line._replace(amount_minor=-amount_minor, due_at=now, gives_back=taxed)
        party = document_groups.party_of(self._work(now))
        (draft,) = draft_documents([line], party, Occasion(now, now, mark=len(self.drafts).to_bytes(4)))
        self._issue([draft])
        self.settlements[claimed] += 1
        self.waived[key] += amount_minor
        return draft

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
            by_size: dict[DimensionKey, Decimal] = defaultdict(Decimal)
            for used in inside:
                by_size[used.size,] += used.units
            totals[item_id, due.charge.id, due.period] = Usage(
                units=sum((used.units for used in inside), Decimal(0)),
                by_dimension=by_size if due.charge.dimensions else {},
            )
        return totals

    def preview(self, as_of: datetime) -> list[Draft]:
        """Return the documents that a bill run as of an instant would make; change nothing."""
        return self._settled(as_of, as_of, BillRunId(UUID(int=0))).drafts

    def bill(self, as_of: datetime, *, through: datetime | None = None) -> list[Draft]:
        """Do what the bill run does for this subscription as of an instant; return the documents made.

        `through` is earlier where drafts stay open for a while.
        """
        if not any(due is not None and due <= as_of for due in self.next_due.values()):
            return []
        batch = self._settled(as_of, through or as_of, BillRunId(UUID(int=next(self.run_numbers))))
        self._claim(batch)
        self._issue(batch.drafts)
        for settled in rows.settled_positions(batch):
            self.positions[settled.item_id] = BillingPosition(settled.item_id, settled.settled_through, None)
            self.next_due[settled.item_id] = settled.next_due_at
        return batch.drafts

    def _settled(self, as_of: datetime, through: datetime, run_id: BillRunId) -> Batch:
        batch = self._loaded(as_of, through, run_id)
        for stage in (stages.rate, stages.discount, stages.commit, stages.settle_batch, stages.tax):
            stage(NO_DATABASE, batch)
        assert [work.parked for work in batch.works] == [None]
        return batch

    def _loaded(self, as_of: datetime, through: datetime, run_id: BillRunId) -> Batch:
        batch = Batch(Occasion(as_of, as_of, run_id), Memory())
        work = self._work(through)
        batch.works = [work]
        loading.find_dues(work)
        for one in work.items:
            batch.usage |= self.metered(one.item.id, one.dues)
        since = loading.settled_before(batch)
        batch.billed = {item_id: list(self._billed(ItemId(item_id), since[item_id])) for item_id in since}
        batch.waived = self.waived
        return batch

    def _work(self, through: datetime) -> Work:
        return Work(
            subscription=self.subscription,
            discounts=self.timeline.discounts,
            settings=BillingSettings(),
            rates=self.rates,
            zone=self.zone,
            policy=self.policy,
            through=through,
            items=[
                ItemWork(item, position, plan, look)
                for item in self.items
                for position in [self.positions[item.id]]
                for plan in [self.plans[item.plan_version_id]]
                for look in [loading.look_of(position, plan, through, as_of=through, has_thresholds=False)]
            ],
        )

    def _issue(self, drafts: Sequence[Draft]) -> None:
        self.drafts += drafts
        for draft in drafts:
            for entry in draft.lines:
                key = entry.line.key
                if not isinstance(key, AdjustmentKey):
                    claimed = Claimed(key.item_id, key.charge_id, key.period)
                    self.issued[claimed].append(Issued(key, entry, draft))

    def _billed(self, item_id: ItemId, since: datetime) -> Iterator[Billed]:
        """Yield what lines hold for the claimed periods of an item that end after `since`."""
        for claimed, settlements in self.settlements.items():
            if claimed.item_id != item_id or claimed.period.end <= since:
                continue
            by_dimension: dict[str, list[Issued]] = defaultdict(list)
            for one in self.issued[claimed]:
                by_dimension[one.key.dimension].append(one)
            for dimension, found in (by_dimension or {"": []}).items():
                yield Billed(
                    key=Key(item_id, claimed.charge_id, dimension, claimed.period),
                    amount_minor=sum(one.entry.line.amount_minor for one in found),
                    settlements=settlements,
                    is_deferred=any(one.entry.line.is_deferred for one in found),
                    description=min((one.entry.line.description for one in found), default=""),
                    taxed=held(one.taxed for one in found),
                )

    def _claim(self, batch: Batch) -> None:
        """Write the claims, and refuse what the keys of their table refuse."""
        for item_id, charge_id, start, end, number, previous, follows, *_ in rows.claim_rows(batch):
            claimed = Claimed(item_id, charge_id, Period(start, end))
            chain = [other.period for other in self.settlements if other[:2] == claimed[:2]]
            assert number == self.settlements.get(claimed, 0) + 1, "another settlement has this number"
            assert previous == (number - 1 or None)
            assert number > 1 or all(start != other.start and end != other.end for other in chain)
            assert follows is None or follows in [other.end for other in chain], "a gap in the chain of periods"
            assert follows is not None or number > 1 or not chain, "a second chain of periods"
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
        """Return what the whole life owes, with nothing settled, less what was waived."""
        metered = self.used_by_key(through) if usage is None else usage
        every = owed(fold(self.journal), self.plans, metered, self.policy, through=through, zone=self.zone)
        return less_waived(every, self.waived)

    def billed_sums(self) -> dict[Key, int]:
        """Return what all lines so far sum to, key by key."""
        sums: dict[Key, int] = defaultdict(int)
        for key, line in self.lines:
            sums[key] += line.amount_minor
        return dict(sums)

    def tax_sums(self) -> dict[Key, TaxedAmount]:
        """Return what all lines so far sum to, with their tax by rate, key by key."""
        sums: dict[Key, TaxedAmount] = {}
        for issued in self.issued.values():
            for one in issued:
                sums[one.key] = sums.get(one.key, TaxedAmount()).plus(one.taxed)
        return sums


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
