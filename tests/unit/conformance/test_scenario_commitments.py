"""Commitments in scenarios: what a plan's fees lack of the minimum."""

from typing import Any

import pytest

from tests.support.scenario_stories import (
    Body,
    advance,
    cancel,
    fee,
    invoice,
    line,
    passes,
    plan,
    subscribe,
    usage_charge,
    used,
)

NEXT = {"commitment_invoice": "next_invoice"}
COMMITTED: Body = line("commitment", "1000.00")


def true_up(day: str, amount: str, **other: Any) -> Body:
    return invoice(day, lines=[line("commitment", amount)], line_counts={"commitment": 1}, **other)


def none(day: str) -> Body:
    return invoice(day, line_counts={"commitment": 0})


class TestInArrears:
    PLAN = plan("arrears", fee("100.00"), usage_charge("1"), COMMITTED)

    def test_fee_and_usage_of_the_period_count(self) -> None:
        passes(
            [subscribe("2025-03-01"), used("2025-03-05", properties={"n": "250"}), advance("2025-04-01")],
            [true_up("2025-04-01", "650.00", total="1000.00")],
            self.PLAN,
        )

    def test_a_part_of_a_period_commits_to_a_part(self) -> None:
        # 11 of 30 days: 366.67 less 36.67
        passes([subscribe("2025-04-20"), advance("2025-05-01")], [true_up("2025-05-01", "330.00")], self.PLAN)

    def test_who_uses_enough_owes_no_more(self) -> None:
        passes(
            [subscribe("2025-03-01"), used("2025-03-05", properties={"n": "2000"}), advance("2025-04-01")],
            [invoice("2025-04-01", total="2100.00", line_counts={"commitment": 0})],
            self.PLAN,
        )

    def test_an_end_commits_to_the_days_that_were_served(self) -> None:
        # 15 of 30 days: 500.00 less 50.00
        passes([subscribe("2025-04-01"), cancel("2025-04-15")], [true_up("2025-04-15", "450.00")], self.PLAN)


class TestInAdvance:
    PLAN = plan("advance", fee("100.00"), usage_charge("1"), COMMITTED)

    def test_the_next_invoice_looks_at_the_period_that_is_over(self) -> None:
        passes(
            [subscribe("2025-04-01"), used("2025-04-05", properties={"n": "250"}), advance("2025-05-01")],
            # the fee of April was invoiced before, its usage with the true-up
            [none("2025-04-01"), true_up("2025-05-01", "650.00", total="1000.00")],
            self.PLAN,
            policy=NEXT,
        )

    def test_at_an_end_the_whole_fee_counts_though_a_part_is_given_back(self) -> None:
        passes(
            [subscribe("2025-04-01"), cancel("2025-04-15")],
            # 15 of 30 days: 500.00 less 100.00
            [true_up("2025-04-15", "400.00"), {"at": "2025-04-15T00:00:00Z", "credit_note": {"total": "50.00"}}],
            self.PLAN,
            policy=NEXT,
        )

    def test_fees_on_arrival_count_with_or_without_an_invoice(self) -> None:
        charges = [usage_charge("1", "m", "advance"), usage_charge("1", "k", "advance", invoiceable=False)]
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-05", "m", properties={"n": "200"}),
                used("2025-04-06", "k", properties={"n": "50"}),
                advance("2025-05-01"),
            ],
            [true_up("2025-05-01", "650.00")],
            plan("advance", fee("100.00"), *charges, COMMITTED),
            metrics=[{"id": "m", "aggregation": "sum", "field": "n"}, {"id": "k", "aggregation": "sum", "field": "n"}],
            policy=NEXT,
        )

    def test_a_commitment_holds_whole_in_the_period_in_which_the_trial_ends(self) -> None:
        passes(
            [
                subscribe("2025-03-21T12:00:00Z"),
                advance("2025-04-01"),
                advance("2025-04-20T13:00:00Z"),
                advance("2025-05-01"),
            ],
            [
                {"at": "2025-04-01T00:00:00Z", "invoice_count": 0},
                # 11 of 30 days of 90.00
                invoice("2025-04-20T13:00:00Z", total="33.00"),
                true_up("2025-05-01", "967.00"),
            ],
            plan("advance", fee("90.00"), COMMITTED, trial_days=30),
            policy=NEXT,
        )


@pytest.mark.parametrize(
    ("interval", "count", "start", "end", "amount"),
    [
        ("week", 1, "2025-04-03", "2025-04-07", "514.29"),  # Thursday to Monday: 4 of 7 days, 571.43 less 57.14
        ("month", 3, "2025-02-15", "2025-04-01", "450.00"),  # 45 of the 90 days of the quarter: 500.00 less 50.00
        ("year", 1, "2025-12-02", "2026-01-01", "73.97"),  # 30 of 365 days: 82.19 less 8.22
    ],
)
def test_every_interval_commits_by_the_days_of_its_calendar(
    interval: str, count: int, start: str, end: str, amount: str
) -> None:
    passes(
        [subscribe(start), advance(end)],
        [true_up(end, amount)],
        {**plan("arrears", fee("100.00"), COMMITTED), "interval": interval, "interval_count": count},
    )


@pytest.mark.parametrize(("interval", "end"), [("week", "2025-04-10"), ("month", "2025-05-03"), ("year", "2026-04-03")])
def test_an_anniversary_commits_to_whole_periods(interval: str, end: str) -> None:
    passes(
        [subscribe("2025-04-03T10:00:00Z", alignment="anniversary"), advance(f"{end}T10:00:00Z")],
        [true_up(f"{end}T10:00:00Z", "900.00")],
        {**plan("arrears", fee("100.00"), COMMITTED), "interval": interval},
    )
