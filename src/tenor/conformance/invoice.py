"""Answer cases of the kind invoice: lines, coupons, tax and prepaid money, with the engine's own rules."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.conformance.discount import ZERO, coupons_taken, money_rounding, number
from tenor.kernel.money import EXACT, RoundingMode, allocate, round_decimal
from tenor.kernel.quantity import parse_decimal
from tenor.pricing.rules.rating import MoneyRounding
from tenor.taxes.model import AppliedRate, TaxableLine, TaxRounding, TaxTreatment
from tenor.taxes.rules.lines import tax_lines

FINE_DIGITS: Final = 12
"""Net amounts may be finer than money (shares of a coupon, sums rounded once): tax is taken of these digits."""


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures of the invoice, from its lines to what is left to pay."""
    rounding = money_rounding(case)
    policy = case.policy()
    with localcontext(EXACT):
        is_rounded_once = policy.rounding.rounding.place == "invoice"
        exact = [_line_amount(line) for line in case.body["lines"] for _ in range(line.get("count", 1))]
        amounts = exact if is_rounded_once else [rounding.apply(amount) for amount in exact]
        taken = coupons_taken(case, amounts)
        subtotal, discount = rounding.apply(sum(amounts, ZERO)), rounding.apply(sum(taken, ZERO))
        order = policy.discounts.reduction_order
        is_taxed_after = "coupon" in order and order.index("coupon") < order.index("tax")
        taxed = [amount - off for amount, off in zip(amounts, taken, strict=True)] if is_taxed_after else amounts
        tax = _tax(case, taxed)
        total = subtotal - discount + tax
        return {
            "line_amounts": amounts,
            "subtotal": subtotal,
            "discount": discount,
            "tax": tax,
            "total": total,
            "amount_due": total - min(number(case.body, "prepaid"), total),
            "sub_amounts_sum_to_line": all(
                sum(_parts(line, rounding), ZERO) == rounding.apply(_line_amount(line)) for line in case.body["lines"]
            ),
        }


def _line_amount(line: Mapping[str, Any]) -> Decimal:
    """Return the exact amount of a line: given, units × price, or the sum of its parts; times its factor."""
    if "sub_amounts" in line:
        amount = sum((parse_decimal(part, name="sub_amounts") for part in line["sub_amounts"]), ZERO)
    elif "amount" in line:
        amount = number(line, "amount")
    else:
        amount = number(line, "units", Decimal(1)) * number(line, "unit_amount")
    return amount * number(line, "factor", Decimal(1))


def _parts(line: Mapping[str, Any], rounding: MoneyRounding) -> list[Decimal]:
    """Return the parts of a line as they are shown: the rounded line, split by them; without parts the line itself."""
    amount = rounding.apply(_line_amount(line))
    weights = [parse_decimal(part, name="sub_amounts") for part in line.get("sub_amounts", ())]
    if not any(weights):
        return [amount]
    units = int(amount.scaleb(rounding.digits))
    return [Decimal(part).scaleb(-rounding.digits) for part in allocate(units, weights)]


def _tax(case: Case, amounts: Sequence[Decimal]) -> Decimal:
    """Return the tax of all lines; under reverse charge the customer pays it, and the invoice has none."""
    policy = case.policy().rounding.tax_rounding
    rounding = TaxRounding.of(
        policy.mode,
        digits=case.currency_digits if policy.digits is None else policy.digits,
        place=policy.place,
        currency_digits=FINE_DIGITS,
    )
    treatment = TaxTreatment(
        (AppliedRate("tax", number(case.body, "tax_percent")),), "table", is_charged="tax_exemption" not in case.body
    )
    lines = [TaxableLine(_fine(amount), treatment) for amount in amounts]
    fine = sum(line.tax_minor for line in tax_lines(lines, prices_include_tax=False, rounding=rounding))
    return Decimal(fine).scaleb(-FINE_DIGITS)


def _fine(amount: Decimal) -> int:
    return int(round_decimal(amount.scaleb(FINE_DIGITS), digits=0, mode=RoundingMode.HALF_UP))
