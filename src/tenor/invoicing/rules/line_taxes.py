"""Taxes of lines: what each line of one document bears, new lines at the rates of now, credits at those of then."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tenor.invoicing.model import Line, TaxedLine, TaxShare
from tenor.kernel.money import divide_rounded
from tenor.taxes.model import (
    PERCENT_DIGITS,
    AppliedRate,
    LineTax,
    RatesOfCustomer,
    TaxableLine,
    TaxRounding,
    TaxTreatment,
)
from tenor.taxes.rules.giving_back import Held, tax_due
from tenor.taxes.rules.lines import tax_lines

_SCALE: Final = 10**PERCENT_DIGITS


@dataclass(frozen=True, slots=True)
class Taxation:
    """How the lines of one document are taxed."""

    rates: RatesOfCustomer
    rounding: TaxRounding
    prices_include_tax: bool

    @property
    def plain_percent(self) -> Decimal | None:
        """The one percentage that says all about the tax of a document; None where its lines have to say it."""
        treatment = self.rates.others
        if treatment is None or any(other is not treatment for other in self.rates.by_category.values()):
            return None
        if treatment.source != "customer" or not treatment.is_charged:
            return None
        return treatment.rates[0].percent if treatment.rates else Decimal(0)


def tax_of(lines: Sequence[Line], taxation: Taxation) -> tuple[list[TaxedLine], str]:
    """Return the lines of one document with their tax, in their order, and the notes that the document must bear.

    A line that lowers what was billed takes its tax from what was billed with it, in proportion, so that nothing
    of the tax is left when nothing of the amount is. All others are taxed together, as the rounding says.

    Raises:
        TaxNotQuoted: a tax engine has to say the rates of a line, and has not.
    """
    percent = taxation.plain_percent
    if percent is not None and taxation.rounding.place == "line" and taxation.rounding.step_minor == 1:
        return [_plainly(line, percent, taxation) for line in lines], ""
    new = [line for line in lines if line.gives_back is None]
    treatments = [taxation.rates.for_category(line.tax_category) for line in new]
    taxed = iter(
        tax_lines(
            [TaxableLine(line.amount_minor, treatment) for line, treatment in zip(new, treatments, strict=True)],
            prices_include_tax=taxation.prices_include_tax,
            rounding=taxation.rounding,
        )
    )
    of_new = iter(treatments)
    found = [
        _given_back(line, percent)
        if line.gives_back is not None
        else _taxed(line, next(of_new), next(taxed), taxation, percent)
        for line in lines
    ]
    return found, "; ".join(dict.fromkeys(treatment.note for treatment in treatments if treatment.note))


def taxes_by_rate(
    taxes: Sequence[TaxShare], tax_minor: int, percent: Decimal, *, prices_include_tax: bool
) -> dict[AppliedRate, int]:
    """Return the tax of a line by rate; without shares it is all of the document's one percentage."""
    if not taxes:
        return {AppliedRate("tax", percent, "", prices_include_tax): tax_minor} if tax_minor else {}
    return {
        AppliedRate(share.name, share.percent, share.jurisdiction, share.is_inclusive, share.is_charged): (
            share.amount_minor
        )
        for share in taxes
    }


def _plainly(line: Line, percent: Decimal, taxation: Taxation) -> TaxedLine:
    if line.gives_back is not None:
        return _given_back(line, percent)
    if not percent:
        return TaxedLine(line, 0, 0)
    share = int(percent * _SCALE)
    whole = 100 * _SCALE + (share if taxation.prices_include_tax else 0)
    tax_minor = divide_rounded(line.amount_minor * share, whole, taxation.rounding.mode)
    return TaxedLine(line, tax_minor, tax_minor if taxation.prices_include_tax else 0)


def _taxed(line: Line, treatment: TaxTreatment, tax: LineTax, taxation: Taxation, percent: Decimal | None) -> TaxedLine:
    included_minor = line.amount_minor - tax.net_minor
    if percent is not None:
        return TaxedLine(line, tax.tax_minor, included_minor)
    if not treatment.is_charged:
        return TaxedLine(line, 0, included_minor, _relief(treatment, included_minor))
    shares = tuple(
        TaxShare(
            rate.name,
            rate.jurisdiction,
            rate.percent,
            taxation.prices_include_tax if rate.is_inclusive is None else rate.is_inclusive,
            amount_minor,
        )
        for rate, amount_minor in zip(treatment.rates, tax.taxes_minor, strict=True)
    )
    return TaxedLine(line, tax.tax_minor, included_minor, shares)


def _relief(treatment: TaxTreatment, included_minor: int) -> tuple[TaxShare, ...]:
    """Return what an uncharged customer's price is lowered by, all rates as one."""
    if not included_minor:
        return ()
    name = " + ".join(rate.name for rate in treatment.rates)
    places = " + ".join(dict.fromkeys(rate.jurisdiction for rate in treatment.rates))
    percent = sum((rate.percent for rate in treatment.rates), Decimal(0))
    return (TaxShare(name, places, percent, is_inclusive=True, amount_minor=included_minor, is_charged=False),)


def _given_back(line: Line, percent: Decimal | None) -> TaxedLine:
    billed: Held | None = line.gives_back
    if billed is None:
        return TaxedLine(line, 0, 0)
    taxes = tax_due(billed.left.amount_minor + line.amount_minor, billed)
    shares = tuple(
        TaxShare(rate.name, rate.jurisdiction, rate.percent, bool(rate.is_inclusive), amount_minor, rate.is_charged)
        for rate, amount_minor in taxes.items()
    )
    included_minor = sum(share.amount_minor for share in shares if share.is_inclusive)
    tax_minor = sum(share.amount_minor for share in shares if share.is_charged)
    said_by_document = all(share.percent == percent and share.name == "tax" for share in shares)
    return TaxedLine(line, tax_minor, included_minor, () if said_by_document else shares)
