"""Credits give tax back at the rates of then: the worked tables and the limits."""

from decimal import Decimal

import pytest

from tenor.taxes.errors import MoreThanBilled
from tenor.taxes.model import AppliedRate, TaxableLine, TaxedAmount, TaxRounding, TaxTreatment
from tenor.taxes.rules.giving_back import Held, Reversal, held, reverse_gross, reverse_net, reverse_share, tax_due
from tenor.taxes.rules.lines import tax_lines
from tests.support.worked_tables import worked_table
from tests.unit.taxes.notation import minor, minors

PAGE = "algorithms/tax.md"
VAT = AppliedRate("VAT", Decimal(19), "DE")
REDUCED = AppliedRate("VAT", Decimal(16), "DE")


def billed(text: str) -> TaxedAmount:
    amount, _, taxes = text.partition(" with ")
    rates = {AppliedRate(f"tax {number}", Decimal(1)): tax for number, tax in enumerate(minors(taxes))}
    return TaxedAmount(minor(amount), rates)


def credit(lines: list[TaxedAmount], amount_after_minor: int) -> TaxedAmount:
    """Return the line of a credit that leaves an amount."""
    standing = held(lines)
    return TaxedAmount(amount_after_minor - standing.left.amount_minor, tax_due(amount_after_minor, standing))


@pytest.mark.parametrize(
    ("original", "left", "given_back", "_arithmetic"), worked_table(PAGE, "What a credit gives back")
)
def test_worked_credits(original: str, left: str, given_back: str, _arithmetic: str) -> None:
    lines = [billed(original)]
    found = []
    for after in left.split("; "):
        lines.append(credit(lines, minor(after)))
        found.append([-tax for tax in lines[-1].taxes_minor.values()])

    assert found == [minors(taxes) for taxes in given_back.split("; ")]


def test_a_rate_that_changed_since_does_not_change_what_is_given_back() -> None:
    # billed 100.00 at 19 %; whatever the table says today, half of it gives back 9.50 at 19 %
    assert credit([TaxedAmount(10_000, {VAT: 1_900})], 5_000) == TaxedAmount(-5_000, {VAT: -950})


def test_what_was_billed_at_two_rates_is_given_back_of_both() -> None:
    # 100.00 at 19 %, then 60.00 more at 16 %; half of the 160.00 goes back: 14.30 of 28.60, as 9.50 and 4.80
    lines = [TaxedAmount(10_000, {VAT: 1_900}), TaxedAmount(6_000, {REDUCED: 960})]

    assert credit(lines, 8_000) == TaxedAmount(-8_000, {VAT: -950, REDUCED: -480})


def test_a_line_that_grows_again_starts_a_new_original() -> None:
    # 100.00 with 19.00; 30.00 back with 5.70; 10.00 more at 16 % with 1.60: 80.00 with 13.30 + 1.60 are left
    lines = [TaxedAmount(10_000, {VAT: 1_900})]
    lines.append(credit(lines, 7_000))
    lines.append(TaxedAmount(1_000, {REDUCED: 160}))
    standing = held(lines)
    assert standing == Held(
        TaxedAmount(8_000, {VAT: 1_330, REDUCED: 160}), TaxedAmount(8_000, {VAT: 1_330, REDUCED: 160})
    )

    assert tax_due(0, standing) == {VAT: -1_330, REDUCED: -160}


def test_a_credit_that_leaves_all_gives_nothing_back() -> None:
    assert credit([TaxedAmount(333, {VAT: 63})], 333) == TaxedAmount(0, {VAT: 0})


def test_a_line_is_billed_and_given_back_with_the_rates_of_its_treatment() -> None:
    # 119.00 with 19 % in it: 19.00; a third goes back: left 79.33 with 12.67 (12.6659…)
    line = TaxableLine(11_900, TaxTreatment((VAT,), "table"))
    [tax] = tax_lines([line], prices_include_tax=True, rounding=TaxRounding())
    billed_line = TaxedAmount.of(line, tax)

    assert billed_line == TaxedAmount(11_900, {VAT: 1_900})
    assert credit([billed_line], 7_933) == TaxedAmount(-3_967, {VAT: -633})


def test_untaxed_lines_give_no_tax_back() -> None:
    assert tax_due(0, held([TaxedAmount(10_000)])) == {}
    assert tax_due(0, held([TaxedAmount(10_000, {VAT: 0})])) == {VAT: 0}
    assert tax_due(0, held([])) == {}


@pytest.mark.parametrize("after", [-1, 5_001, 10_000])
def test_more_than_is_left_cannot_go_back(after: int) -> None:
    lines = [TaxedAmount(10_000, {VAT: 1_900}), TaxedAmount(-5_000, {VAT: -950})]

    with pytest.raises(MoreThanBilled):
        tax_due(after, held(lines))


@pytest.mark.parametrize(("left", "asked", "given_back", "_arithmetic"), worked_table(PAGE, "A flat credit"))
def test_worked_flat_credits(left: str, asked: str, given_back: str, _arithmetic: str) -> None:
    def pairs(text: str) -> list[Reversal]:
        return [Reversal(*(minor(part) for part in line.split("+"))) for line in text.split("; ")]

    kind, _, number = asked.partition(" ")
    if kind == "share":
        found = reverse_share(pairs(left), Decimal(number))
    else:
        found = (reverse_net if kind == "net" else reverse_gross)(pairs(left), minor(number))

    assert found == pairs(given_back)


def test_a_flat_credit_of_more_than_is_left_is_refused() -> None:
    rests = [Reversal(1_000, 100)]

    with pytest.raises(MoreThanBilled):
        reverse_gross(rests, 1_101)
    with pytest.raises(MoreThanBilled):
        reverse_net(rests, 1_001)
    with pytest.raises(MoreThanBilled):
        reverse_net(rests, -1)
    with pytest.raises(MoreThanBilled):
        reverse_share(rests, Decimal("1.01"))


def test_a_flat_credit_of_nothing_gives_nothing() -> None:
    assert reverse_gross([Reversal(0, 0)], 0) == [Reversal(0, 0)]
    assert reverse_net([Reversal(1_000, 190)], 0) == [Reversal(0, 0)]
