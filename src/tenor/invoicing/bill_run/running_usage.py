"""Usage of periods that still run: billed at once when it reaches a threshold, else held until its period is over."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tenor.invoicing.bill_run.batch import Batch, ItemWork, Work
from tenor.invoicing.model import Slot
from tenor.invoicing.rules.dues import is_early
from tenor.kernel.ids import to_wire
from tenor.kernel.money import exponent, format_minor
from tenor.platform.outbox import Event
from tenor.pricing import UsageThresholds
from tenor.pricing.model import PlanVersion, Timing
from tenor.subscriptions import Standing


def thresholds_of(
    agreed: UsageThresholds | None, standing: Standing, plans: Sequence[PlanVersion], *, as_of: datetime
) -> UsageThresholds | None:
    """Return the thresholds of a subscription: those agreed on, else those of the plan that runs; None of none.

    `plans` are the plan versions of its items.
    """
    if agreed is None:
        for item, plan in zip(standing.items, plans, strict=True):
            if item.phases and not item.is_add_on and item.starts_at <= as_of:
                agreed = plan.usage_thresholds
    return agreed or None


def counts_for_life(work: Work) -> bool:
    """Whether a subscription's thresholds look at the usage of its whole life, and not of each period."""
    return work.thresholds is not None and work.policy.billing.threshold_basis == "lifetime_usage"


def hold_usage(work: Work, batch: Batch) -> None:
    """Leave out the usage in arrears that is looked at before its time, unless it reaches a threshold that is new.

    New is one that what was billed of it has not reached: so it is reached once in each period, or by the policy's
    `threshold_basis` once in all. What is left out stays owed; the look at its own time finds it.
    """
    if not any(item.look.so_far for item in work.items):
        return
    early = {item.item.id: _early(item) for item in work.items}
    if not any(early.values()):
        return
    work.reached_minor = _newly_reached(work, batch)
    for item in work.items:
        slots = early[item.item.id]
        if work.reached_minor is None and slots:
            item.held = frozenset(slots)
            item.dues = [due for due in item.dues if (due.charge.id, due.period) not in slots]
            item.owed = [entry for entry in item.owed if entry.key.slot not in slots]


def tell_threshold(work: Work) -> None:
    """Write the threshold that has been reached into the trace of the lines that it has brought before their time."""
    if work.reached_minor is None:
        return
    told = {"threshold_minor": work.reached_minor}
    for item in work.items:
        item.lines = [
            line._replace(trace={**line.trace, **told}) if "through" in line.trace else line for line in item.lines
        ]


def threshold_events(batch: Batch) -> list[Event]:
    """Return the events of the thresholds that a batch has found to be reached."""
    return [
        Event("usage_threshold.reached", work.subscription.id, _payload(work), batch.occasion.issued_at)
        for work in batch.each()
        if work.reached_minor is not None
    ]


def _payload(work: Work) -> dict[str, Any]:
    subscription = work.subscription
    return {
        "customer_id": to_wire("cus", subscription.customer_id),
        "subscription": subscription.external_id,
        "currency": subscription.currency,
        "threshold": format_minor(work.reached_minor or 0, subscription.currency),
        "threshold_minor": work.reached_minor,
    }


def _early(item: ItemWork) -> set[Slot]:
    return {
        (due.charge.id, due.period)
        for due in item.dues
        if due.charge.timing is Timing.ARREARS and is_early(due, item.look.through)
    }


def _newly_reached(work: Work, batch: Batch) -> int | None:
    """Return the highest threshold that usage in arrears of the running periods has reached anew, in minor units."""
    if not work.thresholds:
        return None
    owed_minor = billed_minor = 0
    for item in work.items:
        running = {
            (due.charge.id, due.period)
            for due in item.dues
            if due.charge.timing is Timing.ARREARS and due.metered_through is not None
        }
        owed_minor += sum(entry.amount_minor for entry in item.owed if entry.key.slot in running)
        billed = batch.billed.get(item.item.id, ())
        billed_minor += sum(entry.amount_minor for entry in billed if entry.key.slot in running)
    before_minor = billed_minor
    if counts_for_life(work):
        before_minor = batch.usage_billed.get(work.subscription.id, 0)
    digits = exponent(work.subscription.currency)
    before, after = (
        Decimal(minor).scaleb(-digits) for minor in (before_minor, before_minor + owed_minor - billed_minor)
    )
    if work.thresholds.reached(after) <= work.thresholds.reached(before):
        return None
    highest = work.thresholds.highest_reached(after)
    return None if highest is None else int(highest.scaleb(digits))
