"""Subscriptions, their timeline and their journal as JSON."""

from collections.abc import Mapping, Sequence

from typing_extensions import TypedDict

from tenor.kernel.ids import PlanVersionId, to_wire
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.subscriptions import AddOnAdded, Change, PlanChanged, Standing, Subscribed, Subscription, standing
from tenor.wire.forms import DecimalText, Instant, decimals, instant
from tenor.wire.journal_words import in_words


class SubscriptionJson(TypedDict):
    """A subscription as it stands; `version` is what the next change may name."""

    id: str
    external_id: str
    customer_id: str
    status: str
    version: int
    currency: str
    starts_at: Instant
    trial_ends_at: Instant | None
    ends_at: Instant | None
    cancels_at_end: bool


class PhaseJson(TypedDict):
    """A stretch of a subscription's life on one plan version and one set of terms; `end` null: open."""

    item: str
    plan: str
    is_add_on: bool
    start: Instant
    end: Instant | None
    state: str
    is_billable: bool
    quantities: dict[str, DecimalText]
    prices: dict[str, DecimalText]


class EntryJson(TypedDict):
    """An entry of a subscription's journal; one that was taken back is not standing."""

    entry: int
    effective_at: Instant
    recorded_at: Instant
    change: str
    is_standing: bool
    actor: str
    reason: str


def subscription_json(subscription: Subscription) -> SubscriptionJson:
    """Return how a subscription stands."""
    return SubscriptionJson(
        id=to_wire("sub", subscription.id),
        external_id=subscription.external_id,
        customer_id=to_wire("cus", subscription.customer_id),
        status=subscription.status.value,
        version=subscription.version,
        currency=subscription.currency,
        starts_at=instant(subscription.starts_at),
        trial_ends_at=instant(subscription.trial_ends_at),
        ends_at=instant(subscription.ends_at),
        cancels_at_end=subscription.cancels_at_end,
    )


def timeline_json(uow: UnitOfWork, loaded: Standing) -> list[PhaseJson]:
    """Return the phases of a subscription: the plan's items first, in their order, then the add-ons'."""
    plans = _plan_names(uow, {item.plan_version_id for item in loaded.items})
    return [
        PhaseJson(
            item=to_wire("itm", item.id),
            plan=plans[item.plan_version_id],
            is_add_on=item.is_add_on,
            start=instant(phase.starts_at),
            end=instant(phase.ends_at),
            state=phase.state.value,
            is_billable=phase.is_billable,
            quantities=decimals(phase.terms.quantities),
            prices={charge: plain(price) for charge, price in phase.terms.prices.items()},
        )
        for item in sorted(loaded.items, key=lambda item: item.is_add_on)
        for phase in item.phases
    ]


def entries_json(uow: UnitOfWork, shown: Sequence[Change], entries: Sequence[Change]) -> list[EntryJson]:
    """Return the entries that are to be shown, of all `entries` of a subscription."""
    opening = (change.facts for change in shown if isinstance(change.facts, Subscribed | PlanChanged | AddOnAdded))
    plans = _plan_names(uow, {facts.plan_version_id for facts in opening})
    holding = {change.version for change in standing(entries)}
    return [
        EntryJson(
            entry=change.version,
            effective_at=instant(change.effective_at),
            recorded_at=instant(change.recorded_at),
            change=in_words(change.facts, plans),
            is_standing=change.version in holding,
            actor=change.actor,
            reason=change.reason,
        )
        for change in shown
    ]


def _plan_names(uow: UnitOfWork, ids: set[PlanVersionId]) -> Mapping[PlanVersionId, str]:
    return {key: f"{version.plan} version {version.version}" for key, version in plan_versions(uow, ids).items()}
