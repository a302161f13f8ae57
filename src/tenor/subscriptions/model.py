"""Frozen values of a subscription: its timeline, and the changes that the timeline folds from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tenor.kernel.calendar import Interval
from tenor.kernel.ids import CustomerId, DiscountId, ItemId, PlanVersionId, SubscriptionId
from tenor.pricing.discounts.model import Discount


class Terms(NamedTuple):
    """What is agreed for one phase, by charge code: units of seats, and unit prices that overrule the plan's."""

    quantities: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]


class PhaseState(StrEnum):
    """What the customer has in a phase, whether or not it is paid for."""

    TRIAL = "trial"
    ACTIVE = "active"
    PAUSED = "paused"


class Closing(StrEnum):
    """What the end of service inside a period does to that period, where it was to be paid in advance."""

    PRORATED = "prorated"  # only the part that was served is owed: the rest is credited
    WHOLE = "whole"  # the period that was begun stays owed whole: nothing is credited
    FREE = "free"  # the period that was begun costs nothing: all of it is credited


class Phase(NamedTuple):
    """A stretch [starts_at, ends_at) of an item with unchanging terms; `ends_at` None is open.

    A trial and a pause are not billable, nor is time that has been paid for already. `closing` says what
    `ends_at` does to the period that it cuts, if no billable phase follows at once.
    """

    starts_at: datetime
    ends_at: datetime | None
    is_billable: bool
    terms: Terms
    state: PhaseState = PhaseState.ACTIVE
    closing: Closing = Closing.PRORATED


@dataclass(frozen=True, slots=True)
class Item:
    """One stay of a subscription on one plan version and one billing grid: contiguous phases.

    `anchor_at` is the instant from which the grid of billing periods counts. A change of plan, or of the
    grid, opens a new item. An add-on runs beside the plan and shares its pauses and its end.
    """

    id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    discount_percent: Decimal
    phases: tuple[Phase, ...]
    is_add_on: bool = False

    @property
    def starts_at(self) -> datetime:
        """When the stay begins."""
        return self.phases[0].starts_at

    @property
    def ends_at(self) -> datetime | None:
        """When the stay ends; None while no end is known."""
        return self.phases[-1].ends_at


class AppliedDiscount(NamedTuple):
    """A discount that holds from `applied_at` until `removed_at`, None: as long as its duration says."""

    discount: Discount
    applied_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The life of a subscription: its items in order of start, and the discounts in the order in which they came.

    The items of the plan follow each other without overlap; add-ons run beside them.
    """

    items: tuple[Item, ...]
    discounts: tuple[AppliedDiscount, ...] = ()


class ChangeKind(StrEnum):
    """The kinds of entry in the journal."""

    SUBSCRIBED = "subscribed"
    PLAN_CHANGED = "plan_changed"
    QUANTITY_CHANGED = "quantity_changed"
    PRICES_CHANGED = "prices_changed"
    ADD_ON_ADDED = "add_on_added"
    ADD_ON_REMOVED = "add_on_removed"
    PAUSED = "paused"
    RESUMED = "resumed"
    TRIAL_CHANGED = "trial_changed"
    ANCHOR_MOVED = "anchor_moved"
    TERM_CHANGED = "term_changed"
    CANCELLED = "cancelled"
    DISCOUNT_APPLIED = "discount_applied"
    DISCOUNT_REMOVED = "discount_removed"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The first entry: an item on a plan version, perhaps after a trial, perhaps with a known end.

    `transferred_from` is the subscription of another customer that this one continues.
    """

    item_id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    terms: Terms
    discount_percent: Decimal
    trial_ends_at: datetime | None
    trial_converts: bool
    ends_at: datetime | None
    transferred_from: SubscriptionId | None = None


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """From the effective instant a new item on another plan version replaces the one that runs.

    `replaces` names the add-on that is replaced; None: the plan itself. `closing` says what becomes of the
    period that the former plan had begun. `follows` makes it a step of a ramp, which may lie far ahead: it takes
    effect only if that plan version still runs by then, and the seats and the billing grid go on as they are then.
    """

    item_id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    terms: Terms
    closing: Closing = Closing.PRORATED
    replaces: ItemId | None = None
    follows: PlanVersionId | None = None


@dataclass(frozen=True, slots=True)
class QuantityChanged:
    """From the effective instant the named charges have these quantities; `item_id` None: of the plan."""

    quantities: Mapping[str, Decimal]
    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True)
class PricesChanged:
    """From the effective instant the named charges have these unit prices; `item_id` None: of the plan.

    The step of a ramp, or a price that was agreed anew. None gives a charge back the price of its plan version.
    """

    prices: Mapping[str, Decimal | None]
    item_id: ItemId | None = None


@dataclass(frozen=True, slots=True)
class AddOnAdded:
    """From the effective instant an item on another plan version runs beside the plan."""

    item_id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    terms: Terms


@dataclass(frozen=True, slots=True)
class AddOnRemoved:
    """At the effective instant an add-on ends."""

    item_id: ItemId
    closing: Closing = Closing.PRORATED


class BillingDate(StrEnum):
    """What resuming does to the billing dates."""

    KEEP = "keep"  # they stay: the rest of the running period is owed
    RESTART = "restart"  # they count anew from there
    SHIFT = "shift"  # they move by the length of the pause: what has been paid is served first


class Reopened(NamedTuple):
    """A running item that goes on as another one, `item_id`, because its grid counts from a new anchor.

    Plan version, terms and phases are kept. Until `billable_from` it is not billable: that time has been paid
    for; None: no such time.
    """

    replaces: ItemId
    item_id: ItemId
    anchor_at: datetime
    billable_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """From the effective instant nothing is served and nothing new is owed, until it is resumed.

    `billing_date`, and whether the pause `extends_term`, is what resuming does unless it says otherwise.
    """

    closing: Closing = Closing.PRORATED
    billing_date: BillingDate = BillingDate.KEEP
    extends_term: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    """From the effective instant service and billing go on; `reopened` where the billing date has moved."""

    reopened: tuple[Reopened, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialChanged:
    """The running trial ends at `trial_ends_at` instead; `reopened` where the billing date moves with it.

    The effective instant is that of the decision; a trial that ends at that instant converts at once.
    """

    trial_ends_at: datetime
    reopened: tuple[Reopened, ...] = ()


@dataclass(frozen=True, slots=True)
class AnchorMoved:
    """From the effective instant the billing grid counts from another anchor."""

    reopened: tuple[Reopened, ...]


@dataclass(frozen=True, slots=True)
class TermChanged:
    """The agreed term ends at `ends_at`, None: never; a renewal, an extension, or a shorter term.

    `pause_version` is the entry of the pause that moves the end by its length, if one does.
    """

    ends_at: datetime | None
    pause_version: int | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """At the effective instant service and billing end. `transferred_to` is the subscription that continues it."""

    closing: Closing = Closing.PRORATED
    transferred_to: SubscriptionId | None = None


@dataclass(frozen=True, slots=True)
class DiscountApplied:
    """From the effective instant the discount, as its coupon stood then, lowers what is owed."""

    discount: Discount


@dataclass(frozen=True, slots=True)
class DiscountRemoved:
    """From the effective instant the discount lowers nothing any more."""

    discount_id: DiscountId


@dataclass(frozen=True, slots=True)
class Undone:
    """The entry `version` says nothing any more, as if it had never been written. Takes its effective instant."""

    version: int


Facts = (
    Subscribed
    | PlanChanged
    | QuantityChanged
    | PricesChanged
    | AddOnAdded
    | AddOnRemoved
    | Paused
    | Resumed
    | TrialChanged
    | AnchorMoved
    | TermChanged
    | Cancelled
    | DiscountApplied
    | DiscountRemoved
    | Undone
)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the journal: what changed, from when it holds, and when, by whom and why it was recorded.

    `version` counts the entries of a subscription from 1 and decides the order of equal instants.
    """

    version: int
    effective_at: datetime
    recorded_at: datetime
    actor: str
    reason: str
    facts: Facts


class Status(StrEnum):
    """The nine states of a subscription."""

    CREATED = "created"  # waits for its start
    TRIALING = "trialing"  # in its trial
    ACTIVE = "active"  # paying, in good standing
    PAST_DUE = "past_due"  # a payment failed, within grace
    PAUSED = "paused"  # the customer asked to pause
    EXPIRING_SOON = "expiring_soon"  # its end is near and noticed
    EXPIRED = "expired"  # it lapsed: the trial did not convert, or the term ended
    CANCELLED = "cancelled"  # terminal
    SUSPENDED = "suspended"  # overdue and escalated


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it stands: its named state and the version that the next change must name.

    `ends_at` is the end of the agreed term, or an earlier cancellation, which `cancels_at_end` tells apart.
    A term without a cancellation is noticed `notice_days` (of 24 hours) before it ends, and prolonged by `renewal`
    when it ends; None: it expires. `next_move_at` is when the calendar next looks at its state, None: never.
    """

    id: SubscriptionId
    customer_id: CustomerId
    external_id: str
    currency: str
    timezone: str
    profile: str
    status: Status
    version: int
    starts_at: datetime
    trial_ends_at: datetime | None
    trial_converts: bool
    ends_at: datetime | None
    cancels_at_end: bool = False
    notice_days: int = 0
    renewal: Interval | None = None
    next_move_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A request to subscribe a customer to a plan.

    `external_id` is the name by which the tenant's own systems know the subscription. The edition of `plan`
    that is sold when the request is recorded is pinned, also where the start lies in the past or ahead.
    `quantities` (units of seat charges) and `prices` (unit prices that overrule the plan's, in major units) go
    by charge code; a seat charge that is not named gets the plan's default. None means: `timezone` the
    customer's, `profile` the tenant's, `trial_days` the plan's, `anchor_at` the first billable instant,
    `ends_at` no end. The end of the term is noticed `notice_days` before it, and prolonged by `renewal`; None: it
    expires.
    """

    external_id: str
    customer_id: CustomerId
    plan: str
    starts_at: datetime
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    timezone: str | None = None
    profile: str | None = None
    trial_days: int | None = None
    trial_converts: bool = True
    anchor_at: datetime | None = None
    ends_at: datetime | None = None
    notice_days: int = 0
    renewal: Interval | None = None
    discount_percent: Decimal = Decimal(0)


class Recording(NamedTuple):
    """When, by whom and why something is recorded."""

    now: datetime
    actor: str
    reason: str


class BillingPosition(NamedTuple):
    """How far an item is settled, and the earliest instant that news made worth another look.

    `metered_through` is the last instant through which usage was billed before its period was over.
    """

    item_id: ItemId
    settled_through: datetime | None
    revisit_from: datetime | None
    metered_through: datetime | None = None


__all__ = [
    "AddOnAdded",
    "AddOnRemoved",
    "AnchorMoved",
    "AppliedDiscount",
    "BillingDate",
    "BillingPosition",
    "Cancelled",
    "Change",
    "ChangeKind",
    "Closing",
    "DiscountApplied",
    "DiscountRemoved",
    "Facts",
    "Item",
    "NewSubscription",
    "Paused",
    "Phase",
    "PhaseState",
    "PlanChanged",
    "PricesChanged",
    "QuantityChanged",
    "Recording",
    "Reopened",
    "Resumed",
    "Status",
    "Subscribed",
    "Subscription",
    "TermChanged",
    "Terms",
    "Timeline",
    "TrialChanged",
    "Undone",
]
