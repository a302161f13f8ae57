"""Proration: the worked tables of its page, and the laws that hold for any figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.calendar import Interval, Unit, midnight_of, parse_zone
from tenor.kernel.money import RoundingMode
from tenor.kernel.period import Period
from tenor.pricing.policy import Policy, Rounding, policy_with, profile
from tenor.pricing.rules.proration import (
    ChangedKind,
    Direction,
    InvoicedLine,
    ItemCredit,
    ItemLine,
    PeriodWithoutLength,
    PriceChange,
    QuantityChange,
    Share,
    TerminatedCharge,
    allocate_credits,
    anchor_move,
    billed_days,
    change_lines,
    direction,
    exact_part,
    netted,
    round_part,
    seat_units,
    share_minor,
    share_of,
    share_of_grant,
    share_of_year,
    termination_credit,
)
from tests.support.worked_tables import worked_table

PAGE = "algorithms/proration.md"
STANDARD = profile("standard")
NO_ROUNDING = Rounding(RoundingMode.NONE)
CENTS = Rounding(RoundingMode.HALF_UP)
JUNE = Period(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
CHANGED_AT_DAY_11 = Period(datetime(2025, 6, 11, tzinfo=UTC), JUNE.end)  # 20 of 30 days are left
UNITS = {"millisecond", "second", "minute", "day", "none"}
BOUNDS = {"half_open", "inclusive_days", "end_minus_second"}


def dec(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(text)


def share(text: str) -> Share | None:
    return None if text == "-" else Share(*map(int, text.split("/")))


def policy(words: str) -> Policy:
    """Read 'day inclusive_days' or 'day ratio_digits=9' as a policy."""
    keys: dict[str, object] = {}
    for word in words.split():
        if word in UNITS:
            keys["proration_unit"] = word
        elif word in BOUNDS:
            keys["bounds"] = word
        elif word.startswith("ratio_digits="):
            keys["ratio_digits"] = int(word.removeprefix("ratio_digits="))
        else:
            keys["day_count"] = word
    return policy_with("standard", keys)


def span(text: str, zone_name: str) -> Period:
    """Read 'from .. to', each an instant or a local day."""
    zone = parse_zone(zone_name)
    start, end = (
        datetime.fromisoformat(word) if "T" in word else midnight_of(datetime.fromisoformat(word).date(), zone)
        for word in text.split(" .. ")
    )
    return Period(start, end)


@pytest.mark.parametrize("row", worked_table(PAGE, "Shares"), ids="-".join)
def test_shares(row: list[str]) -> None:
    words, zone, period, used, expected = row

    found = share_of(
        period=span(period, zone), used=span(used, zone), policy=policy(words).proration, zone=parse_zone(zone)
    )

    assert found == share(expected)


@pytest.mark.parametrize("row", worked_table(PAGE, "What a share costs"), ids="-".join)
def test_what_a_share_costs(row: list[str]) -> None:
    amount, part, digits, costs, _ = row
    day_rate = NO_ROUNDING if digits == "-" else Rounding(RoundingMode.HALF_UP, int(digits))

    exact = exact_part(Decimal(amount), share(part), day_rate=day_rate, currency_digits=2)

    assert round_part(exact, CENTS, currency_digits=2) == Decimal(costs)


@pytest.mark.parametrize("row", worked_table(PAGE, "Changes"), ids="-".join)
def test_changes(row: list[str]) -> None:
    changes, part, kind, billing, cap, expected = row
    pairs = [change.split(" > ") for change in changes.split(", ")]

    found = change_lines(
        [PriceChange(dec(old), dec(new)) for old, new in pairs],
        share=share(part),
        kind=ChangedKind(kind),
        policy=policy_with("standard", {"change_billing": billing}).proration,
        rounding=STANDARD.rounding,
        currency_digits=2,
        credit_cap=dec(cap),
    )

    assert list(found.amounts) == [Decimal(amount) for amount in expected.split()]
    assert found.net == found.credit + found.charge == sum(found.amounts)


@pytest.mark.parametrize("row", worked_table(PAGE, "Where a credit lands"), ids="-".join)
def test_where_a_credit_lands(row: list[str]) -> None:
    link, credits_due, before, expected = row
    lines = [
        InvoicedLine("a", "seats", Decimal("10.00"), datetime(2026, 1, 15, tzinfo=UTC)),
        InvoicedLine("b", "seats", Decimal("19.00"), datetime(2026, 2, 1, tzinfo=UTC)),
        InvoicedLine("c", "support", Decimal("5.00"), datetime(2026, 3, 1, tzinfo=UTC)),
    ]
    pairs = [credit.split() for credit in credits_due.split(", ")]

    found = allocate_credits(
        [ItemCredit(item, Decimal(amount)) for item, amount in pairs],
        lines,
        credited_before={} if before == "-" else {before.split()[0]: Decimal(before.split()[1])},
        link="same_item" if link == "same_item" else "newest_charge_first",
    )

    assert ", ".join(f"{line} {amount}" for line, amount, _ in found) == expected


@pytest.mark.parametrize("row", worked_table(PAGE, "Cancellation"), ids="-".join)
def test_cancellation(row: list[str]) -> None:
    unused_time, coupon, before, invoice, *figures = row
    paid, total = invoice.split(" / ") if invoice != "-" else ("0", "0")
    lago = policy_with("lago", {"unused_time": unused_time})

    found = termination_credit(
        TerminatedCharge(
            amount=Decimal("31.00"),
            tax_rate=Fraction(20, 100),
            coupon=dec(coupon) or Decimal(0),
            credited_before=dec(before) or Decimal(0),
            invoice_total=Decimal(total),
            invoice_paid=Decimal(paid),
        ),
        unused=Share(16, 31),
        used=Share(15, 31),
        unused_time=lago.proration.unused_time,
        rounding=lago.rounding,
        currency_digits=2,
    )

    assert [found.total, found.to_credit, found.to_refund, found.to_offset] == [Decimal(f) for f in figures[:4]]


@pytest.mark.parametrize("row", worked_table(PAGE, "Seats"), ids="-".join)
def test_seats(row: list[str]) -> None:
    words = [change.split() for change in row[0].split(", ")]
    changes = [
        QuantityChange(
            Decimal(units),
            datetime.fromisoformat(f"2024-{day}T00:00:00Z"),
            datetime.fromisoformat(f"2024-{recorded}T00:00:00Z"),
        )
        for units, _, day, _, recorded in words
    ]

    found = seat_units(
        changes,
        period=span("2024-06-01 .. 2024-06-11", "UTC"),
        zone=UTC,
        units_rounding=Rounding(RoundingMode.HALF_UP, 6, "slice"),
    )

    assert found == Decimal(row[1])


def test_each_stretch_of_seats_is_rounded_by_itself_only_where_the_policy_says_so() -> None:
    period = span("2024-06-01 .. 2024-06-04", "UTC")
    one_more_each_day = [
        QuantityChange(Decimal(1), day, day) for day in (JUNE.start.replace(year=2024, day=day) for day in (1, 2, 3))
    ]

    def units(place: str) -> Decimal:
        rounding = Rounding(RoundingMode.HALF_UP, 2, place)
        return seat_units(one_more_each_day, period=period, zone=UTC, units_rounding=rounding)

    assert units("slice") == Decimal("0.99")  # 0.33 + 0.33 + 0.33
    assert units("total") == Decimal("1.00")  # 3/3


def test_a_grant_stays_between_nothing_and_all() -> None:
    def granted(used: Period) -> Share:
        return share_of_grant(period=JUNE, used=used, policy=STANDARD.proration, zone=UTC)

    assert granted(CHANGED_AT_DAY_11).fraction == Fraction(20, 30)
    assert granted(Period(JUNE.start, JUNE.end + timedelta(days=9))).fraction == 1
    assert granted(Period(JUNE.end + timedelta(days=9), JUNE.end)).fraction == 0


@pytest.mark.parametrize("period", [Period(JUNE.start, JUNE.start), Period(JUNE.end, JUNE.start)])
def test_no_grant_for_a_period_without_length(period: Period) -> None:
    with pytest.raises(PeriodWithoutLength):
        share_of_grant(period=period, used=period, policy=STANDARD.proration, zone=UTC)


def test_a_yearly_price_inside_a_shorter_period_costs_its_days_of_365() -> None:
    assert share_of_year(used=JUNE, years=1, zone=UTC) == (30, 365)
    assert share_of_year(used=JUNE, years=2, zone=UTC) == (30, 730)
    leap_year = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert share_of_year(used=leap_year, years=1, zone=UTC) == (365, 365)  # never more than the year


def test_days_that_count() -> None:
    week = span("2023-12-01T00:00:00Z .. 2023-12-07T00:00:00Z", "UTC")

    assert billed_days(week, STANDARD.proration, UTC) == 6
    # an end exactly at midnight counts that day too
    assert billed_days(week, policy("day inclusive_days").proration, UTC) == 7


@pytest.mark.parametrize(
    ("old", "new", "test", "expected"),
    [
        ("100", "200", "period_total", Direction.UPGRADE),
        ("200", "100", "period_total", Direction.DOWNGRADE),
        ("100", "100", "period_total", Direction.LATERAL),
        ("100", "100", "yearly_amount", Direction.UPGRADE),
        ("-", "100", "period_total", Direction.UPGRADE),
        ("100", "-", "period_total", Direction.DOWNGRADE),
    ],
)
def test_direction(old: str, new: str, test: str, expected: Direction) -> None:
    yearly = test == "yearly_amount"

    assert direction([PriceChange(dec(old), dec(new))], "yearly_amount" if yearly else "period_total") is expected


def test_netting_makes_one_line_of_an_item_and_keeps_what_has_none() -> None:
    lines = [
        ItemLine("base", Decimal(-100)),
        ItemLine(None, Decimal(30)),
        ItemLine("seats", Decimal(-50)),
        ItemLine("base", Decimal(50)),
        ItemLine("seats", Decimal(50)),
        ItemLine(None, Decimal(-30)),
        ItemLine(None, Decimal(0)),
    ]
    without_item = [line for line in lines if line.item is None]

    found = netted(lines, policy_with("standard", {"netting": "same_item"}).proration)

    assert found == [ItemLine("base", Decimal(-50)), *without_item]
    assert netted(lines, STANDARD.proration) == lines


def test_a_moved_anchor_gives_back_the_days_left_and_opens_a_new_period() -> None:
    period = span("2026-01-15 .. 2026-02-15", "UTC")

    move = anchor_move(period, to=datetime(2026, 2, 12, tzinfo=UTC), interval=Interval(Unit.MONTH), zone=UTC)

    assert move.credited_days == 3
    assert move.charged == span("2026-02-12 .. 2026-03-12", "UTC")


amounts_minor = st.integers(-(10**12), 10**12)
offsets = st.integers(0, 30 * 86_400)


@settings(max_examples=200, deadline=None)
@given(offsets, st.sampled_from(["second", "minute", "millisecond", "day"]), st.integers(0, 999_999))
def test_two_spans_that_meet_add_up(offset: int, unit: str, microseconds: int) -> None:
    at = JUNE.start + timedelta(seconds=offset)
    shifted = timedelta(microseconds=microseconds)
    period = Period(JUNE.start + shifted, JUNE.end + shifted)
    cut_at = min(max(at, period.start), period.end)
    rule = policy(unit).proration

    parts = [
        share_of(period=period, used=used, policy=rule, zone=UTC)
        for used in (Period(period.start, cut_at), Period(cut_at, period.end))
    ]

    assert None not in parts
    assert sum(part.used for part in parts if part) == parts[0].whole  # type: ignore[union-attr]  # checked above


@settings(max_examples=200, deadline=None)
@given(amounts_minor, st.integers(1, 10**7), st.integers(0, 10**7))
def test_the_integer_form_agrees_with_the_exact_one(minor: int, whole: int, used: int) -> None:
    part = Share(min(used, whole), whole)
    exact = exact_part(Decimal(minor).scaleb(-2), part, day_rate=NO_ROUNDING, currency_digits=2)

    assert Decimal(share_minor(minor, part)).scaleb(-2) == round_part(exact, CENTS, currency_digits=2)


@settings(max_examples=100, deadline=None)
@given(
    fee=st.integers(1, 10**7),
    coupon_percent=st.integers(0, 100),
    paid_percent=st.integers(0, 100),
    unused_days=st.integers(0, 31),
    unused_time=st.sampled_from(["credit", "refund", "offset"]),
)
def test_a_cancellation_gives_back_exactly_its_parts(
    fee: int, coupon_percent: int, paid_percent: int, unused_days: int, unused_time: str
) -> None:
    amount = Decimal(fee).scaleb(-2)
    lago = policy_with("lago", {"unused_time": unused_time})

    found = termination_credit(
        TerminatedCharge(
            amount=amount,
            tax_rate=Fraction(19, 100),
            coupon=(amount * coupon_percent / 100).quantize(Decimal("0.01")),
            invoice_total=Decimal(100),
            invoice_paid=Decimal(paid_percent),
        ),
        unused=Share(unused_days, 31),
        used=Share(31 - unused_days, 31),
        unused_time=lago.proration.unused_time,
        rounding=lago.rounding,
        currency_digits=2,
    )

    assert found.to_credit + found.to_refund + found.to_offset == found.total
    assert min(found.to_credit, found.to_refund, found.to_offset) >= 0


def test_the_cap_of_credits_holds_for_all_of_them_together() -> None:
    rounding = replace(STANDARD.rounding, rounding=CENTS)

    found = change_lines(
        [PriceChange(Decimal(90), None)] * 3,
        share=Share(1, 3),
        kind=ChangedKind.BY_TIME,
        policy=STANDARD.proration,
        rounding=rounding,
        currency_digits=2,
        credit_cap=Decimal(70),
    )

    assert found.amounts == (Decimal(-30), Decimal(-30), Decimal(-10))
