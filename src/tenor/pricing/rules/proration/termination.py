"""Termination: what a cancelled period gives back, and whether as credit, as money, or against the open invoice."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal, NamedTuple

from tenor.kernel.money import EXACT
from tenor.pricing.policy import RoundingPolicy
from tenor.pricing.rules.proration.shares import Share, round_part

UnusedTime = Literal["credit", "refund", "offset", "none"]

_ZERO = Decimal(0)


class TerminatedCharge(NamedTuple):
    """The charge of the cut period as it was billed, in major units before tax.

    `coupon` is the part of a coupon that stood on its line, `credited_before` what was given back already
    (before coupon and tax). `invoice_total` and `invoice_paid` are those of its whole invoice, with tax.
    """

    amount: Decimal
    tax_rate: Fraction
    coupon: Decimal = _ZERO
    credited_before: Decimal = _ZERO
    invoice_total: Decimal = _ZERO
    invoice_paid: Decimal = _ZERO


class TerminationCredit(NamedTuple):
    """What is given back. `item` is before coupon and tax; `total` = item less coupon, rounded, plus `tax`, rounded.

    `to_credit + to_refund + to_offset` is always exactly `total`.
    """

    item: Decimal
    item_precise: Decimal
    tax: Decimal
    total: Decimal
    to_credit: Decimal
    to_refund: Decimal
    to_offset: Decimal


_NOTHING = TerminationCredit(_ZERO, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO)


def termination_credit(
    charge: TerminatedCharge,
    *,
    unused: Share,
    used: Share,
    unused_time: UnusedTime,
    rounding: RoundingPolicy,
    currency_digits: int,
) -> TerminationCredit:
    """Return what a cancellation gives back for the `unused` share of a charge.

    `refund`: as far as the charge was paid beyond its `used` share, money goes back, the rest becomes credit.
    `offset`: the same refund, then the unpaid part of the charge is set off against the rest. `none`: it lapses.
    """
    if unused_time == "none":
        return _NOTHING

    def money(value: Fraction) -> Decimal:
        return round_part(value, rounding.rounding, currency_digits=currency_digits)

    with localcontext(EXACT):
        credited = round_part(
            Fraction(charge.amount) * unused.fraction, rounding.credit_item_rounding, currency_digits=currency_digits
        )
        item = Fraction(max(credited - charge.credited_before, _ZERO))
        coupon = Fraction(charge.coupon) * item / Fraction(charge.amount) if charge.amount else Fraction(0)
        tax = round_part((item - coupon) * charge.tax_rate, rounding.tax_rounding, currency_digits=currency_digits)
        total = money(item - coupon) + tax
        refund, offset = _ZERO, _ZERO
        if unused_time in {"refund", "offset"}:
            gross = (Fraction(charge.amount) - Fraction(charge.coupon)) * (1 + charge.tax_rate)
            paid = _part_paid(charge, gross)
            refund = min(max(money(paid) - money(gross * used.fraction), _ZERO), total)
            if unused_time == "offset":
                offset = min(max(money(gross) - money(paid), _ZERO), total - refund)
        return TerminationCredit(
            item=money(item),
            item_precise=round_part(item, rounding.credit_item_rounding, currency_digits=currency_digits),
            tax=tax,
            total=total,
            to_credit=total - refund - offset,
            to_refund=refund,
            to_offset=offset,
        )


def _part_paid(charge: TerminatedCharge, gross: Fraction) -> Fraction:
    """Return the part of the invoice's payments that is for this charge: payments are spread by amount."""
    if not charge.invoice_total:
        return Fraction(0)
    return Fraction(charge.invoice_paid) * gross / Fraction(charge.invoice_total)
