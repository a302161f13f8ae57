"""Answer cases of the kinds tax and tax_reversal with the engine's own rules."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

from tenor.conformance.cases import Case
from tenor.kernel.money import EXACT, RoundingMode, round_decimal
from tenor.kernel.quantity import parse_decimal
from tenor.taxes.model import AppliedRate, LineTax, TaxableLine, TaxRounding, TaxTreatment
from tenor.taxes.rules.giving_back import Reversal, reverse_gross, reverse_net, reverse_share
from tenor.taxes.rules.lines import tax_lines

ZERO = Decimal(0)


def answer(case: Case) -> Mapping[str, Any]:
    """Return discount, net, taxes and total of each line and of the whole."""
    amounts = [_amount(line, "amount") for line in case.body["lines"]]
    with localcontext(EXACT):
        discounts = [_discount(case, amount, line) for amount, line in zip(amounts, case.body["lines"], strict=True)]
        lines = [
            TaxableLine(_minor(case, amount - discount), _treatment(case, line))
            for amount, discount, line in zip(amounts, discounts, case.body["lines"], strict=True)
        ]
    rounding = case.policy().rounding.tax_rounding
    taxes = tax_lines(
        lines,
        prices_include_tax=False,
        rounding=TaxRounding.of(
            rounding.mode, digits=rounding.digits, place=rounding.place, currency_digits=case.currency_digits
        ),
    )
    figures = [_figures(case, line.treatment.rates, tax) for line, tax in zip(lines, taxes, strict=True)]
    whole = {key: sum((of_line[key] for of_line in figures), ZERO) for key in figures[0]}
    return {"lines": figures, "discount": sum(discounts, ZERO), **whole}


def answer_reversal(case: Case) -> Mapping[str, Any]:
    """Return what is given back of each line, as negative amounts."""
    rests = [_taxed(case, line) for line in case.body["lines"]]
    for number, before in enumerate(case.body.get("already_reversed", ())):
        amount, tax = _taxed(case, before)
        rests[number] = Reversal(rests[number].amount_minor + amount, rests[number].tax_minor + tax)
    asked = case.body["reversal"]
    if "line_share" in asked:
        reversals = reverse_share(rests, _amount(asked, "line_share"))
    elif "net_amount" in asked:
        reversals = reverse_net(rests, _minor(case, _amount(asked, "net_amount")))
    else:
        reversals = reverse_gross(rests, _minor(case, _amount(asked, "gross_amount")))
    return {
        "lines": [
            {"amount": _major(case, -back.amount_minor), "tax": _major(case, -back.tax_minor)} for back in reversals
        ]
    }


def _discount(case: Case, amount: Decimal, line: Mapping[str, Any]) -> Decimal:
    """Return what the coupon of a line takes off: a rounded share, or an amount of at most the line."""
    coupon = line.get("coupon", {})
    if "percent_off" in coupon:
        rounding = case.policy().rounding.rounding
        digits = case.currency_digits if rounding.digits is None else rounding.digits
        off = amount * _amount(coupon, "percent_off") / 100
        return round_decimal(off, digits=digits, mode=rounding.mode)
    return min(_amount(coupon, "amount_off"), max(amount, ZERO))


def _treatment(case: Case, line: Mapping[str, Any]) -> TaxTreatment:
    rates = tuple(
        AppliedRate("tax", _amount(rate, "percent"), is_inclusive=rate["inclusive"]) for rate in line["rates"]
    )
    return TaxTreatment(rates, "table", is_charged=not case.body.get("customer_exempt", False))


def _figures(case: Case, rates: Sequence[AppliedRate], tax: LineTax) -> dict[str, Decimal]:
    inclusive = sum(part for rate, part in zip(rates, tax.taxes_minor, strict=True) if rate.is_inclusive)
    return {
        "net": _major(case, tax.net_minor),
        "tax": _major(case, tax.tax_minor),
        "inclusive_tax": _major(case, inclusive),
        "exclusive_tax": _major(case, tax.tax_minor - inclusive),
        "total": _major(case, tax.total_minor),
    }


def _taxed(case: Case, line: Mapping[str, Any]) -> Reversal:
    return Reversal(_minor(case, _amount(line, "amount")), _minor(case, _amount(line, "tax")))


def _amount(body: Mapping[str, Any], name: str) -> Decimal:
    return parse_decimal(body.get(name, "0"), name=name)


def _minor(case: Case, amount: Decimal) -> int:
    return int(round_decimal(amount.scaleb(case.currency_digits, context=EXACT), digits=0, mode=RoundingMode.HALF_UP))


def _major(case: Case, minor: int) -> Decimal:
    return Decimal(minor).scaleb(-case.currency_digits, context=EXACT)
