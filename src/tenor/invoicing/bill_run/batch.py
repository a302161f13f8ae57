"""What a batch of a bill run holds on its way through the stages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from types import TracebackType
from uuid import UUID

from tenor.invoicing.adjustments import Adjustment
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.billing_settings import BillingSettings
from tenor.invoicing.issue import CreditAccount
from tenor.invoicing.model import Billed, Draft, Key, Line, Owed, Slot
from tenor.invoicing.rules.discounting import Looked
from tenor.invoicing.rules.documents import Occasion
from tenor.invoicing.rules.dues import Due, Look, newest_due_at
from tenor.invoicing.rules.owed import UsageKey
from tenor.invoicing.rules.price_memory import PriceMemory
from tenor.invoicing.rules.ratings import Rating
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import ChargeId, ItemId, PlanVersionId, SubscriptionId
from tenor.pricing import UsageThresholds
from tenor.pricing.model import ChargeKind, PlanVersion
from tenor.pricing.policy import Policy
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import BillingPosition, Item, Subscription
from tenor.subscriptions.model import AppliedDiscount
from tenor.taxes.model import RatesOfCustomer


@dataclass(slots=True)
class ItemWork:
    """One item on its way through the stages. `held` is the usage that was looked at too early to be billed."""

    item: Item
    position: BillingPosition
    plan: PlanVersion
    look: Look
    dues: list[Due] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    held: frozenset[Slot] = frozenset()

    def kind_of(self, key: Key) -> ChargeKind:
        """Return the kind of the charge that a key of the item is of."""
        return next(charge.kind for charge in self.plan.charges if charge.id == key.charge_id)

    @property
    def looked(self) -> Looked:
        """What the rules of a whole subscription take of it."""
        return Looked(self.item, self.plan, self.look)


@dataclass(slots=True)
class Work:
    """One subscription on its way through the stages. `parked` says why it had to be left for a person.

    `through` is the instant through which it is settled: that of the run, less the days its drafts stay open.
    `reached_minor` is the usage threshold that has been reached, in minor units.
    """

    subscription: Subscription
    discounts: tuple[AppliedDiscount, ...]
    settings: BillingSettings
    rates: RatesOfCustomer
    zone: tzinfo
    policy: Policy
    through: datetime
    items: list[ItemWork]
    parked: str | None = None
    thresholds: UsageThresholds | None = None
    reached_minor: int | None = None

    @property
    def settled_through(self) -> datetime | None:
        """How far any item of it is settled: what fell due before is a correction, also of an item that is new."""
        settled = [item.position.settled_through for item in self.items if item.position.settled_through is not None]
        return max(settled, default=None)

    @property
    def newest_due_at(self) -> datetime:
        """The instant of the newest document, which carries what corrects earlier ones.

        Newest of all items: what a change of plan gives back of one stands beside what it charges for the next.
        """
        every = (due for item in self.items for due in item.dues)
        return newest_due_at(every, through=self.through, settled_through=self.settled_through)

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
    """One batch: the occasion, the subscriptions it is about, their work, and the documents that come of it.

    Documents stand in the order in which numbers are taken. `number` counts the batches of a `run`; without a run
    the batch stands alone, and `subscription_ids` says what it is about. Without `with_grace` it looks at drafts that
    are still open as if they were not.
    """

    occasion: Occasion
    memory: Memory
    run: PlannedRun | None = None
    number: int = 0
    with_grace: bool = True
    subscription_ids: list[SubscriptionId] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    usage: dict[UsageKey, Usage] = field(default_factory=dict)
    billed: dict[UUID, list[Billed]] = field(default_factory=dict)
    waiting: Mapping[SubscriptionId, Sequence[Adjustment]] = field(default_factory=dict)
    waived: Mapping[Key, int] = field(default_factory=dict)
    usage_billed: Mapping[SubscriptionId, int] = field(default_factory=dict)
    begun: Mapping[tuple[ItemId, ChargeId], datetime] | None = None
    drafts: list[Draft] = field(default_factory=list)
    credit_before_minor: dict[CreditAccount, int] = field(default_factory=dict)
    credit_moved_minor: dict[CreditAccount, int] = field(default_factory=dict)

    def each(self) -> Iterator[Work]:
        """Yield the works that are not parked."""
        return (work for work in self.works if work.parked is None)


class Parking:
    """Parks what a rule refuses instead of stopping the run; a person must look at it."""

    __slots__ = ("_works",)

    def __init__(self, *works: Work) -> None:
        self._works = works

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Refusal):
            return False
        for work in self._works:
            work.parked = f"{error.code}: {error.message}"
        return True
