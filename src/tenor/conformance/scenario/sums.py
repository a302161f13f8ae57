"""The sums of an invoice: what coupons take off its lines, and the tax of what is left."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

from tenor.conformance.scenario import coupons
from tenor.conformance.scenario.documents import UNSOLD, ZERO, Account, Invoice, Line
from tenor.conformance.scenario.world import World
from tenor.kernel.money import RoundingMode, round_decimal
from tenor.kernel.period import Period
from tenor.taxes.model import AppliedRate, TaxableLine, TaxRounding, TaxTreatment
from tenor.taxes.rules.lines import tax_lines

_FINE_DIGITS: Final = 12
"""Shares of coupons may be finer than money: tax is taken of these digits."""


def reckon(world: World, account: Account, invoice: Invoice) -> None:
    """Work out discount and tax of an invoice from its lines; coupons are taken once it is final.

    Rounding: the tax of each line for itself, as it is shown; that of the invoice by the policy, which may round the
    sum of the unrounded taxes once.
    """
    _take_off_thresholds(account, invoice)
    inside = world.terms.policy.billing.tax_source == "inside"
    buyer = world.buyer(account.id)
    for line in invoice.lines:
        if line.kind in UNSOLD or not inside:
            line.tax_percents = ()
        elif line.tax_percents is None:
            line.tax_percents = buyer.tax_percents
    if not invoice.is_draft:
        coupons.take(world, account, invoice)
    for line, tax in zip(invoice.lines, _taxes(world, invoice.lines, place="line"), strict=True):
        line.tax = tax
    once = world.terms.policy.rounding.tax_rounding.place == "invoice"
    invoice.tax = sum(_taxes(world, invoice.lines, place="invoice" if once else "line"), ZERO)


def tax_percent(invoice: Invoice) -> Decimal:
    """Return the mean of the tax percentages of the lines, weighted by their net amounts, to five digits."""
    whole = sum((line.net for line in invoice.lines), ZERO)
    if not whole:
        return ZERO
    mean = sum((line.net * line.tax_percent for line in invoice.lines), ZERO) / whole
    return round_decimal(mean, digits=5, mode=RoundingMode.HALF_UP)


def _take_off_thresholds(account: Account, invoice: Invoice) -> None:
    """Set what earlier threshold invoices billed of each line of usage, at most the line."""
    for line in invoice.lines:
        what, *charge = line.of or (None,)
        if line.kind != "usage" or what not in {"usage", "threshold"} or line.span is None:
            continue
        before = (earlier for earlier in account.lines if earlier.of == ("threshold", *charge) and earlier is not line)
        billed = [earlier.amount - earlier.progressive for earlier in before if _is_of(earlier, line.span)]
        line.progressive = min(sum(billed, ZERO), line.amount)


def _is_of(line: Line, span: Period) -> bool:
    return line.span is not None and not line.span.overlap(span).is_empty


def _taxes(world: World, lines: Sequence[Line], *, place: Literal["line", "invoice"]) -> list[Decimal]:
    policy = world.terms.policy.rounding.tax_rounding
    rounding = TaxRounding.of(
        policy.mode,
        digits=world.terms.digits if policy.digits is None else policy.digits,
        place=place,
        currency_digits=_FINE_DIGITS,
    )
    taxable = [TaxableLine(_fine(line.net), _treatment(line)) for line in lines]
    taxes = tax_lines(taxable, prices_include_tax=False, rounding=rounding)
    return [Decimal(tax.tax_minor).scaleb(-_FINE_DIGITS) for tax in taxes]


def _treatment(line: Line) -> TaxTreatment:
    percents = line.tax_percents or ()
    return TaxTreatment(tuple(AppliedRate(f"tax {n}", percent) for n, percent in enumerate(percents)), "table")


def _fine(amount: Decimal) -> int:
    return int(round_decimal(amount.scaleb(_FINE_DIGITS), digits=0, mode=RoundingMode.HALF_UP))
