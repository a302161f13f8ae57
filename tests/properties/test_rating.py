"""Laws of rating: what holds for every price and every usage, not only for the worked tables."""

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.money import EXACT, RoundingMode, allocate, allocate_by_key
from tenor.pricing.charges import (
    ChargeModel,
    Dynamic,
    Flat,
    Graduated,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    Price,
    Stairstep,
    Standard,
    Tier,
    UnitConversion,
    Volume,
    from_json,
    to_json,
)
from tenor.pricing.policy import RatingPolicy, policy_with
from tenor.pricing.rules.rating import (
    UNROUNDED,
    WHOLE_PERIOD,
    MoneyRounding,
    Segment,
    StepKind,
    Usage,
    explain,
    steps_to_json,
)
from tests.support.rating import rate_exactly

CENTS = MoneyRounding(RoundingMode.HALF_UP, 2)
POLICY = policy_with("tenor", {}).rating
policies = st.booleans().map(lambda at_zero: policy_with("tenor", {"flat_fee_at_zero_units": at_zero}).rating)

amounts = st.decimals(min_value=0, max_value=1000, places=4)
quantities = st.decimals(min_value=0, max_value=5000, places=3)
sizes = st.decimals(min_value=Decimal("0.01"), max_value=100, places=2)


@st.composite
def tiers(draw: st.DrawFn, *, flat: bool = True, blocks: bool = True) -> tuple[Tier, ...]:
    """One to four tiers, the last one open."""
    bounds = sorted(draw(st.sets(st.decimals(min_value=1, max_value=2000, places=1), max_size=3)))
    made = []
    for bound in [*bounds, None]:
        price: dict[str, Any] = {"unit_amount": draw(amounts)}
        if blocks and draw(st.booleans()):
            price = {"block_size": draw(sizes), "block_amount": draw(amounts)}
        if flat:
            price["flat_amount"] = draw(st.none() | amounts)
        made.append(Tier(bound, **price))
    return tuple(made)


steps_only = tiers(blocks=False).map(
    lambda made: tuple(Tier(tier.up_to, flat_amount=tier.flat_amount or Decimal(1)) for tier in made)
)
unit_models: st.SearchStrategy[ChargeModel] = st.one_of(
    st.builds(Standard, amounts),
    st.builds(Graduated, tiers()),
    st.builds(Volume, tiers()),
    st.builds(Package, sizes, amounts, st.sampled_from(["up", "down"])),
    st.builds(Stairstep, steps_only, st.none() | amounts),
)
models: st.SearchStrategy[ChargeModel] = unit_models | st.one_of(
    st.builds(Flat, amounts),
    st.builds(Dynamic, st.none() | amounts),
    st.builds(Percentage, amounts, amounts, st.none() | st.integers(1, 9), st.none() | amounts),
    st.builds(Matrix, st.just(("d",)), st.tuples(st.builds(MatrixCell, st.just(("x",)), unit_models)), unit_models),
)
prices = st.builds(
    Price,
    unit_models,
    free_units=amounts,
    pricing_unit_rate=st.none() | amounts,
    percent_off=st.decimals(min_value=0, max_value=100, places=2),
    max_amount=st.none() | st.decimals(min_value=500, max_value=1000, places=3),
    min_amount=st.none() | st.decimals(min_value=0, max_value=500, places=3),
)


def exact(
    model: ChargeModel, units: Decimal, *, policy: RatingPolicy = POLICY, segment: Segment = WHOLE_PERIOD
) -> Decimal:
    """Return what `units` cost, unrounded."""
    return rate_exactly(Price(model), Usage(units), policy, UNROUNDED, segment=segment).amount


@given(tiers(), quantities, quantities, policies)
def test_a_graduated_price_never_falls_as_units_rise(
    made: tuple[Tier, ...], units: Decimal, more: Decimal, policy: RatingPolicy
) -> None:
    lower, upper = exact(Graduated(made), units, policy=policy), exact(Graduated(made), units + more, policy=policy)

    assert 0 <= lower <= upper


@given(tiers(flat=False, blocks=False), quantities)
def test_a_graduated_price_without_fees_and_blocks_makes_no_jump(made: tuple[Tier, ...], units: Decimal) -> None:
    step = Decimal("1e-9")
    dearest = max(tier.unit_amount or Decimal(0) for tier in made)

    assert exact(Graduated(made), units + step) - exact(Graduated(made), units) <= dearest * step


@given(tiers(blocks=False), quantities, st.none() | quantities)
def test_a_graduated_price_prices_each_unit_once(
    made: tuple[Tier, ...], units: Decimal, before: Decimal | None
) -> None:
    rated = rate_exactly(Price(Graduated(made)), Usage(units), POLICY, UNROUNDED, segment=Segment(units_before=before))

    assert sum(step.units or 0 for step in rated.steps if step.kind is StepKind.UNITS) == units == rated.units


@given(unit_models, st.lists(quantities, min_size=1, max_size=5), policies)
def test_segments_sum_to_the_whole(model: ChargeModel, parts: list[Decimal], policy: RatingPolicy) -> None:
    """price(before + now) - price(before), over any split; volume prices all units in the last segment."""
    total, billed = Decimal(0), Decimal(0)
    for number, part in enumerate(parts):
        segment = Segment(units_before=total if number else None, bills_volume=number == len(parts) - 1)
        billed += exact(model, part, policy=policy, segment=segment)
        total += part

    assert billed == exact(model, total, policy=policy)


@given(amounts, quantities)
def test_one_open_tier_is_a_standard_price(unit_amount: Decimal, units: Decimal) -> None:
    tier = (Tier(None, unit_amount),)

    assert exact(Standard(unit_amount), units) == exact(Graduated(tier), units) == exact(Volume(tier), units)


@given(sizes, amounts, quantities)
def test_packages_hold_all_units_and_start_none_in_vain(size: Decimal, amount: Decimal, units: Decimal) -> None:
    started = rate_exactly(Price(Package(size, amount)), Usage(units), POLICY, UNROUNDED).steps[0].units or Decimal(0)
    full = rate_exactly(Price(Package(size, amount, "down")), Usage(units), POLICY, UNROUNDED).steps[
        0
    ].units or Decimal(0)

    with localcontext(EXACT):
        assert (started - 1) * size < units <= started * size
        assert full * size <= units < (full + 1) * size


@given(prices, quantities, policies)
def test_the_steps_sum_to_the_amount_and_explain_themselves(price: Price, units: Decimal, policy: RatingPolicy) -> None:
    rated = rate_exactly(price, Usage(units), policy, CENTS)

    with localcontext(EXACT):
        assert sum((step.amount for step in rated.steps), Decimal(0)) == rated.amount
    assert rated.amount == rated.amount.quantize(Decimal("0.01"))
    assert explain(steps_to_json(rated.steps), currency="USD") == explain(rated.steps, currency="USD")


@given(prices, quantities)
def test_minimum_and_maximum_hold_to_the_cent(price: Price, units: Decimal) -> None:
    amount = rate_exactly(price, Usage(units), POLICY, CENTS).amount

    if price.min_amount is not None:
        assert amount >= CENTS.apply(price.min_amount)
    if price.max_amount is not None:
        assert amount <= CENTS.apply(price.max_amount)


@given(
    st.builds(Price, models)
    | prices
    | st.builds(
        Price,
        st.builds(Standard, amounts),
        st.builds(
            UnitConversion,
            st.sampled_from(["divide", "multiply"]),
            sizes,
            st.sampled_from([*RoundingMode]),
            st.integers(-2, 6),
        ),
    )
)
def test_json_gives_the_price_back_and_is_stable(price: Price) -> None:
    text = json.dumps(to_json(price))

    assert from_json(json.loads(text)) == price
    assert json.dumps(to_json(from_json(json.loads(text)))) == text == json.dumps(to_json(price), sort_keys=True)


weights = st.lists(st.decimals(min_value=0, max_value=1000, places=3), min_size=1, max_size=8).filter(any)
totals = st.integers(min_value=-(10**12), max_value=10**12)


@given(totals, weights)
def test_a_split_conserves_the_sum_and_is_fair_to_a_minor_unit(total: int, shares: list[Decimal]) -> None:
    parts = allocate(total, shares)
    whole = sum(map(Fraction, shares))

    assert sum(parts) == total
    assert all(
        abs(part - Fraction(total) * Fraction(share) / whole) < 1 for part, share in zip(parts, shares, strict=True)
    )


@given(totals, weights, st.sampled_from(["largest_remainder", "last"]), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_a_split_by_key_does_not_hang_on_the_order(
    total: int, shares: list[Decimal], remainder: Any, random: Any
) -> None:
    named = {f"k{number}": share for number, share in enumerate(shares)}
    mixed = dict(random.sample(sorted(named.items()), len(named)))

    parts = allocate_by_key(total, named, remainder=remainder)

    assert sum(parts.values()) == total
    assert all(parts.values())
    if remainder == "largest_remainder":
        assert parts == allocate_by_key(total, mixed)
