"""What a case asks of credit notes, coupons and running usage."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tenor.conformance.scenario import notes
from tenor.conformance.scenario.arrivals import running_usage
from tenor.conformance.scenario.calendar import timing_of
from tenor.conformance.scenario.coupons import is_active
from tenor.conformance.scenario.documents import ZERO, Account, CreditNote, Invoice
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.measuring import cost, measure, parts_of, window_of
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.thresholds import step_total
from tenor.conformance.scenario.usage import current_slices
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date
from tenor.kernel.money import RoundingMode, round_decimal
from tenor.kernel.quantity import parse_decimal


def newest_note(account: Account, wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the figures of the newest credit note."""
    return _told(account.notes[-1], wanted) if account.notes else None


def all_notes(account: Account, wanted: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the figures of all credit notes, in the order in which they were made."""
    if len(wanted) != len(account.notes):
        return [_told(note, {}) for note in account.notes]
    return [_told(note, asked) for note, asked in zip(account.notes, wanted, strict=True)]


def creditable(account: Account) -> Decimal:
    """Return what can still be credited of the invoice that was credited last, else of the newest."""
    invoice = account.notes[-1].invoice if account.notes else account.invoices[-1]
    return notes.creditable(account, invoice)


def coupon_active(world: World, account: Account) -> bool:
    """Return whether a coupon of the customer holds."""
    return any(is_active(world, account, coupon) for coupon in account.coupons)


def current_usage(world: World, subscription: Subscription) -> Mapping[str, Decimal]:
    """Return what the usage of the running periods costs so far, and its units."""
    amount = units = ZERO
    for slice_ in current_slices(world, subscription):
        window = window_of(world, slice_)
        for part in parts_of(world, slice_):
            if timing_of(world, slice_.charge) == "advance":
                cost_now, units_now = running_usage(world, slice_, part)
            else:
                measured = measure(world, slice_, part, window=window)
                cost_now = cost(world, slice_, part, measured, window=window, rounding=world.terms.money)
                units_now = measured.full_units
            amount, units = amount + cost_now, units + units_now
    return {"amount": amount, "units": units}


def billed_usage(world: World, account: Account, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fees of a metric that were made at this instant, or in its month."""
    zone = world.zone(account.id)
    by_month = wanted.get("span") == "month"
    today = local_date(world.now, zone)

    def is_meant(invoice: Invoice) -> bool:
        made = local_date(invoice.issued_at, zone)
        return (made.year, made.month) == (today.year, today.month) if by_month else invoice.issued_at == world.now

    invoiced = [line for invoice in account.invoices if is_meant(invoice) for line in invoice.lines]
    loose = [line for invoice in account.loose_fees if is_meant(invoice) for line in invoice.lines]
    found = [line for line in [*invoiced, *loose] if line.kind == "usage" and line.metric == wanted["metric"]]
    spans = [line.span for line in found if line.span is not None]
    amounts, units = {line.amount for line in found}, {line.units or ZERO for line in found}
    return {
        "metric": wanted["metric"],
        "count": len(found),
        "amount": sum((line.amount for line in found), ZERO),
        "amount_each": amounts.pop() if len(amounts) == 1 else None,
        "units": sum((line.units or ZERO for line in found), ZERO),
        "units_each": units.pop() if len(units) == 1 else None,
        "invoiced": any(line in invoiced for line in found),
        "from": spans[0].start if spans else None,
        "to": spans[0].end if spans else None,
        "span": wanted.get("span"),
    }


def threshold_step(world: World, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the total of the invoice that so many more units bring, at the bottom of a range of units."""
    plan = next((plan for plan in world.story.plans.values() if "billing_threshold" in plan.body), None)
    if plan is None:
        raise NotRunnable("no plan has a threshold of usage")
    above = parse_decimal(wanted.get("while_units_above", "0"), name="while_units_above")
    every = parse_decimal(wanted["every_units"], name="every_units")
    return {**wanted, "total": step_total(world, plan, above=above, every=every)}


def _told(note: CreditNote, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures of a note; what is finer than money to as many digits as are printed, few or many."""

    def shown(name: str, amount: Decimal) -> Decimal:
        printed = Decimal(wanted.get(name, "0")).as_tuple().exponent
        return round_decimal(amount, digits=-int(printed), mode=RoundingMode.HALF_UP)

    return {
        "state": note.state,
        "item": note.item,
        "subtotal": note.subtotal,
        "tax": note.tax,
        "total": note.total,
        "to_credit": note.to_credit,
        "to_refund": note.to_refund,
        "balance": note.balance,
        "discount_reversed": shown("discount_reversed", note.discount_reversed),
        "tax_rounding_adjustment": shown("tax_rounding_adjustment", note.tax_rounding_adjustment),
    }
