"""The life of a subscription: which plan, phase and anchor holds when, as contiguous stretches."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from tenor.conformance.scenario.plans import Phase, Plan, Version
from tenor.conformance.scenario.terms import same_clock
from tenor.kernel.calendar import Grid, boundary, local_date, midnight_of
from tenor.pricing.rules.proration import QuantityChange


@dataclass(frozen=True, slots=True)
class PlanFrom:
    """From `at` on the subscription has `plan`, whose phases count from `phases_from`.

    `anchor_day` is the one given with the change.
    """

    at: datetime
    plan: Plan
    phases_from: datetime
    anchor_day: int | None = None


@dataclass(slots=True, eq=False)
class Pause:
    """A span without service. `to` None is open; `keeps_access` pauses billing alone."""

    start: datetime
    end: datetime | None = None
    keeps_access: bool = False

    def holds(self, instant: datetime) -> bool:
        """Whether the pause is on at `instant`."""
        return self.start <= instant and (self.end is None or instant < self.end)


@dataclass(slots=True, eq=False)
class Subscription:
    """What a customer bought, with everything that has been decided about it so far. Times are instants.

    `expires_at`: when the subscription that this one is an add-on of runs out, and it with that. `planned_end`: when a
    job is to end it, where runs wait for one; until then it is billed as if it went on. `seats`: changes by item.
    """

    id: str
    customer: str
    created_at: datetime
    start: datetime
    zone: tzinfo
    plans: list[PlanFrom]
    base: str | None = None
    bundle: str | None = None
    alignment: str | None = None
    anchors: list[tuple[datetime, int]] = field(default_factory=list)
    quantities: list[tuple[datetime, Decimal]] = field(default_factory=list)
    seats: dict[str, list[QuantityChange]] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)
    access_end: datetime | None = None
    billing_end: datetime | None = None
    cancelled_at: datetime | None = None
    trial_end: datetime | None = None
    expires_at: datetime | None = None
    planned_end: datetime | None = None
    is_invoiced: bool = True

    def plan_at(self, instant: datetime) -> PlanFrom:
        """Return the plan that holds at `instant`; before the start, the first one."""
        return next((entry for entry in reversed(self.plans) if entry.at <= instant), self.plans[0])

    def put_plan(self, entry: PlanFrom) -> None:
        """Set the plan from `entry.at` on; what was to follow later is dropped."""
        self.plans = [earlier for earlier in self.plans if earlier.at < entry.at] + [entry]

    def quantity_at(self, instant: datetime) -> Decimal:
        """Return how many units are bought at `instant`."""
        return next((units for at, units in reversed(self.quantities) if at <= instant), Decimal(1))

    def anchor_at(self, instant: datetime) -> int | None:
        """Return the anchor day that was given for this subscription, where one was."""
        given = [(entry.at, entry.anchor_day) for entry in self.plans if entry.anchor_day is not None]
        latest = max((at for at, _ in [*given, *self.anchors] if at <= instant), default=None)
        return next((day for at, day in [*self.anchors, *given] if at == latest), None)

    def is_paused_at(self, instant: datetime) -> bool:
        """Whether nothing is billed at `instant` because of a pause."""
        return any(pause.holds(instant) for pause in self.pauses)

    def state_at(self, instant: datetime) -> str:
        """Return the state of access at `instant`."""
        if self.access_end is not None and self.access_end <= instant:
            return "cancelled"
        if instant < self.start:
            return "future"
        phase = phase_at(self, instant)
        if phase is None or (self.expires_at is not None and self.expires_at <= instant):
            return "expired"
        if any(pause.holds(instant) and not pause.keeps_access for pause in self.pauses):
            return "paused"
        is_tried = phase.phase.is_trial or (self.trial_end is not None and instant < self.trial_end)
        return "trialing" if is_tried else "active"


class PhaseSpan(NamedTuple):
    """A phase of a plan and when it runs; `end` None is open."""

    phase: Phase
    start: datetime
    end: datetime | None


class Stretch(NamedTuple):
    """A span [start, end) of constant plan, phase, quantity and anchor in which service is billed.

    `life_goes_on_until`: where something other than a new edition of the plan ends it; None is open.
    """

    start: datetime
    end: datetime | None
    plan: Plan
    phase: Phase
    anchor_day: int | None
    quantity: Decimal
    opened_by: "Cut"
    closed_by: "Cut | None"
    life_goes_on_until: datetime | None

    @property
    def opens_phase(self) -> bool:
        """Whether a phase, or the plan inside it, begins here."""
        return self.opened_by is Cut.PHASE

    @property
    def is_last(self) -> bool:
        """Whether billing ends here because the subscription was cancelled."""
        return self.closed_by is Cut.END


class Cut(StrEnum):
    """Why a stretch begins or ends; of two reasons at one instant the earlier named is told."""

    PHASE = "phase"
    END = "end"
    OTHER = "other"
    EDITION = "edition"


def stretches(subscription: Subscription) -> Iterator[Stretch]:
    """Yield the billed stretches of a life, in order; paused time lies between them."""
    cuts = _cuts(subscription)
    for start, end in pairwise([*sorted(cuts), None]):
        if start is None or start < subscription.start or subscription.is_paused_at(start):
            continue
        ends = (subscription.billing_end, subscription.expires_at)
        if any(last is not None and start >= last for last in ends):
            continue
        running = phase_at(subscription, start)
        if running is None:
            continue
        yield Stretch(
            start=start,
            end=end,
            plan=subscription.plan_at(start).plan,
            phase=running.phase,
            anchor_day=subscription.anchor_at(start),
            quantity=subscription.quantity_at(start),
            opened_by=cuts[start],
            closed_by=None if end is None else cuts[end],
            life_goes_on_until=min((at for at in cuts if at > start and cuts[at] is not Cut.EDITION), default=None),
        )


def ended_as_it_began(subscription: Subscription) -> Iterator[Stretch]:
    """Yield the empty stretch of a life that was cancelled at the very instant of its start."""
    running = phase_at(subscription, subscription.start)
    if running is None or subscription.cancelled_at is None or subscription.billing_end != subscription.start:
        return
    yield Stretch(
        start=subscription.start,
        end=subscription.start,
        plan=subscription.plan_at(subscription.start).plan,
        phase=running.phase,
        anchor_day=subscription.anchor_at(subscription.start),
        quantity=subscription.quantity_at(subscription.start),
        opened_by=Cut.PHASE,
        closed_by=Cut.END,
        life_goes_on_until=subscription.start,
    )


def phase_at(subscription: Subscription, instant: datetime) -> PhaseSpan | None:
    """Return the phase that runs at `instant`; None after the last one."""
    entry = subscription.plan_at(instant)
    version = _version_at(entry, instant, subscription.zone)
    return next(
        (span for span in phase_spans(subscription, entry, version) if span.end is None or instant < span.end),
        None,
    )


def phase_spans(subscription: Subscription, entry: PlanFrom, version: Version) -> Iterator[PhaseSpan]:
    """Yield the phases of a plan from where they count; a trial ends where that was set for the subscription."""
    start = entry.phases_from
    for phase in version.phases:
        end = None if phase.length is None else boundary(Grid(phase.length, start, subscription.zone), 1)
        if phase.is_trial and subscription.trial_end is not None:
            end = subscription.trial_end
        yield PhaseSpan(phase, start, end)
        if end is None:
            return
        start = end


def expires_at(subscription: Subscription) -> datetime | None:
    """Return when the last phase of the last plan ends; None where it never does."""
    entry = subscription.plans[-1]
    return [*phase_spans(subscription, entry, _version_at(entry, entry.at, subscription.zone))][-1].end


def first_paid_at(subscription: Subscription) -> datetime | None:
    """Return when the first recurring charge that costs something begins, or the phase that never ends."""
    for stretch in stretches(subscription):
        costs = any(charge.kind == "recurring" and charge.amount for charge in stretch.phase.charges)
        if costs or stretch.phase.length is None:
            return stretch.start
    return None


def _cuts(subscription: Subscription) -> dict[datetime, Cut]:
    """Return where a stretch may begin or end, and why."""
    found: list[tuple[datetime, Cut]] = []
    for entry, following in pairwise([*subscription.plans, None]):
        if entry is None:
            continue
        spans = list(phase_spans(subscription, entry, _version_at(entry, entry.at, subscription.zone)))
        inside = [(at, Cut.PHASE) for span in spans for at in (span.start, span.end) if at is not None]
        inside += [(at, Cut.EDITION) for at in _version_starts(entry, subscription.zone)]
        found.append((entry.at, Cut.PHASE))
        found += [cut for cut in inside if entry.at < cut[0] and (following is None or cut[0] < following.at)]
    found += [(at, Cut.OTHER) for at, _ in (*subscription.anchors, *subscription.quantities)]
    paused = [at for pause in subscription.pauses for at in (pause.start, pause.end)]
    found += [(at, Cut.OTHER) for at in paused if at is not None]
    if subscription.expires_at is not None:
        found.append((subscription.expires_at, Cut.OTHER))
    if subscription.billing_end is not None:
        found.append((subscription.billing_end, Cut.END))
    ranks = list(Cut)
    return dict(sorted(found, key=lambda cut: ranks.index(cut[1]), reverse=True))


def _version_at(entry: PlanFrom, instant: datetime, zone: tzinfo) -> Version:
    """Return the edition that a subscriber has: the one on sale when the plan began, then those given to all."""
    begun, today = local_date(entry.at, zone), local_date(instant, zone)
    return [
        version
        for version in entry.plan.versions
        if version.effective is None
        or version.effective <= begun
        or (version.applies_from is not None and version.applies_from <= today)
    ][-1]


def _version_starts(entry: PlanFrom, zone: tzinfo) -> list[datetime]:
    days = [version.applies_from for version in entry.plan.versions if version.applies_from is not None]
    return [same_clock(entry.at, midnight_of(day, zone), zone) for day in days]
