"""Verbs of life: what a step changes in the life of a subscription, and the run that follows from it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from tenor.conformance.cases import read_when
from tenor.conformance.scenario import closing, coupons
from tenor.conformance.scenario.calendar import period_of, set_account_anchor, slices
from tenor.conformance.scenario.life import Pause, PlanFrom, Subscription, expires_at, phase_at
from tenor.conformance.scenario.plans import Plan, priced
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.running import run
from tenor.conformance.scenario.seats import is_billed_in_advance
from tenor.conformance.scenario.strict import NotRunnable, StepRefused
from tenor.conformance.scenario.terms import same_clock
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import aligned_date, local_date, midnight_of, shift_months
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.rules.proration import QuantityChange

_SERVICE = frozenset({"recurring", "proration_charge", "usage", "one_off"})


def subscribe(world: World, step: Step) -> None:
    """Start a subscription, now or at `start`; with `base` as an add-on of that one."""
    body = step.body
    customer = body["customer"]
    zone = world.zone(customer)
    start = read_when(body["start"], zone) if "start" in body else world.now
    plan = _plan(world, body["plan"])
    if "unit_amount" in body:
        plan = priced(plan, parse_decimal(body["unit_amount"], name="unit_amount"))
    base = world.subscription(body["base"]) if "base" in body else None
    phases_from = base.start if base and plan.phase_alignment == "start_of_bundle" else start
    subscription = Subscription(
        id=body["subscription"],
        customer=customer,
        created_at=world.now,
        start=start,
        zone=zone,
        plans=[PlanFrom(start, plan, phases_from, body.get("anchor_day"))],
        base=base.id if base else None,
        bundle=body.get("bundle"),
        alignment=body.get("alignment"),
    )
    if "quantity" in body:
        subscription.quantities.append((start, parse_decimal(body["quantity"], name="quantity")))
    for item, units in body.get("quantities", {}).items():
        subscription.seats[item] = [QuantityChange(parse_decimal(units, name=item), start, world.now)]
    if "ends_at" in body and world.terms.waits_for_jobs:
        subscription.planned_end = parse_instant(body["ends_at"])
    elif "ends_at" in body:
        subscription.access_end = subscription.billing_end = parse_instant(body["ends_at"])
    if "coupon" in body:
        coupons.give(world, world.account(customer), body["coupon"], subscription=subscription.id)
    world.subscriptions[subscription.id] = subscription
    if base is not None:
        subscription.expires_at = expires_at(base)
    set_account_anchor(world, subscription)
    if start <= world.now:
        bill(world, [subscription])


def change_plan(world: World, step: Step) -> None:
    """Give a subscription another plan, at once or later; an add-on that it does not take is cancelled."""
    subscription = world.subscription(step.body["subscription"])
    _refuse_when_blocked(world, subscription)
    plan = _plan(world, step.body["plan"])
    before = subscription.plan_at(world.now).plan
    alignment = subscription.alignment or world.terms.policy.calendar.alignment
    if step.body.get("alignment", alignment) != alignment:
        raise NotRunnable(f"step {step.number}: a change of plan that also changes the alignment")
    if step.body.get("prorate") == "none":
        at = _unprorated_at(world, subscription)
    elif "effective" in step.body:
        at = effective_at(world, subscription, step.body["effective"])
    else:
        at = closing.changes_at(world, subscription, plan)
    entry = PlanFrom(at, plan, _phases_from(world, subscription, plan, at), step.body.get("anchor_day"))
    subscription.put_plan(entry)
    for add_on in _add_ons(world, subscription):
        add_on.expires_at = expires_at(subscription)
    set_account_anchor(world, subscription)
    for add_on in _add_ons(world, subscription):
        if not _takes(before, plan, add_on.plan_at(at).plan):
            add_on.access_end = add_on.billing_end = at
            add_on.cancelled_at = world.now
    rides_along = step.body.get("prorate", world.terms.policy.billing.proration_invoicing) == "next_invoice"
    if at <= world.now and not rides_along:
        bill(world, [subscription], reason=None if world.terms.keeps_balance else "closing")


def _unprorated_at(world: World, subscription: Subscription) -> datetime:
    """Return from when a plan is billed that a change brings without proration: the next period."""
    if world.terms.policy.billing.upgrade_without_proration == "charge_full_now":
        raise NotRunnable("a change without proration that is charged in full at once")
    return effective_at(world, subscription, "period_end")


def change_quantity(world: World, step: Step) -> None:
    """Change how many units are bought."""
    subscription = world.subscription(step.body["subscription"])
    _refuse_when_blocked(world, subscription)
    at = effective_at(world, subscription, step.body.get("effective", "now"))
    if "item" in step.body:
        _change_seats(world, subscription, step.body["item"], parse_decimal(step.body["quantity"], name="quantity"), at)
        return
    kept = [entry for entry in subscription.quantities if entry[0] < at]
    subscription.quantities = [*kept, (at, parse_decimal(step.body["quantity"], name="quantity"))]
    if at <= world.now and world.terms.policy.billing.proration_invoicing == "now":
        bill(world, [subscription])


def _change_seats(world: World, subscription: Subscription, item: str, units: Decimal, at: datetime) -> None:
    """Change the number of one item; one billed in advance is invoiced at once, by who gives credit notes even at 0."""
    subscription.seats.setdefault(item, []).append(QuantityChange(units, at, world.now))
    if at <= world.now and is_billed_in_advance(world, subscription, item):
        run(
            world,
            subscription.customer,
            subscriptions=[subscription],
            invoices_nothing=not world.terms.keeps_balance,
        )


def pause(world: World, step: Step) -> None:
    """Pause a subscription, or with `scope` its whole bundle, from now or a date, also a past one.

    A pause of so many `cycles` waits for the end of the running period.
    """
    subscription = world.subscription(step.body["subscription"])
    whole = [subscription, *_add_ons(world, subscription)] if step.body.get("scope") == "bundle" else [subscription]
    cycles = step.body.get("cycles")
    at = effective_at(world, subscription, "period_end" if cycles else step.body.get("effective", "now"))
    end = None
    for _ in range(cycles or 0):
        period = period_of(world, subscription, end or at)
        end = None if period is None else period.end
    for entry in whole:
        entry.pauses.append(Pause(at, end, keeps_access=step.body.get("affects") == "billing"))
    if at <= world.now:
        bill(world, whole)


def resume(world: World, step: Step) -> None:
    """End the pauses of a subscription and of its add-ons; what is active stays so."""
    subscription = world.subscription(step.body["subscription"])
    at = effective_at(world, subscription, step.body.get("effective", "now"))
    whole = [subscription, *_add_ons(world, subscription)]
    for entry in whole:
        for open_pause in entry.pauses:
            open_pause.end = at if open_pause.end is None else open_pause.end
    if at <= world.now:
        bill(world, whole)


def cancel(world: World, step: Step) -> None:
    """End a subscription with its add-ons; billing may end at another time than access."""
    subscription = world.subscription(step.body["subscription"])
    effective = step.body.get("effective", "now")
    access_end = effective_at(world, subscription, effective)
    billing_end = effective_at(world, subscription, step.body.get("billing_effective", effective))
    if world.terms.is_account_centred:
        if access_end < subscription.start and effective != "now":
            raise StepRefused(f"subscription {subscription.id} has not begun by {effective}")
        access_end, billing_end = max(access_end, subscription.start), max(billing_end, subscription.start)
    whole = [subscription, *_add_ons(world, subscription)]
    for entry in whole:
        entry.cancelled_at, entry.access_end = world.now, access_end
        entry.billing_end = closing.served_until(world, entry, billing_end)
    if billing_end > world.now:
        return
    if world.terms.keeps_balance:
        bill(world, whole, reason="closing")
    else:
        unused_time, invoices = step.body.get("unused_time"), step.body.get("final_invoice", True)
        closing.close(world, subscription, unused_time=unused_time, invoices=invoices)


def undo_cancel(world: World, step: Step) -> None:
    """Take a cancellation back, as long as access or billing still runs."""
    subscription = world.subscription(step.body["subscription"])
    ends = [end for end in (subscription.access_end, subscription.billing_end) if end is not None]
    if not ends or max(ends) <= world.now:
        raise StepRefused(f"subscription {subscription.id} has no cancellation ahead of it")
    subscription.access_end = subscription.billing_end = subscription.cancelled_at = None


def change_anchor(world: World, step: Step) -> None:
    """Move the anchor to a day of the month: from the next such day on, as seen from now or from a date.

    An account's anchor has no history: whatever hangs on it is billed as if it had always been that day.
    """
    day = step.body["anchor_day"]
    if step.body.get("scope") == "account":
        account = world.account(step.body.get("customer"))
        account.anchor_day = day
        bill(world, world.subscriptions_of(account.id))
        return
    subscription = world.subscription(step.body.get("subscription"))
    wished = effective_at(world, subscription, step.body.get("effective", "now"))
    at = _next_day(wished, subscription, day)
    subscription.anchors.append((at, day))
    if at <= world.now:
        bill(world, [subscription])


def set_trial_end(world: World, step: Step) -> None:
    """Let a trial end at another instant; where none runs, give one: no billing, then the periods count anew."""
    subscription = world.subscription(step.body["subscription"])
    end = parse_instant(step.body["trial_end"])
    running = phase_at(subscription, world.now)
    subscription.trial_end = end
    if running is None or not running.phase.is_trial:
        subscription.pauses.append(Pause(world.now, end, keeps_access=True))
    subscription.anchors.append((end, local_date(end, subscription.zone).day))
    bill(world, [subscription])


def transfer_bundle(world: World, step: Step) -> None:
    """Give a bundle to another customer: it begins there anew, its phases go on; the old one is cancelled."""
    name, to = step.body["bundle"], step.body["to_customer"]
    moved = [entry for entry in world.subscriptions.values() if name in {entry.bundle, entry.id, entry.base}]
    if not moved:
        raise NotRunnable(f"there is no bundle {name!r}")
    end = step.body.get("cancel_old", "period_end")
    for entry in moved:
        at = effective_at(world, entry, end)
        running = entry.plan_at(world.now)
        entry.access_end = entry.billing_end = at
        entry.cancelled_at = world.now
        copy = Subscription(
            id=f"{entry.id}@{to}",
            customer=to,
            created_at=world.now,
            start=world.now,
            zone=world.zone(to),
            plans=[PlanFrom(world.now, running.plan, running.phases_from)],
            base=f"{entry.base}@{to}" if entry.base else None,
            bundle=entry.bundle,
        )
        world.subscriptions[copy.id] = copy
        set_account_anchor(world, copy)
    bill(world, moved)
    run(world, to)


def erase_subscription(world: World, step: Step) -> None:
    """Make a subscription one that never was: all its time is given back."""
    subscription = world.subscription(step.body["subscription"])
    for entry in (subscription, *_add_ons(world, subscription)):
        entry.access_end = entry.billing_end = entry.start
    bill(world, [subscription])


def bill(world: World, subscriptions: Sequence[Subscription], *, reason: str | None = None) -> None:
    """Run billing after a change of `subscriptions`, all of one customer, where runs follow from changes."""
    if not subscriptions:
        return
    if not world.is_gathering and (world.terms.runs_by_itself or not world.terms.is_account_centred):
        run(world, subscriptions[0].customer, subscriptions=subscriptions, reason=reason)


def effective_at(world: World, subscription: Subscription, value: str) -> datetime:
    """Return the instant that a step means: now, an end or a start of the running period, or a local day.

    For an account the end of the period is the day to which it is charged, now where that is past.
    """
    match value:
        case "now":
            return world.now
        case "period_end" if world.terms.is_account_centred:
            through = charged_through(world, subscription)
            at = world.now if through is None else same_clock(subscription.start, through, subscription.zone)
            return max(at, world.now)
        case "period_end" | "period_start":
            period = period_of(world, subscription, world.now)
            if period is None:
                return world.now if value == "period_end" else _phase_start(subscription, world.now)
            bound = period.end if value == "period_end" else period.start
            clock = subscription.start if world.terms.is_account_centred else bound
            return same_clock(clock, bound, subscription.zone)
        case _:
            return same_clock(
                subscription.start, read_when(value, world.zone(subscription.customer)), subscription.zone
            )


def _phase_start(subscription: Subscription, at: datetime) -> datetime:
    """Return where the phase that runs at `at` began for this subscription: what has no periods starts there."""
    running = phase_at(subscription, at)
    begun = subscription.plan_at(at).at
    return begun if running is None else max(running.start, begun)


def charged_through(world: World, subscription: Subscription) -> datetime | None:
    """Return the end of what finalized invoices bill for a subscription; None where they bill nothing.

    Usage of which no line is shown is billed, too, once a run of the account has looked at its period.
    """
    account = world.account(subscription.customer)
    ends = [
        line.span.end
        for invoice in account.invoices
        if invoice.state not in {"draft", "void"}
        for line in invoice.lines
        if line.span is not None and line.subscription == subscription.id and line.kind in _SERVICE
    ]
    if account.looked_until is not None and world.terms.policy.rating.zero_usage_lines == "omit":
        closed = slices(world, subscription, frozenset({"usage"}), until=account.looked_until)
        ends += [slice_.span.end for slice_ in closed]
    return max(ends, default=None)


def _plan(world: World, name: str) -> Plan:
    if name not in world.story.plans:
        raise NotRunnable(f"there is no plan {name!r}")
    return world.story.plans[name]


def _phases_from(world: World, subscription: Subscription, plan: Plan, at: datetime) -> datetime:
    """Return where the phases of a new plan count from: the start, so that a trial is had but once, or the change."""
    had_trial = any(entry.plan.has_trial for entry in subscription.plans)
    is_first_trial = world.terms.is_account_centred and plan.has_trial and not had_trial
    if plan.change_phase_alignment == "change_date" or is_first_trial:
        return at
    return subscription.plans[0].phases_from


def _add_ons(world: World, subscription: Subscription) -> list[Subscription]:
    running = world.subscriptions_of(subscription.customer)
    return [entry for entry in running if entry.base == subscription.id and entry.cancelled_at is None]


def _takes(before: Plan, plan: Plan, add_on: Plan) -> bool:
    """Whether a base plan takes an add-on that was bought with the plan before it.

    One that includes the add-on replaces it; a plan without a product is sold alone and offers none.
    """
    if add_on.product is not None and add_on.product in plan.included_add_ons:
        return False
    return before.product is not None and plan.product is not None


def _next_day(at: datetime, subscription: Subscription, day: int) -> datetime:
    """Return the first `day` of a month that is not before `at`, at the subscription's time of day."""
    zone = subscription.zone
    today = local_date(at, zone)
    wanted = aligned_date(today, day)
    if wanted < today:
        wanted = shift_months(today, 1, day_of_month=day)
    return same_clock(subscription.start, midnight_of(wanted, zone), zone)


def _refuse_when_blocked(world: World, subscription: Subscription) -> None:
    plan, account = world.story.dunning, world.account(subscription.customer)
    stage = account.stages[-1][1] if account.stages else None
    if plan is not None and any(entry.blocks_change and entry.name == stage for entry in plan.stages):
        raise StepRefused(f"customer {account.id} is in dunning stage {stage}, which forbids changes")
