"""Seats in scenarios: units bought by number, changed, prorated, and carried from plan to plan."""

from typing import Any

import pytest

from tests.support.scenario_stories import Body, advance, cancel, fee, invoice, passes, plan, step, subscribe


def seats(quantity: str, unit_amount: str = "10", **other: Any) -> Body:
    return {
        "kind": "seat",
        "item": "a",
        "model": "standard",
        "properties": {"unit_amount": unit_amount},
        "quantity": quantity,
        **other,
    }


def change(day: str, quantity: str, **other: Any) -> Body:
    return step(day, "change_quantity", subscription="s1", item="a", quantity=quantity, **other)


def seat_line(amount: str, **other: Any) -> Body:
    return {"kind": "seat", "amount": amount, **other}


ADVANCE = plan("advance", fee("0.00"), seats("10", timing="advance", prorated=False))
BY_DAYS = plan("advance", fee("0.00"), seats("10", timing="advance", prorated=True))


class TestInAdvance:
    def test_more_seats_than_were_ever_paid_are_charged_at_once(self) -> None:
        passes(
            [subscribe("2025-03-01"), change("2025-03-11", "15"), change("2025-03-21", "20"), advance("2025-04-01")],
            [
                invoice("2025-03-01", lines=[seat_line("100.00", quantity="10")]),
                invoice("2025-03-11", subtotal="50.00", lines=[seat_line("50.00", quantity="5")]),
                invoice("2025-03-21", subtotal="50.00", lines=[seat_line("50.00", quantity="5")]),
                invoice("2025-04-01", lines=[seat_line("200.00", quantity="20")]),
            ],
            ADVANCE,
        )

    def test_fewer_seats_give_nothing_back_until_the_next_period(self) -> None:
        passes(
            [subscribe("2025-03-01"), change("2025-03-11", "5"), change("2025-03-21", "8"), advance("2025-04-01")],
            [
                invoice("2025-03-11", subtotal="0.00", line_count=0),
                invoice("2025-03-21", subtotal="0.00"),
                invoice("2025-04-01", lines=[seat_line("80.00", quantity="8")]),
            ],
            ADVANCE,
        )

    def test_more_seats_pay_the_days_that_are_left(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "12")],
            # 2 seats for 15 of 30 days at 10.00
            [invoice("2025-04-01", subtotal="100.00"), invoice("2025-04-16", subtotal="10.00")],
            BY_DAYS,
        )

    def test_seats_that_come_back_within_the_number_paid_are_free(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-11", "5"), change("2025-04-16", "12")],
            # 10 were paid to the end: only 2 more for 15 of 30 days
            [invoice("2025-04-11", subtotal="0.00"), invoice("2025-04-16", subtotal="10.00")],
            BY_DAYS,
        )

    def test_by_policy_each_change_pays_its_difference(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "5"), change("2025-04-22", "10")],
            # -5 seats for 15 of 30 days; then 5 seats for 9 of 30 days
            [invoice("2025-04-16", subtotal="-25.00"), invoice("2025-04-22", subtotal="15.00")],
            BY_DAYS,
            policy={"seat_increase": "difference"},
        )

    def test_a_change_for_the_next_period_is_not_invoiced(self) -> None:
        passes(
            [subscribe("2025-03-01"), change("2025-03-11", "15", effective="period_end"), advance("2025-04-01")],
            [
                {"at": "2025-03-11T00:00:00Z", "invoice_count": 1},
                invoice("2025-04-01", lines=[seat_line("150.00", quantity="15")]),
            ],
            ADVANCE,
        )

    def test_a_part_of_the_first_period_is_paid_by_its_days(self) -> None:
        passes([subscribe("2025-04-16T09:00:00Z")], [invoice("2025-04-16T09:00:00Z", subtotal="50.00")], BY_DAYS)

    def test_seats_named_at_the_start_stand_for_the_plans_own(self) -> None:
        start = "2025-04-01T09:00:00Z"
        passes([subscribe(start, quantities={"a": "3"})], [invoice(start, subtotal="30.00")], ADVANCE)


class TestInArrears:
    def test_what_is_bought_at_the_end_is_billed_at_the_end(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "4"), advance("2025-05-01")],
            [{"at": "2025-04-16T00:00:00Z", "invoice_count": 0}, invoice("2025-05-01", lines=[seat_line("40.00")])],
            plan("arrears", fee("1.00"), seats("10", timing="arrears", prorated=False)),
        )

    def test_each_number_of_seats_counts_for_its_days(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "4"), advance("2025-05-01")],
            # (10 x 15 + 4 x 15) / 30 = 7 units
            [invoice("2025-05-01", lines=[seat_line("70.00", units="7")])],
            plan("arrears", fee("1.00"), seats("10", timing="arrears", prorated=True)),
        )

    def test_the_day_of_the_end_counts(self) -> None:
        passes(
            [subscribe("2025-04-01"), cancel("2025-04-15T12:00:00Z")],
            # 15 of 30 days
            [invoice("2025-04-15T12:00:00Z", lines=[seat_line("50.00")])],
            plan("arrears", fee("1.00"), seats("10", timing="arrears", prorated=True)),
        )


class TestPlanChanges:
    BIG = plan("arrears", fee("100.00"), seats("10", "20", timing="advance", prorated=True), id="big")
    SMALL = plan("arrears", fee("1.00"), seats("6", timing="advance", prorated=True))

    def test_a_new_plan_takes_the_paid_days_of_the_same_item_off_its_fee(self) -> None:
        passes(
            [subscribe("2025-04-01"), step("2025-04-16", "change_plan", subscription="s1", plan="big")],
            # 10 x 20.00 x 15/30 = 100.00, less 15 of 30 paid days of 60.00
            [invoice("2025-04-16", lines=[seat_line("70.00")], line_counts={"seat": 1})],
            self.SMALL,
            self.BIG,
        )

    def test_without_the_carry_the_new_fee_is_whole(self) -> None:
        passes(
            [subscribe("2025-04-01"), step("2025-04-16", "change_plan", subscription="s1", plan="big")],
            [invoice("2025-04-16", lines=[seat_line("100.00")])],
            self.SMALL,
            self.BIG,
            policy={"seat_carry": "none"},
        )

    @pytest.mark.parametrize(
        ("owner", "old", "new"),
        [
            ("new", "30.00", "100.00"),  # 15 of 30 days of 60.00, 15 of 30 days of 200.00
            ("old", "32.00", "93.33"),  # 16 and 14 days
            ("both", "32.00", "100.00"),  # the day of the change counts twice
        ],
    )
    def test_the_day_of_a_change_has_its_owner(self, owner: str, old: str, new: str) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                step("2025-04-16T08:00:00Z", "change_plan", subscription="s1", plan="big"),
                advance("2025-05-01"),
            ],
            [
                invoice("2025-04-16T08:00:00Z", lines=[seat_line(old)], line_counts={"seat": 1}),
                invoice("2025-05-01", lines=[seat_line(new)], line_counts={"seat": 1}),
            ],
            plan("arrears", fee("1.00"), seats("6", timing="arrears", prorated=True)),
            plan("arrears", fee("100.00"), seats("10", "20", timing="arrears", prorated=True), id="big"),
            policy={"seat_change_day_owner": owner},
        )
