"""Frozen values of a subscription: its timeline, and the changes that the timeline folds from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tenor.kernel.ids import CustomerId, ItemId, PlanVersionId, SubscriptionId


class Terms(NamedTuple):
    """What is agreed for one phase, by charge code: units of seats, and unit prices that overrule the plan's."""

    quantities: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]


class Phase(NamedTuple):
    """A stretch [starts_at, ends_at) of an item with unchanging terms; `ends_at` None is open.

    A trial is a phase that is not billable.
    """

    starts_at: datetime
    ends_at: datetime | None
    is_billable: bool
    terms: Terms


@dataclass(frozen=True, slots=True)
class Item:
    """One stay of a subscription on one plan version: contiguous phases on one billing grid.

    `anchor_at` is the instant from which the grid of billing periods counts.
    """

    id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    discount_percent: Decimal
    phases: tuple[Phase, ...]

    @property
    def starts_at(self) -> datetime:
        """When the stay begins."""
        return self.phases[0].starts_at

    @property
    def ends_at(self) -> datetime | None:
        """When the stay ends; None while no end is known."""
        return self.phases[-1].ends_at


@dataclass(frozen=True, slots=True)
class Timeline:
    """The life of a subscription as its items in order of start; each item's phases are contiguous."""

    items: tuple[Item, ...]


class ChangeKind(StrEnum):
    """The kinds of entry in the journal."""

    SUBSCRIBED = "subscribed"
    PLAN_CHANGED = "plan_changed"
    QUANTITY_CHANGED = "quantity_changed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The first entry: an item on a plan version, perhaps after a trial, perhaps with a known end."""

    item_id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    terms: Terms
    discount_percent: Decimal
    trial_ends_at: datetime | None
    trial_converts: bool
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """From the effective instant a new item on another plan version replaces the one that runs."""

    item_id: ItemId
    plan_version_id: PlanVersionId
    anchor_at: datetime
    terms: Terms


@dataclass(frozen=True, slots=True)
class QuantityChanged:
    """From the effective instant the named charges have these quantities."""

    quantities: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """At the effective instant service and billing end."""


Facts = Subscribed | PlanChanged | QuantityChanged | Cancelled


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A request to subscribe a customer to a plan.

    `external_id` is the name by which the tenant's own systems know the subscription. The edition of `plan`
    that is sold when the request is recorded is pinned, also where the start lies in the past or ahead.
    `quantities` (units of seat charges) and `prices` (unit prices that overrule the plan's, in major units) go
    by charge code; a seat charge that is not named gets the plan's default. None means: `timezone` the
    customer's, `profile` the tenant's, `trial_days` the plan's, `anchor_at` the first billable instant,
    `ends_at` no end.
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
    discount_percent: Decimal = Decimal(0)


class Recording(NamedTuple):
    """When, by whom and why something is recorded."""

    now: datetime
    actor: str
    reason: str


class BillingPosition(NamedTuple):
    """How far an item is settled, and the earliest instant that news made worth another look."""

    item_id: ItemId
    settled_through: datetime | None
    revisit_from: datetime | None


__all__ = [
    "BillingPosition",
    "Cancelled",
    "Change",
    "ChangeKind",
    "Facts",
    "Item",
    "NewSubscription",
    "Phase",
    "PlanChanged",
    "QuantityChanged",
    "Recording",
    "Status",
    "Subscribed",
    "Subscription",
    "Terms",
    "Timeline",
]
