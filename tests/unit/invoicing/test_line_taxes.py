"""Taxes of lines: the worked table of tax that is given back, and what a document says of its rates."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tenor.invoicing.model import Billed, Owed, TaxedLine
from tenor.invoicing.rules.line_taxes import Taxation, tax_of, taxes_by_rate
from tenor.invoicing.rules.settle import settle
from tenor.pricing.model import TaxMode
from tenor.taxes.model import AppliedRate, RatesOfCustomer, TaxedAmount, TaxRounding, TaxTreatment
from tenor.taxes.rules.giving_back import held
from tests.support.invoicing import at, key, taxed_at
from tests.support.worked_tables import worked_table

JUNE = key("base", "2026-06-01", "2026-07-01")
NOW = at("2026-08-01")


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))


def rates(text: str) -> RatesOfCustomer:
    """Read '19', which is the customer's own percentage, or '5 + 9.975', two taxes of the table."""
    percents = text.split(" + ")
    if len(percents) == 1:
        return taxed_at(Decimal(text))
    applied = tuple(AppliedRate(f"tax-{number}", Decimal(percent)) for number, percent in enumerate(percents))
    return RatesOfCustomer({}, TaxTreatment(applied, "table"))


def billed_one_after_the_other(
    steps: list[tuple[int, RatesOfCustomer]], *, prices: str, place: str = "line"
) -> Iterator[TaxedLine]:
    """Yield the taxed line that each step makes, when what is owed for one key moves by its amount."""
    history: list[TaxedAmount] = []
    owed_minor = 0
    is_inclusive = TaxMode(prices) is TaxMode.INCLUSIVE
    for amount_minor, of_customer in steps:
        billed = Billed(JUNE, owed_minor, len(history), is_deferred=True, description="", taxed=held(history))
        owed_minor += amount_minor
        owed = Owed(JUNE, owed_minor, NOW, is_deferred=True, description="Base", trace={})
        (line,) = settle([owed], [billed] if history else [], now=NOW)
        taxation = Taxation(
            of_customer,
            TaxRounding(place="invoice") if place == "invoice" else TaxRounding(),
            is_inclusive,
        )
        ((taxed,), _) = tax_of([line], taxation)
        yield taxed
        percent = taxation.plain_percent or Decimal(0)
        by_rate = taxes_by_rate(taxed.taxes, taxed.tax_minor, percent, prices_include_tax=is_inclusive)
        history.append(TaxedAmount(amount_minor, by_rate))


@pytest.mark.parametrize("place", ["line", "invoice"])
@pytest.mark.parametrize("row", worked_table("algorithms/owed.md", "Tax given back"), ids="-".join)
def test_tax_given_back(row: list[str], place: str) -> None:
    prices, lines, taxes, _ = row
    steps = [(minor(amount), rates(text)) for amount, text in (line.split(" at ") for line in lines.split("; "))]

    found = list(billed_one_after_the_other(steps, prices=prices, place=place))

    assert [taxed.tax_minor for taxed in found] == [minor(tax) for tax in taxes.split("; ")]
    assert [taxed.included_tax_minor for taxed in found] == [
        minor(tax) if prices == "inclusive" else 0 for tax in taxes.split("; ")
    ]


def test_a_credit_says_its_rate_where_the_document_has_another() -> None:
    _, credit, same = billed_one_after_the_other(
        [(10_000, rates("19")), (-5_000, rates("20")), (-5_000, rates("19"))], prices="exclusive"
    )

    assert [(share.percent, share.amount_minor) for share in credit.taxes] == [(Decimal(19), -950)]
    assert same.taxes == ()  # the document's one percentage says it


def test_what_an_exempt_customer_was_spared_is_given_back_with_the_price() -> None:
    """A price of 119.00 that includes 19 % is lowered to 100.00; of half of it 50.00 go back, and no tax."""
    exempt = RatesOfCustomer({}, TaxTreatment((AppliedRate("VAT", Decimal(19)),), "table", is_charged=False))

    first, half, rest = billed_one_after_the_other(
        [(11_900, exempt), (-5_950, rates("20")), (-5_950, rates("20"))], prices="inclusive"
    )

    assert [taxed.tax_minor for taxed in (first, half, rest)] == [0, 0, 0]
    assert [taxed.included_tax_minor for taxed in (first, half, rest)] == [1_900, -950, -950]
