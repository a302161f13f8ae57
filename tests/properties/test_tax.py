"""Conservation of tax: nothing appears or disappears between price, net, tax, document and credits."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.money import RoundingMode
from tenor.taxes.model import AppliedRate, TaxableLine, TaxedAmount, TaxRounding, TaxTreatment
from tenor.taxes.rules.giving_back import Reversal, held, reverse_gross, reverse_net, reverse_share, tax_due
from tenor.taxes.rules.lines import tax_lines

amounts = st.integers(-10_000_000, 10_000_000)
percents = st.decimals(0, 30, places=3) | st.sampled_from([Decimal(0), Decimal(19), Decimal("9.975"), Decimal(100)])


@st.composite
def treatments(draw: st.DrawFn) -> TaxTreatment:
    rates = draw(st.lists(st.tuples(percents, st.none() | st.booleans()), max_size=4))
    return TaxTreatment(
        tuple(AppliedRate(f"tax {number}", percent, "", inside) for number, (percent, inside) in enumerate(rates)),
        "table",
        is_charged=draw(st.booleans()),
    )


documents = st.lists(treatments(), min_size=1, max_size=3).flatmap(
    lambda kinds: st.lists(st.builds(TaxableLine, amounts, st.sampled_from(kinds)), max_size=8)
)
roundings = st.builds(
    TaxRounding,
    st.sampled_from([mode for mode in RoundingMode if mode is not RoundingMode.NONE]),
    st.sampled_from(["line", "invoice"]),
    st.sampled_from([1, 100]),
)


def exact_taxes(line: TaxableLine, *, prices_include_tax: bool) -> list[Fraction]:
    """Return the taxes of a line by the textbook: each its percentage of amount / (1 + inclusive)."""
    inside = [prices_include_tax if rate.is_inclusive is None else rate.is_inclusive for rate in line.treatment.rates]
    fractions = [Fraction(rate.percent) / 100 for rate in line.treatment.rates]
    net = Fraction(line.amount_minor) / (1 + sum(part for part, lies in zip(fractions, inside, strict=True) if lies))
    return [net * part for part in fractions]


def included(line: TaxableLine, taxes: Sequence[Fraction | int], *, prices_include_tax: bool) -> Fraction:
    inside = [prices_include_tax if rate.is_inclusive is None else rate.is_inclusive for rate in line.treatment.rates]
    return sum((Fraction(tax) for tax, lies in zip(taxes, inside, strict=True) if lies), Fraction(0))


@settings(max_examples=150)
@given(documents, roundings, st.booleans())
def test_every_figure_of_a_line_lies_beside_its_exact_value(
    lines: list[TaxableLine], rounding: TaxRounding, prices_include_tax: bool
) -> None:
    step = rounding.step_minor
    for line, found in zip(
        lines, tax_lines(lines, prices_include_tax=prices_include_tax, rounding=rounding), strict=True
    ):
        exact = exact_taxes(line, prices_include_tax=prices_include_tax)
        inside = included(line, exact, prices_include_tax=prices_include_tax)
        reach = step * (1 if rounding.place == "line" else 2) * max(1, len(exact))
        assert abs(found.net_minor - (line.amount_minor - inside)) <= reach
        if not line.treatment.is_charged:
            assert set(found.taxes_minor) <= {0}
            continue
        assert line.amount_minor == found.net_minor + included(
            line, found.taxes_minor, prices_include_tax=prices_include_tax
        )
        for tax_minor, of_rate in zip(found.taxes_minor, exact, strict=True):
            assert abs(tax_minor - of_rate) <= step * (1 if rounding.place == "line" else 3)
            assert tax_minor % step == 0


@settings(max_examples=150)
@given(documents, st.booleans())
def test_the_tax_of_a_document_is_its_exact_sum_rounded_once(
    lines: list[TaxableLine], prices_include_tax: bool
) -> None:
    found = tax_lines(lines, prices_include_tax=prices_include_tax, rounding=TaxRounding(place="invoice"))
    charged = [line for line in lines if line.treatment.is_charged]
    exact = sum(
        (tax for line in charged for tax in exact_taxes(line, prices_include_tax=prices_include_tax)), Fraction(0)
    )

    total = sum(tax.tax_minor for tax in found)
    assert 2 * abs(total - exact) <= 1


@settings(max_examples=100)
@given(documents, st.sampled_from(["line", "invoice"]), st.booleans())
def test_a_document_and_its_mirror_sum_to_nothing(
    lines: list[TaxableLine], place: str, prices_include_tax: bool
) -> None:
    rounding = TaxRounding(place="line" if place == "line" else "invoice")
    mirrored = [TaxableLine(-line.amount_minor, line.treatment) for line in lines]
    charged = tax_lines(lines, prices_include_tax=prices_include_tax, rounding=rounding)
    credited = tax_lines(mirrored, prices_include_tax=prices_include_tax, rounding=rounding)

    assert sum(tax.total_minor for tax in [*charged, *credited]) == 0


@st.composite
def credited(draw: st.DrawFn) -> tuple[TaxedAmount, list[int]]:
    """A billed line with its taxes, and what falling amounts its credits leave, the last one nothing."""
    sign = draw(st.sampled_from([1, -1]))
    amount = draw(st.integers(1, 1_000_000))
    taxes = draw(st.lists(st.integers(0, 300_000), max_size=4))
    left = sorted(draw(st.lists(st.integers(0, amount), max_size=8)), reverse=True)
    rates = {AppliedRate(f"tax {number}", Decimal(1)): sign * tax for number, tax in enumerate(taxes)}
    return TaxedAmount(sign * amount, rates), [sign * after for after in [*left, 0]]


@settings(max_examples=200)
@given(credited())
def test_credits_give_back_every_rate_to_the_cent_and_never_too_much(given_: tuple[TaxedAmount, list[int]]) -> None:
    billed, lefts = given_
    sign = 1 if billed.amount_minor > 0 else -1
    lines = [billed]
    for after in lefts:
        standing = held(lines)
        taxes = tax_due(after, standing)
        assert set(taxes) == set(billed.taxes_minor)
        assert all(sign * tax <= 0 for tax in taxes.values())  # a credit never charges
        lines.append(TaxedAmount(after - standing.left.amount_minor, taxes))
        left = held(lines).left
        assert all(0 <= sign * left.taxes_minor[rate] <= sign * tax for rate, tax in billed.taxes_minor.items())
        exact = Fraction(sum(billed.taxes_minor.values()) * after, billed.amount_minor)
        assert 2 * abs(sum(left.taxes_minor.values()) - exact) <= 1

    nothing = held(lines).left
    assert nothing.amount_minor == 0
    assert set(nothing.taxes_minor.values()) <= {0}


@settings(max_examples=150)
@given(
    st.lists(st.builds(Reversal, st.integers(0, 100_000), st.integers(0, 30_000)), min_size=1, max_size=6), st.data()
)
def test_flat_credits_are_exact_and_within_what_is_left(rests: list[Reversal], data: st.DataObject) -> None:
    gross = data.draw(st.integers(0, sum(map(sum, rests))))
    net = data.draw(st.integers(0, sum(rest.amount_minor for rest in rests)))
    by_gross, by_net = reverse_gross(rests, gross), reverse_net(rests, net)

    assert sum(map(sum, by_gross)) == gross
    assert sum(back.amount_minor for back in by_net) == net
    for back in (by_gross, by_net, reverse_share(rests, data.draw(st.decimals(0, 1, places=4)))):
        assert all(
            0 <= gone.amount_minor <= rest.amount_minor and 0 <= gone.tax_minor <= rest.tax_minor
            for gone, rest in zip(back, rests, strict=True)
        )
    assert reverse_share(rests, Decimal(1)) == rests
