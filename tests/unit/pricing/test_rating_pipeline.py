"""The parts of a rating that no worked table of the page shows: segments, several quantities, credits, traces."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tenor.kernel.money import RoundingMode
from tenor.kernel.period import Period
from tenor.pricing.charges import Price, UnpricedDimension, WindowedCommitment, from_json
from tenor.pricing.policy import Rounding, policy_with
from tenor.pricing.rules.rating import (
    UNROUNDED,
    CreditsExceedAmount,
    MoneyRounding,
    QuotaWindow,
    Rated,
    Segment,
    Usage,
    UsageEvent,
    UsageWindow,
    explain,
    line_amounts,
    quote_event,
    rate_on_arrival,
    step_from_json,
    steps_to_json,
    window_starts,
)
from tests.support.rating import rate_exactly

CENTS = MoneyRounding(RoundingMode.HALF_UP, 2)
TIERS = [
    {"up_to": "5", "unit_amount": "0", "flat_amount": "100"},
    {"up_to": "10", "flat_amount": "50"},
    {"up_to": "15", "unit_amount": "5"},
    {"up_to": None, "unit_amount": "1"},
]


def price(**body: Any) -> Price:
    return from_json(body)


def rated(body: Price, usage: Usage, *, rounding: MoneyRounding = CENTS, **rest: Any) -> Rated:
    """Rate under Tenor's own policy, with the policy keys in `rest` replaced."""
    segment, draws = rest.pop("segment", Segment()), rest.pop("draws", ())
    return rate_exactly(body, usage, policy_with("tenor", rest).rating, rounding, segment=segment, draws=draws)


def units(number: str) -> Usage:
    return Usage(Decimal(number))


@pytest.mark.parametrize(
    ("timing", "billed"),
    [
        ("advance", {"only": "100", "middle": "0", "last": "0"}),
        ("arrears", {"only": "100", "middle": "0", "last": "100"}),
    ],
)
def test_a_flat_amount_falls_into_one_segment(timing: str, billed: dict[Any, str]) -> None:
    flat = price(model="flat", amount="100")

    for position, amount in billed.items():
        assert rated(flat, units("1"), segment=Segment.at(position, timing=timing)).amount == Decimal(amount)


def test_a_flat_fee_that_is_due_without_usage_is_not_due_again_in_a_later_segment() -> None:
    graduated = price(model="graduated", tiers=TIERS)
    later = Segment.at("middle", timing="arrears", units_before=Decimal(0))

    assert rated(graduated, units("3"), flat_fee_at_zero_units=True).amount == 100
    assert rated(graduated, units("3"), flat_fee_at_zero_units=True, segment=later).amount == 0
    assert rated(graduated, units("3"), flat_fee_at_zero_units=False, segment=later).amount == 100


def test_volume_waits_for_the_last_segment_or_takes_back_what_was_booked() -> None:
    volume = price(model="volume", tiers=[{"up_to": "10", "unit_amount": "3"}, {"up_to": None, "unit_amount": "2"}])
    middle = Segment.at("middle", timing="arrears", units_before=Decimal(8))
    last = Segment.at("last", timing="arrears", units_before=Decimal(8))

    # 8 units cost 24.00, 12 units 24.00 at the lower price
    assert rated(volume, units("4"), segment=middle).amount == 0
    assert rated(volume, units("4"), segment=last).amount == 24
    progressive = rated(volume, units("4"), segment=middle, volume_progressive=True)
    assert [step.amount for step in progressive.steps] == [-24, 24]


@pytest.mark.parametrize(("scope", "billed"), [("segment", "2"), ("period", "1")])
def test_a_conversion_rounds_each_segment_or_the_running_total(scope: str, billed: str) -> None:
    converted = price(
        model="standard",
        unit_amount="10",
        unit_conversion={"operation": "divide", "factor": "1000", "rounding": "ceil"},
    )
    segment = Segment.at("middle", timing="arrears", units_before=Decimal(1400))

    result = rated(converted, units("1300"), segment=segment, unit_conversion_scope=scope)

    # by the segment, 1.3 rounds up to 2; by the period, 2.7 and 1.4 round up to 3 and 2
    assert (result.units, result.units_before) == (Decimal(billed), Decimal(2))
    assert result.amount == 10 * Decimal(billed)


def test_free_units_are_taken_off_the_running_total() -> None:
    free = price(model="standard", unit_amount="100", free_units="110")
    amounts = []
    for before, now in [("0", "50"), ("50", "75"), ("125", "30")]:
        segment = Segment.at("middle", timing="arrears", units_before=Decimal(before))
        amounts.append(rated(free, units(now), segment=segment).amount)

    assert amounts == [0, 1500, 3000]  # 0, 125 - 110 = 15, 30 units


def test_buckets_are_priced_each_alone_and_rounded_once() -> None:
    package = price(model="package", size="10", amount="1.004")

    result = rated(package, Usage(buckets=(Decimal(9), Decimal(10), Decimal(11))))

    assert result.amount == Decimal("4.02")  # 1 + 1 + 2 packages = 4.016
    assert rated(package, Usage(buckets=())).amount == 0


def test_a_package_that_counts_when_it_is_full_counts_in_the_segment_that_fills_it() -> None:
    full = price(model="package", size="10", amount="1", round="down")
    segment = Segment.at("middle", timing="arrears", units_before=Decimal(9))

    assert rated(full, units("5"), segment=segment).amount == 1  # 14 units are one full package, 9 were none


def test_what_a_tier_may_cost_at_most_is_not_given_back_by_a_later_segment() -> None:
    capped = price(model="graduated", tiers=[{"up_to": None, "unit_amount": "1", "max_amount": "10"}])

    def amount(before: str, now: str) -> Decimal:
        return rated(capped, units(now), segment=Segment(units_before=Decimal(before))).amount

    assert amount("8", "5") == 2  # 8.00 were due before, 10.00 are now
    assert amount("12", "5") == 0


def events(*numbers: str) -> Usage:
    return Usage(sum(map(Decimal, numbers), Decimal(0)), tuple(UsageEvent(Decimal(number)) for number in numbers))


def test_an_event_that_uses_up_the_allowance_to_the_unit_is_free() -> None:
    percentage = price(model="percentage", rate_percent="10", fixed_amount="1", free_amount="100")

    assert rated(percentage, events("60", "40")).amount == 0
    assert rated(percentage, events("60", "40", "50")).amount == 6  # 10 % of 50 and 1.00 for the one event


def test_events_that_cancel_each_other_cost_nothing_not_even_for_each_of_them() -> None:
    percentage = price(model="percentage", rate_percent="10", fixed_amount="1")

    assert rated(percentage, events("5", "-5")).amount == 0


def test_an_exhausted_quota_asks_for_money_from_its_exhaustion_until_its_window_ends() -> None:
    parallel = price(model="parallel_quota_windows", unit_amount="2")
    ten, eleven = (datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in (10, 11))
    used = Usage(
        events=tuple(UsageEvent(Decimal(1), at=at) for at in (ten - timedelta(minutes=1), ten, eleven)),
        quotas=(QuotaWindow(Decimal(5), exhausted_at=ten, end=eleven),),
    )

    assert rated(parallel, used).amount == 2  # the one at ten


def test_several_metrics_are_summed() -> None:
    tiers = [
        {"up_to": "10", "block_size": "1", "block_amount": "1"},
        {"up_to": "60", "block_size": "1", "block_amount": "10"},
    ]
    both = price(
        model="metric_sum",
        parts=[
            {"metric": "calls", "model": {"model": "graduated", "tiers": tiers}},
            {"metric": "bytes", "model": {"model": "standard", "unit_amount": "0.5"}},
        ],
    )

    result = rated(both, Usage(by_metric={"calls": Decimal(12), "bytes": Decimal(7)}))

    assert result.amount == Decimal("33.5")  # 10 x 1 + 2 x 10 + 7 x 0.5
    assert explain(result.steps, currency="USD")[-1] == "bytes: 7 × 0.50 = 3.50"
    assert rated(both, Usage()).amount == 0


@pytest.mark.parametrize(
    ("by_metric", "amount"),
    [
        ({"cpu": "100", "disk": "50"}, "10"),
        ({"cpu": "100", "disk": "51"}, "20"),
        ({"cpu": "201"}, "20"),  # fits nowhere: the last tier
        ({"cpu": "0", "disk": "0"}, "3"),
    ],
)
def test_capacity_is_the_first_tier_into_which_everything_fits(by_metric: dict[str, str], amount: str) -> None:
    capacity = price(
        model="capacity",
        zero_usage_amount="3",
        tiers=[
            {"bounds": [{"metric": "cpu", "up_to": "100"}, {"metric": "disk", "up_to": "50"}], "flat_amount": "10"},
            {"bounds": [{"metric": "cpu", "up_to": "200"}, {"metric": "disk", "up_to": None}], "flat_amount": "20"},
        ],
    )

    usage = Usage(by_metric={metric: Decimal(number) for metric, number in by_metric.items()})

    assert rated(capacity, usage).amount == Decimal(amount)


def test_a_conversion_reaches_every_dimension() -> None:
    matrix = price(
        model="matrix",
        dimensions=["model"],
        cells=[{"key": ["large"], "model": {"model": "standard", "unit_amount": "30"}}],
        unit_conversion={"operation": "divide", "factor": "1000000"},
    )

    result = rated(matrix, Usage(by_dimension={("large",): Decimal(1_500_000)}))

    assert result.amount == 45
    assert explain(result.steps, currency="USD") == [
        "large: 1500000 metered units count as 1.5",
        "large: 1.5 × 30.00 = 45.00",
    ]
    with pytest.raises(UnpricedDimension):
        rated(matrix, Usage(by_dimension={("small",): Decimal(1)}))


def test_a_pricing_unit_becomes_money_and_is_rounded_twice_by_name() -> None:
    tokens = price(model="standard", unit_amount="0.333", pricing_unit_rate="0.25")

    result = rated(tokens, units("10"))

    assert result.amount == Decimal("0.83")  # 3.33 tokens x 0.25 = 0.8325
    assert result.exact == Decimal("0.8325")
    assert explain(result.steps, currency="USD") == [
        "10 × 0.333 = 3.33",
        "3.33 pricing units × 0.25 = 0.8325",
        "−0.0025 (rounding)",
    ]


def test_every_reduction_is_rounded_by_itself_and_unrounded_keeps_every_digit() -> None:
    discounted = price(model="standard", unit_amount="0.333", percent_off="10")

    assert rated(discounted, units("1")).amount == Decimal("0.30")  # 0.33 less 0.033, which is 0.03
    assert rated(discounted, units("1"), rounding=UNROUNDED).amount == Decimal("0.2997")


def test_credits_pay_in_their_order_and_never_more_than_the_amount() -> None:
    graduated = price(model="graduated", tiers=TIERS, min_amount="200")

    result = rated(graduated, units("10"), draws=(Decimal(75), Decimal(100)))

    assert result.amount == 25  # 150.00 + 50.00 minimum - 175.00
    assert line_amounts(result.steps, CENTS) == [0, 0, 0, 25]
    with pytest.raises(CreditsExceedAmount):
        rated(graduated, units("10"), draws=(Decimal(150), Decimal("50.01")))


def test_a_maximum_is_taken_off_the_last_lines_first() -> None:
    graduated = price(model="graduated", tiers=TIERS, max_amount="170")
    segment = Segment.at("middle", timing="arrears", units_before=Decimal(12), billed_before=Decimal(160))

    result = rated(graduated, units("10"), segment=segment)

    assert result.amount == 10  # 3 x 5 + 7 x 1 = 22.00, of which 10.00 are left below 170.00
    assert line_amounts(result.steps, CENTS) == [10, 0]


def test_a_maximum_that_was_passed_before_gives_nothing_back() -> None:
    standard = price(model="standard", unit_amount="100", max_amount="10000")
    segment = Segment.at("middle", timing="arrears", units_before=Decimal(200), billed_before=Decimal(20_000))

    result = rated(standard, units("10"), segment=segment)

    assert [result.amount, result.steps[-1].amount] == [0, -1000]


def test_a_percentage_is_taken_off_every_line_and_a_pricing_unit_scales_it() -> None:
    graduated = price(
        model="graduated",
        tiers=[{"up_to": "1", "unit_amount": "10"}, {"up_to": None, "unit_amount": "4"}],
        pricing_unit_rate="0.5",
        percent_off="10",
    )

    assert line_amounts(rated(graduated, units("2")).steps, CENTS) == [Decimal("4.5"), Decimal("1.8")]


def test_a_stored_trace_is_explained_like_a_fresh_one() -> None:
    graduated = price(model="graduated", tiers=TIERS, percent_off="10", min_amount="300", free_units="1")
    steps = rated(graduated, units("23")).steps

    stored = json.loads(json.dumps(steps_to_json(steps)))

    assert stored[1] == {"kind": "units", "units": "5", "price": "0", "amount": "0", "above": "0", "up_to": "5"}
    assert tuple(step_from_json(step) for step in stored) == steps
    assert explain(stored, currency="JPY") == explain(steps, currency="JPY")
    assert explain(stored, currency="JPY")[1:3] == ["5 × 0 = 0 (first 5)", "flat fee 100 (first 5)"]


def test_an_endless_fraction_is_cut_off_in_words_only() -> None:
    third = price(model="standard", unit_amount="1", unit_conversion={"operation": "divide", "factor": "3"})

    assert explain(rated(third, units("1")).steps, currency="USD")[1].endswith(" × 1.00 = 0.333333333333…")


def test_rounding_takes_the_currency_s_digits_where_the_policy_names_none() -> None:
    assert MoneyRounding.of(Rounding(RoundingMode.CEIL), currency="JPY") == (RoundingMode.CEIL, 0)
    assert MoneyRounding.of(Rounding(RoundingMode.CEIL, 5), currency="JPY") == (RoundingMode.CEIL, 5)


def test_each_event_pays_on_arrival_for_what_it_adds_above_the_highest() -> None:
    standard = price(model="standard", unit_amount="1.004")
    events = [UsageEvent(Decimal(number)) for number in ("10", "-4", "8")]

    arrivals = rate_on_arrival(standard, events, policy_with("tenor", {}).rating, CENTS, aggregation="sum")

    # 10.04, nothing for going down, then 14.056 - 10.04 = 4.016
    assert [arrival.units for arrival in arrivals] == [10, 0, 4]
    assert [arrival.amount for arrival in arrivals] == [Decimal("10.04"), 0, Decimal("4.02")]


@pytest.mark.parametrize(("units_of_it", "amount"), [("50", "6"), ("0", "1"), ("-50", "0")])
def test_an_event_alone_is_quoted_without_allowance_and_one_that_takes_back_costs_nothing(
    units_of_it: str, amount: str
) -> None:
    percentage = price(model="percentage", rate_percent="10", fixed_amount="1", free_amount="1000")
    event = UsageEvent(Decimal(units_of_it))

    assert quote_event(percentage, event, policy_with("tenor", {}).rating, CENTS).amount == Decimal(amount)


def test_an_event_that_makes_the_whole_cheaper_gives_nothing_back() -> None:
    volume = price(model="volume", tiers=[{"up_to": "2", "unit_amount": "3"}, {"up_to": None, "unit_amount": "1"}])
    events = [UsageEvent(Decimal(1))] * 7

    arrivals = rate_on_arrival(volume, events, policy_with("tenor", {}).rating, CENTS, aggregation="count")

    # so far 3, 6, then at the lower price 3, 4, 5, 6, 7: only what is above the 6.00 already paid
    assert [arrival.amount for arrival in arrivals] == [3, 3, 0, 0, 0, 0, 1]


def test_a_unique_value_that_comes_back_is_a_unit_but_free() -> None:
    standard = price(model="standard", unit_amount="12")
    events = [
        UsageEvent(value="a"),
        UsageEvent(value="a", is_removal=True),
        UsageEvent(value="a"),
        UsageEvent(value="b"),
    ]

    arrivals = rate_on_arrival(standard, events, policy_with("tenor", {}).rating, CENTS, aggregation="unique_count")

    assert [arrival.units for arrival in arrivals] == [1, 0, 1, 1]
    assert [arrival.amount for arrival in arrivals] == [12, 0, 0, 12]


@pytest.mark.parametrize(("is_topped_up", "amount"), [(True, 15), (False, 13)])
def test_a_window_short_of_its_commitment_is_topped_up_only_where_the_price_says_so(
    is_topped_up: bool, amount: int
) -> None:
    windowed = price(
        model="windowed_commitment",
        unit_amount="1",
        commitment_amount="5",
        overage_factor="2",
        true_up=is_topped_up,
    )

    rated_windows = rated(windowed, Usage(windows=(UsageWindow(Decimal(3)), UsageWindow(Decimal("7.5")))))

    assert rated_windows.amount == amount  # 3 or 5 for the first; 5 and twice 2.5 above it for the second


def test_windows_to_be_rated_are_read_on_the_grid_in_the_local_zone() -> None:
    model = price(
        model="windowed_commitment",
        unit_amount="1",
        time_of_day=[{"from_minute": 1380, "to_minute": 60, "commitment_amount": "5", "true_up": True}],
    ).model
    assert isinstance(model, WindowedCommitment)
    day = Period(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))

    starts = window_starts(model, [day.start + timedelta(hours=10)], period=day, length=timedelta(hours=1))

    assert [start.hour for start in starts] == [0, 10, 23]  # the hours run over midnight
