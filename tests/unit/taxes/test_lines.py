"""The tax of lines and documents: the worked tables, and what the tables do not say."""

from decimal import Decimal

import pytest

from tenor.kernel.money import RoundingMode
from tenor.taxes.errors import MalformedTax
from tenor.taxes.model import AppliedRate, LineTax, TaxableLine, TaxRounding, TaxTreatment
from tenor.taxes.rules.lines import spread, tax_lines
from tests.support.worked_tables import worked_table
from tests.unit.taxes.notation import minor, minors, treatment

PAGE = "algorithms/tax.md"
BY_LINE = TaxRounding()
BY_INVOICE = TaxRounding(place="invoice")


def rated(*percents: str, is_inclusive: bool | None = None) -> TaxTreatment:
    return TaxTreatment(
        tuple(AppliedRate(f"tax {text}", Decimal(text), is_inclusive=is_inclusive) for text in percents), "table"
    )


def tax_of(amount_minor: int, how: TaxTreatment, *, prices_include_tax: bool = False) -> LineTax:
    [tax] = tax_lines([TaxableLine(amount_minor, how)], prices_include_tax=prices_include_tax, rounding=BY_LINE)
    return tax


@pytest.mark.parametrize(
    ("amount", "rates", "net", "taxes", "total", "_arithmetic"), worked_table(PAGE, "The tax of a line")
)
def test_worked_lines(amount: str, rates: str, net: str, taxes: str, total: str, _arithmetic: str) -> None:
    tax = tax_of(minor(amount), treatment(rates))

    assert (tax.net_minor, list(tax.taxes_minor), tax.total_minor) == (minor(net), minors(taxes), minor(total))


@pytest.mark.parametrize(
    ("place", "lines", "taxes", "together", "_arithmetic"), worked_table(PAGE, "The tax of a document")
)
def test_worked_documents(place: str, lines: str, taxes: str, together: str, _arithmetic: str) -> None:
    taxable = [
        TaxableLine(minor(amount), treatment(rates))
        for amount, rates in (line.split(" at ") for line in lines.split("; "))
    ]
    rounding = TaxRounding.of(RoundingMode.HALF_UP, digits=None, place=place, currency_digits=2)

    found = tax_lines(taxable, prices_include_tax=False, rounding=rounding)

    assert [tax.tax_minor for tax in found] == [minor(tax) for tax in taxes.split("; ")]
    assert sum(tax.tax_minor for tax in found) == minor(together)


def test_the_price_book_says_whether_a_rate_lies_in_the_price() -> None:
    assert tax_of(11_900, rated("19")) == LineTax(11_900, (2_261,))
    assert tax_of(11_900, rated("19"), prices_include_tax=True) == LineTax(10_000, (1_900,))


def test_what_an_exempt_price_includes_is_taken_out_alone_without_what_would_lie_on_top() -> None:
    included = AppliedRate("included", Decimal(10), is_inclusive=True)
    on_top = AppliedRate("on top", Decimal(5), is_inclusive=False)
    exempt = TaxTreatment((included, on_top), "table", is_charged=False, note="exempt: charity")

    [tax] = tax_lines([TaxableLine(105, exempt)], prices_include_tax=False, rounding=BY_INVOICE)

    assert tax == LineTax(95, (0, 0))  # 1.05 × 10/110 = 0.0954…


def test_a_rate_may_differ_from_the_price_book() -> None:
    # a US sales tax on top of a price that otherwise includes tax
    assert tax_of(10_000, rated("8.25", is_inclusive=False), prices_include_tax=True) == LineTax(10_000, (825,))
    assert tax_of(11_900, rated("19", is_inclusive=True)) == LineTax(10_000, (1_900,))


def test_a_document_of_three_rates_is_rounded_once_and_each_tax_stays_beside_its_exact_value() -> None:
    # exact: ten lines of 0.10 at 4 % = 10 × 0.4 cents, ten at 6 % = 10 × 0.6 cents: 4 and 6 cents, 10 together
    low, high = rated("4"), rated("6")
    lines = [TaxableLine(10, low)] * 10 + [TaxableLine(10, high)] * 10

    taxes = [tax.tax_minor for tax in tax_lines(lines, prices_include_tax=False, rounding=BY_INVOICE)]

    assert (sum(taxes[:10]), sum(taxes[10:])) == (4, 6)
    assert set(taxes) == {0, 1}


def test_nothing_is_no_document() -> None:
    assert tax_lines([], prices_include_tax=False, rounding=BY_LINE) == []
    assert tax_lines([], prices_include_tax=False, rounding=BY_INVOICE) == []


@pytest.mark.parametrize(
    ("mode", "tax_minor"),
    [("half_up", 23), ("half_even", 22), ("ceil", 23), ("floor", 22), ("trunc", 22)],  # 4.50 × 5 % = 0.225
)
@pytest.mark.parametrize("place", ["line", "invoice"])
def test_modes_of_rounding(mode: str, tax_minor: int, place: str) -> None:
    rounding = TaxRounding.of(RoundingMode(mode), digits=None, place=place, currency_digits=2)
    [tax] = tax_lines([TaxableLine(450, rated("5"))], prices_include_tax=False, rounding=rounding)

    assert tax.taxes_minor == (tax_minor,)


@pytest.mark.parametrize(
    ("place", "percents", "taxes"),
    [
        ("line", ["5"], (10,)),  # 2.50 × 5 % = 0.125
        ("invoice", ["5"], (10,)),
        ("line", ["5", "5"], (10, 10)),
        ("invoice", ["5", "5"], (20, 10)),  # 0.25 together is 0.3, and the odd tenth goes to the first
    ],
)
def test_tax_may_be_rounded_coarser_than_the_currency(place: str, percents: list[str], taxes: tuple[int, ...]) -> None:
    rounding = TaxRounding.of(RoundingMode.HALF_UP, digits=1, place=place, currency_digits=2)
    [tax] = tax_lines([TaxableLine(250, rated(*percents))], prices_include_tax=False, rounding=rounding)

    assert tax.taxes_minor == taxes


@pytest.mark.parametrize(
    ("mode", "digits", "place"), [("none", None, "line"), ("ceil", 3, "line"), ("ceil", 2, "part")]
)
def test_tax_that_is_no_amount_of_the_currency_is_refused(mode: str, digits: int | None, place: str) -> None:
    with pytest.raises(MalformedTax):
        TaxRounding.of(RoundingMode(mode), digits=digits, place=place, currency_digits=2)


def test_spread_mirrors_a_credit() -> None:
    assert spread(1, [1, 1], 2) == [1, 0]
    assert spread(-1, [-1, -1], 2) == [-1, 0]
    assert spread(0, [-1, 1], 2) == [0, 0]
