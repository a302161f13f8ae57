"""What a batch of a bill run holds on its way through the stages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from uuid import UUID

from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.model import Billed, Draft, Line, Owed
from tenor.invoicing.rules.dues import Due, newest_due_at
from tenor.invoicing.rules.owed import PriceMemory, Rating, UsageKey
from tenor.kernel.ids import PlanVersionId, SubscriptionId
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import BillingPosition, Item, Subscription


@dataclass(slots=True)
class ItemWork:
    """One item on its way through the stages."""

    item: Item
    position: BillingPosition
    plan: PlanVersion
    dues: list[Due] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Work:
    """One subscription on its way through the stages. `parked` says why it had to be left for a person."""

    subscription: Subscription
    tax_percent: Decimal
    zone: tzinfo
    policy: Policy
    items: list[ItemWork]
    drafts: list[Draft] = field(default_factory=list)
    parked: str | None = None

    @property
    def settled_through(self) -> datetime | None:
        """How far any item of it is settled: what fell due before is a correction, also of an item that is new."""
        settled = [item.position.settled_through for item in self.items if item.position.settled_through is not None]
        return max(settled, default=None)

    def newest_due_at(self, through: datetime) -> datetime:
        """Return the instant of the newest document, which carries what corrects earlier ones.

        Newest of all items: what a change of plan gives back of one stands beside what it charges for the next.
        """
        every = (due for item in self.items for due in item.dues)
        return newest_due_at(every, through=through, settled_through=self.settled_through)

    @property
    def lines(self) -> list[Line]:
        """The lines of all items."""
        return [line for item in self.items for line in item.lines]


@dataclass(slots=True)
class Memory:
    """What one worker keeps from batch to batch, also when one is rolled back: plan versions and worked-out prices."""

    plans: dict[PlanVersionId, PlanVersion] = field(default_factory=dict)
    prices: dict[tuple[str, str], PriceMemory] = field(default_factory=dict)

    def prices_of(self, policy: Policy, currency: str) -> PriceMemory:
        """Return the prices worked out so far under a policy in a currency."""
        key = (policy.name, currency)
        if key not in self.prices:
            self.prices[key] = PriceMemory(policy, currency=currency)
        return self.prices[key]


@dataclass(slots=True)
class Batch:
    """One batch: its run, its number, the subscriptions it is about, and their work."""

    run: PlannedRun
    number: int
    memory: Memory
    subscription_ids: list[SubscriptionId] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    usage: dict[UsageKey, Usage] = field(default_factory=dict)
    billed: dict[UUID, list[Billed]] = field(default_factory=dict)
    credit_before_minor: dict[tuple[UUID, str], int] = field(default_factory=dict)
    credit_moved_minor: dict[tuple[UUID, str], int] = field(default_factory=dict)

    @property
    def drafts(self) -> list[Draft]:
        """Every document of the batch, in the order in which numbers are taken."""
        return [draft for work in self.works for draft in work.drafts]

    def each(self) -> Iterator[Work]:
        """Yield the works that are not parked."""
        return (work for work in self.works if work.parked is None)
