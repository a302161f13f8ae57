"""Owed: the worked tables of its page, and literal figures for every kind of charge."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from tenor.invoicing.rules.price_memory import PriceMemory, to_minor_exact
from tenor.kernel.calendar import parse_zone
from tenor.kernel.money import AmountTooLarge, RoundingMode
from tenor.pricing.charges import (
    DimensionKey,
    Flat,
    Graduated,
    Matrix,
    MatrixCell,
    Package,
    Price,
    Stairstep,
    Standard,
    Tier,
    UnpricedDimension,
    Volume,
)
from tenor.pricing.model import ChargeKind, Timing
from tenor.pricing.policy import policy_with, profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions.model import Item, Phase
from tests.support.invoicing import (
    ITEM,
    MONTH,
    PLAN,
    QUARTER,
    TEN_AT_FIVE_THEN_TWO,
    TENOR,
    YEAR,
    amounts,
    at,
    base,
    calls,
    cap,
    charge,
    charge_id,
    commitment,
    item,
    key,
    owed_of,
    phase,
    plan,
    seats,
    setup,
    span,
    used,
)
from tests.support.worked_tables import worked_table

PAGE = "algorithms/owed.md"
JUNE = ("2026-06-01", "2026-07-01")
ALL_JUNE = item(phase(*JUNE), anchor="2026-06-01")
BY_MODEL = Matrix(("model",), (MatrixCell(("large",), Standard(Decimal("0.50"))),), default=Standard(Decimal("0.10")))


def minor(amount: str) -> int:
    """Read '12.34' as 1234, '667' as 667, '6.667' as 6667: the digits alone."""
    return int(amount.replace(".", ""))


def life_of(served: str, *, month: datetime) -> Item:
    """Read '5 from 06-01, pause 06-11, from 06-21, end 06-25' in the zone of `month`, the anchor."""
    phases: list[Phase] = []
    for words in served.split(", "):
        *number, word, instant = words.split()
        start = datetime.fromisoformat(f"{month.year}-{instant}").replace(tzinfo=month.tzinfo).astimezone(UTC)
        if phases:
            phases[-1] = phases[-1]._replace(ends_at=start)
        if word != "end":
            begun = phase("2026-01-01", seats=int(number[0]) if number else None, is_billable=word == "from")
            phases.append(begun._replace(starts_at=start))
    return Item(ITEM, PLAN, month.astimezone(UTC), Decimal(0), tuple(phases))


@pytest.mark.parametrize("row", worked_table(PAGE, "What a period costs"), ids="-".join)
def test_what_a_period_costs(row: list[str]) -> None:
    profile_name, zone_name, month, price, served, expected, _ = row
    currency, amount, *of_a_seat = price.split()
    version = plan(seats(amount) if of_a_seat else base(amount), currency=currency)
    zone = parse_zone(zone_name)
    first_day = datetime.fromisoformat(month).replace(tzinfo=zone)

    found = owed_of(
        life_of(served, month=first_day),
        version,
        through=first_day.astimezone(UTC) + timedelta(days=27),
        zone=zone,
        policy=profile(profile_name),
    )

    assert amounts(found) == [minor(expected)]


@pytest.mark.parametrize("row", worked_table(PAGE, "Discount and commitment"), ids="-".join)
def test_discount_and_commitment(row: list[str]) -> None:
    committed, discount, served, units, fee, usage, true_up, _ = row
    start = f"2026-{served.removeprefix('from ')}"
    life = item(phase(start), anchor="2026-06-01", discount=discount)

    found = owed_of(
        life,
        plan(base("100.00"), calls("0.50"), commitment(committed)),
        through="2026-07-01",
        usage=used("calls", *JUNE, units),
    )

    assert [(entry.key, entry.amount_minor) for entry in found if entry.key.period == span(*JUNE)] == [
        (key("base", *JUNE), minor(fee)),
        (key("calls", *JUNE), minor(usage)),
        (key("minimum", *JUNE), minor(true_up)),
    ]


@pytest.mark.parametrize("row", worked_table(PAGE, "Caps"), ids="-".join)
def test_caps(row: list[str]) -> None:
    capped, committed, discount, served, units, fee, usage, true_up, taken_off, _ = row
    life = item(phase(f"2026-{served.removeprefix('from ')}"), anchor="2026-06-01", discount=discount)
    charges = [base("100.00"), calls("0.50"), cap(capped), *([] if committed == "-" else [commitment(committed)])]

    found = owed_of(life, plan(*charges), through="2026-07-01", usage=used("calls", *JUNE, units))

    wanted = {"base": fee, "calls": usage, "cap": taken_off, "minimum": true_up}
    assert {entry.key: entry.amount_minor for entry in found if entry.key.period == span(*JUNE)} == {
        key(code, *JUNE): minor(amount) for code, amount in wanted.items() if amount != "-"
    }


@pytest.mark.parametrize(
    ("price", "usage", "expected"),
    [
        (Price(Standard(Decimal("0.0025"))), 123_456, 30_864),  # 123,456 × 0.0025 = 308.64
        (Price(Standard(Decimal("0.0025"))), 0, 0),
        (Price(TEN_AT_FIVE_THEN_TWO), 15, 6_000),  # 10 × 5 + 5 × 2
        (Price(TEN_AT_FIVE_THEN_TWO), 10, 5_000),
        (Price(Volume((Tier(Decimal(10), Decimal(5)), Tier(None, Decimal(2))))), 15, 3_000),  # all 15 at 2
        (Price(Package(Decimal(10), Decimal(4))), 21, 1_200),  # three started packages
        (Price(Stairstep((Tier(Decimal(10), flat_amount=Decimal(5)), Tier(None, flat_amount=Decimal(9))))), 11, 900),
        (Price(Standard(Decimal(2)), free_units=Decimal(10)), 15, 1_000),  # 5 × 2
        (Price(Standard(Decimal(2)), free_units=Decimal(10)), 9, 0),
        (Price(Standard(Decimal(2)), min_amount=Decimal(20)), 3, 2_000),  # 6.00 topped up
        (Price(Standard(Decimal(2)), max_amount=Decimal(20)), 30, 2_000),  # 60.00 capped
        (Price(Graduated((Tier(Decimal(10), Decimal(1), Decimal(3)), Tier(None, Decimal(1))))), 4, 700),  # 4 × 1 + 3
    ],
)
def test_usage_costs_what_its_model_says(price: Price, usage: int, expected: int) -> None:
    found = owed_of(ALL_JUNE, plan(calls(price)), through="2026-07-01", usage=used("calls", *JUNE, usage))

    assert amounts(found) == [expected]


def test_usage_without_events_is_owed_at_nothing() -> None:
    (found,) = owed_of(ALL_JUNE, plan(calls()), through="2026-07-01")

    assert (found.key, found.amount_minor) == (key("calls", *JUNE), 0)


def test_usage_is_not_prorated_but_its_minimum_is_due_in_a_part_of_a_period() -> None:
    price = Price(Standard(Decimal(2)), min_amount=Decimal(20))
    life = item(phase("2026-06-16", "2026-07-01"), anchor="2026-06-01")

    found = owed_of(life, plan(calls(price)), through="2026-07-01", usage=used("calls", *JUNE, 30))

    assert amounts(found) == [6_000]


def test_what_was_not_served_at_all_costs_nothing_whatever_its_minimum() -> None:
    version = plan(
        base("100.00"),
        base("9.00", code="whole", is_prorated=False),
        seats("10.00"),
        calls(Price(Standard(Decimal(2)), min_amount=Decimal(20))),
        calls(Price(Flat(Decimal(5))), code="access"),
        calls(Price(BY_MODEL, min_amount=Decimal(8)), code="tokens"),
        commitment("500.00"),
    )
    paused = item(phase("2026-05-01", "2026-06-01"), phase("2026-06-01", "2026-07-01", is_billable=False))

    found = owed_of(paused, version, through="2026-07-01")

    in_june = [entry for entry in found if entry.key.period == span(*JUNE)]
    assert {entry.key.charge_id for entry in in_june} == {one.id for one in version.charges}
    assert amounts(in_june) == [0] * 7


def matrix_usage(by_model: Mapping[str, int]) -> Usage:
    units: dict[DimensionKey, Decimal] = {(name,): Decimal(number) for name, number in by_model.items()}
    return Usage(units=sum(units.values(), Decimal(0)), by_dimension=units)


@pytest.mark.parametrize(
    ("price", "by_model", "expected"),
    [
        (Price(BY_MODEL), {"large": 10, "small": 7}, {"large": 500, "small": 70}),
        (Price(BY_MODEL), {}, {}),
        # Usage without the property is priced by the default and has the key of the rest.
        (Price(BY_MODEL), {"large": 10, "": 7}, {"large": 500, "": 70}),
        # 5.70 of at least 20.00: the rest is 14.30.
        (Price(BY_MODEL, min_amount=Decimal(20)), {"large": 10, "small": 7}, {"large": 500, "small": 70, "": 1_430}),
        # The same in one key: 0.70 + 14.30.
        (Price(BY_MODEL, min_amount=Decimal(20)), {"large": 10, "": 7}, {"large": 500, "": 1_500}),
        (Price(BY_MODEL, max_amount=Decimal(2)), {"large": 10, "small": 7}, {"large": 500, "small": 70, "": -370}),
        (Price(BY_MODEL, min_amount=Decimal(20)), {}, {"": 2_000}),
    ],
)
def test_a_matrix_has_a_key_for_each_named_value_and_one_for_the_rest(
    price: Price, by_model: dict[str, int], expected: dict[str, int]
) -> None:
    usage = used("calls", *JUNE, matrix_usage(by_model))

    found = owed_of(ALL_JUNE, plan(calls(price)), through="2026-07-01", usage=usage)

    assert [(entry.key.dimension, entry.amount_minor) for entry in found] == list(expected.items())


def test_the_rest_of_a_matrix_explains_only_itself() -> None:
    usage = used("calls", *JUNE, matrix_usage({"large": 10, "": 7}))
    version = plan(calls(Price(BY_MODEL, min_amount=Decimal(20))))

    *_, rest = owed_of(ALL_JUNE, version, through="2026-07-01", usage=usage)

    # 7 × 0.10 = 0.70, and 14.30 that 5.70 lacks of 20.00.
    assert [step["amount"] for step in rest.trace["steps"]] == ["0.7", "14.3"]


def test_two_dimensions_are_told_apart_whatever_their_values_hold() -> None:
    price = Price(Matrix(("vendor", "model"), (), default=Standard(Decimal(1))))
    by_both: dict[DimensionKey, Decimal] = {
        ("a / b", "c"): Decimal(1),
        ("a", "b / c"): Decimal(2),
        ("a", ""): Decimal(4),
    }

    found = owed_of(
        ALL_JUNE, plan(calls(price)), through="2026-07-01", usage=used("calls", *JUNE, Usage(by_dimension=by_both))
    )

    assert sorted(amounts(found)) == [100, 200, 400]
    assert len({entry.key for entry in found}) == 3


def test_a_value_without_a_price_is_refused() -> None:
    price = Price(Matrix(("model",), (MatrixCell(("large",), Standard(Decimal(1))),)))
    usage = used("calls", *JUNE, matrix_usage({"small": 1}))

    with pytest.raises(UnpricedDimension):
        owed_of(ALL_JUNE, plan(calls(price)), through="2026-07-01", usage=usage)


def test_a_price_of_the_contract_overrules_the_plans() -> None:
    life = item(phase(*JUNE, seats=5, prices={"base": "80.00", "seats": "9.50", "setup": "0"}))

    found = owed_of(life, plan(base("100.00"), seats("10.00"), setup("50.00")), through="2026-06-01")

    assert amounts(found) == [8_000, 4_750, 0]  # 80.00; 5 × 9.50; nothing


def test_a_price_of_the_contract_keeps_the_included_seats() -> None:
    price = Price(Standard(Decimal(10)), free_units=Decimal(3), min_amount=Decimal(15))
    version = plan(charge(ChargeKind.SEAT, price, code="seats", timing=Timing.ADVANCE))

    five, four = (item(phase(*JUNE, seats=number, prices={"seats": "9.00"})) for number in (5, 4))

    assert amounts(owed_of(five, version, through="2026-06-01")) == [1_800]  # (5 − 3) × 9
    assert amounts(owed_of(four, version, through="2026-06-01")) == [1_500]  # 9.00, topped up


def test_a_price_that_changes_inside_a_period_costs_each_its_share() -> None:
    life = item(phase("2026-06-01", "2026-06-16"), phase("2026-06-16", prices={"base": "80.00"}))

    found = owed_of(life, plan(base("100.00")), through="2026-06-01")

    assert amounts(found) == [9_000]  # 100 × 15/30 + 80 × 15/30


def test_a_fee_that_is_not_prorated_is_due_whole_in_a_part_of_a_period() -> None:
    life = item(phase("2026-06-16", "2026-06-20"), anchor="2026-06-01")

    found = owed_of(life, plan(base("100.00", is_prorated=False)), through="2026-06-16")

    assert amounts(found) == [10_000]


def test_where_the_policy_prorates_nothing_a_change_of_seats_is_not_billed_twice() -> None:
    """Both slices whole would be 130.00; the first one's price is what was agreed for the period."""
    life = item(phase("2026-06-01", "2026-06-16", seats=5), phase("2026-06-16", seats=8))
    policy = policy_with("tenor", {"proration_unit": "none"})

    found = owed_of(life, plan(seats("10.00")), through="2026-06-01", policy=policy)

    assert amounts(found) == [5_000]


def test_a_one_off_is_owed_once_and_whole() -> None:
    life = item(phase("2026-06-16"), anchor="2026-06-01", discount="10")

    found = owed_of(life, plan(setup("50.00")), through="2026-12-31")

    assert [(entry.key, entry.amount_minor) for entry in found] == [(key("setup", *JUNE), 4_500)]  # 50 − 10 %


def test_a_trial_owes_nothing_and_what_follows_it_is_whole() -> None:
    life = item(phase("2026-05-15", "2026-06-01", is_billable=False, seats=5), phase("2026-06-01", seats=5))
    version = plan(base("100.00"), seats("10.00"), setup("50.00"))

    def owed_through(day: str) -> dict[str, list[int]]:
        every = owed_of(life, version, through=day)
        return {
            one.code: [entry.amount_minor for entry in every if entry.key.charge_id == one.id]
            for one in version.charges
        }

    assert owed_through("2026-05-31") == {"base": [0], "seats": [0], "setup": [0]}
    assert owed_through("2026-06-01") == {"base": [0, 10_000], "seats": [0, 5_000], "setup": [0, 5_000]}


def test_an_item_that_ends_owes_its_arrears_at_the_end() -> None:
    life = item(phase("2026-06-01", "2026-06-11"))

    (found,) = owed_of(life, plan(base("30.00", timing=Timing.ARREARS)), through="2026-06-11")

    assert (found.amount_minor, found.due_at) == (1_000, at("2026-06-11"))  # 30 × 10/30


def test_only_what_is_billed_ahead_and_recurs_is_deferred() -> None:
    version = plan(
        base("1.00"), base("1.00", code="later", timing=Timing.ARREARS), setup("1.00"), calls(), commitment("1.00")
    )

    found = owed_of(ALL_JUNE, version, through="2026-07-01")

    assert [entry.key.charge_id for entry in found if entry.is_deferred] == [charge_id("base")]


def test_a_monthly_commitment_is_not_met_by_a_charge_that_falls_due_after_it() -> None:
    """May and June are each short of 100.00, also once the quarter has brought 900.00."""
    version = plan(calls("1.00", interval=QUARTER), commitment("100.00"))
    quarter = ("2026-05-01", "2026-08-01")
    life = item(phase("2026-05-01"))

    found = owed_of(life, version, through="2026-08-01", usage=used("calls", *quarter, 900))

    assert amounts(found) == [90_000, 10_000, 10_000, 10_000]


def test_a_yearly_fee_does_not_meet_a_monthly_commitment() -> None:
    version = plan(base("1200.00", interval=YEAR), calls("1.00"), commitment("100.00"))
    life = item(phase("2026-06-01"))

    found = owed_of(life, version, through="2026-07-01", usage=used("calls", *JUNE, 30))

    assert amounts(found) == [120_000, 3_000, 7_000]


def test_a_quarterly_commitment_counts_the_months_inside_it() -> None:
    version = plan(base("100.00"), setup("50.00"), commitment("400.00", interval=QUARTER))
    life = item(phase("2026-05-01"))

    *_, true_up = owed_of(life, version, through="2026-08-01")

    # 400 − 3 × 100 − 50; the fee for August, due on the same day, belongs to the next quarter.
    assert (true_up.key, true_up.amount_minor) == (key("minimum", "2026-05-01", "2026-08-01"), 5_000)


@pytest.mark.parametrize("is_quarter_first", [True, False])
def test_of_two_commitments_the_shorter_counts_for_the_longer(is_quarter_first: bool) -> None:
    """Each month is topped up to 100.00, so 300.00 of the quarter's 350.00 are there, in whichever order they stand."""
    both = [commitment("350.00", code="quarter", interval=QUARTER), commitment("100.00", code="month", interval=MONTH)]
    version = plan(*(both if is_quarter_first else reversed(both)))

    found = owed_of(item(phase("2026-05-01")), version, through="2026-08-01")

    by_charge = sorted((entry.key.charge_id == charge_id("quarter"), entry.amount_minor) for entry in found)
    assert by_charge == [(False, 10_000), (False, 10_000), (False, 10_000), (True, 5_000)]


def test_a_commitment_of_a_part_of_a_period_is_measured_on_that_part() -> None:
    life = item(phase("2026-06-16", "2026-06-21"), anchor="2026-06-01")

    *_, true_up = owed_of(life, plan(base("60.00"), commitment("120.00")), through="2026-06-21")

    assert true_up.amount_minor == 1_000  # 120 × 5/30 = 20, less 60 × 5/30 = 10
    assert (true_up.trace["committed_minor"], true_up.trace["counted_minor"]) == (2_000, 1_000)


def test_rounding_happens_once_for_each_key_by_the_policys_mode() -> None:
    version, thirty = plan(calls("0.0005")), used("calls", *JUNE, 30)  # 0.015

    half_up = owed_of(ALL_JUNE, version, through="2026-07-01", usage=thirty)
    floor = owed_of(
        ALL_JUNE,
        version,
        through="2026-07-01",
        usage=thirty,
        policy=policy_with("tenor", {"rounding": {"mode": "floor", "digits": "currency", "place": "line"}}),
    )

    assert (amounts(half_up), amounts(floor)) == ([2], [1])


@pytest.mark.parametrize(
    ("amount", "digits", "mode", "expected"),
    [
        (Decimal("0.005"), 2, RoundingMode.HALF_UP, 1),
        (Decimal("-0.005"), 2, RoundingMode.HALF_UP, -1),
        (Decimal("0.005"), 2, RoundingMode.HALF_EVEN, 0),
        (Fraction(2, 3), 2, RoundingMode.HALF_UP, 67),
        (Fraction(2, 3), 0, RoundingMode.HALF_UP, 1),
        (Fraction(2, 3), 3, RoundingMode.FLOOR, 666),
        (Decimal("1E+3"), 2, RoundingMode.HALF_UP, 100_000),
    ],
)
def test_exact_amounts_become_minor_units(
    amount: Decimal | Fraction, digits: int, mode: RoundingMode, expected: int
) -> None:
    assert to_minor_exact(amount, digits, mode) == expected


def test_an_amount_that_the_ledger_cannot_hold_is_refused() -> None:
    """One absurd quantity must park its subscription, not break the batch that it is in."""
    life = item(phase(*JUNE, seats=10**14))

    assert amounts(owed_of(life, plan(seats("100.00")), through="2026-06-01")) == [10**18]
    with pytest.raises(AmountTooLarge):  # 2^62 is 4.6 × 10^18
        owed_of(life, plan(seats("500.00")), through="2026-06-01")


def test_prices_worked_out_before_are_those_worked_out_anew() -> None:
    fee, held = base("100.00"), seats("10.00")
    memory = PriceMemory(TENOR, currency="USD")

    asked = [
        (fee, Decimal(1), None),
        (fee, Decimal(1), Decimal(80)),
        (held, Decimal(5), None),
        (held, Decimal(5), Decimal("9.5")),
        (held, Decimal(8), None),
    ]
    for _ in range(2):
        assert [memory.amount(*question)[0] for question in asked] == [100, 80, 50, Decimal("47.5"), 80]
