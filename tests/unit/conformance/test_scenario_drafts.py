"""Drafts and threshold invoices in scenarios."""

from typing import Any

import pytest

from tests.support.scenario_stories import (
    Body,
    advance,
    cancel,
    fee,
    invoice,
    passes,
    plan,
    step,
    subscribe,
    usage_charge,
    used,
)

GRACE = {"grace_days": 3}
METERED = plan("arrears", fee("10.00"), usage_charge("1"))


def edit(day: str, kind: str = "usage", **other: Any) -> Body:
    return step(day, "edit_line", line={"kind": kind}, **other)


class TestGrace:
    def test_the_job_makes_a_draft_final_when_its_days_are_over(self) -> None:
        passes(
            [subscribe("2025-04-01"), advance("2025-05-01"), advance("2025-05-03"), advance("2025-05-04")],
            [
                invoice("2025-05-01", state="draft"),
                invoice("2025-05-03", which="latest", state="draft"),
                invoice("2025-05-04", which="latest", state="finalized", issue_date="2025-05-01"),
                {"at": "2025-05-04T00:00:00Z", "invoice_count": 1},
            ],
            METERED,
            customer=GRACE,
        )

    def test_usage_that_comes_late_enters_the_draft(self) -> None:
        late = used("2025-05-02", properties={"n": "7"}, event_at="2025-04-20T00:00:00Z")
        passes(
            [subscribe("2025-04-01"), advance("2025-05-01"), late, advance("2025-05-04")],
            [
                invoice("2025-05-02", which="latest", total="10.00"),
                invoice("2025-05-04", which="latest", state="finalized", total="17.00"),
            ],
            METERED,
            customer=GRACE,
        )

    def test_an_edited_line_stays_as_it_is(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "1"}),
                advance("2025-05-01"),
                edit("2025-05-01", units="3", unit_amount="5.00"),
                used("2025-05-02", properties={"n": "7"}, event_at="2025-04-20T00:00:00Z"),
                step("2025-05-02", "refresh_invoice", invoice="latest_draft"),
            ],
            [
                invoice(
                    "2025-05-02",
                    which="latest",
                    total="25.00",
                    lines=[{"kind": "usage", "units": "3", "unit_amount": "5"}],
                )
            ],
            METERED,
            customer=GRACE,
        )

    def test_a_note_on_a_draft_follows_its_line_down_to_nothing(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                cancel("2025-04-10"),
                edit("2025-04-10", "recurring", invoice="first", units="1", unit_amount="15.00"),
                edit("2025-04-11", "recurring", invoice="first", units="1", unit_amount="0"),
            ],
            [
                # 20 of 30 days of 30.00, of 15.00, of nothing
                {"at": "2025-04-10T00:00:00Z", "after_step": 1, "credit_note": {"total": "20.00", "state": "draft"}},
                {"at": "2025-04-10T00:00:00Z", "after_step": 2, "credit_note": {"total": "10.00"}},
                {"at": "2025-04-11T00:00:00Z", "credit_note": {"total": "0.00", "balance": "0.00"}},
            ],
            plan("advance", fee("30.00")),
            customer=GRACE,
        )

    def test_a_note_on_a_draft_waits_for_it_and_pays_another_invoice(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "30"}),
                cancel("2025-04-10"),
                step("2025-04-11", "finalize_invoice", invoice="first"),
                step("2025-04-12", "finalize_invoice", invoice="latest_draft"),
            ],
            [
                {"at": "2025-04-10T00:00:00Z", "credit_note": {"state": "draft"}, "credit_note_balance": "0.00"},
                invoice("2025-04-11", which="first", credit_notes_applied="0.00", total="30.00"),
                {"at": "2025-04-11T00:00:00Z", "credit_note_balance": "20.00"},
                invoice("2025-04-12", which="closing", credit_notes_applied="20.00", total="10.00"),
            ],
            plan("advance", fee("30.00"), usage_charge("1")),
            customer=GRACE,
        )

    def test_what_is_final_cannot_be_edited(self) -> None:
        passes(
            [subscribe("2025-04-01"), advance("2025-05-01"), edit("2025-05-01", units="3", error=True)],
            [invoice("2025-05-01", total="10.00")],
            METERED,
        )


class TestThresholds:
    @staticmethod
    def reached(day: str, total: str, **other: Any) -> Body:
        return invoice(day, reason="threshold", state="finalized", total=total, **other)

    def test_a_threshold_is_invoiced_at_once_and_taken_off_the_final_invoice(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "100"}),
                used("2025-04-03", properties={"n": "150"}),
                used("2025-04-04", properties={"n": "50"}),
                advance("2025-05-01"),
            ],
            [
                {"at": "2025-04-02T00:00:00Z", "invoice_count": 0},
                self.reached("2025-04-03", "250.00", tax="0.00"),
                {"at": "2025-04-04T00:00:00Z", "invoice_count": 1},
                invoice("2025-05-01", subtotal="310.00", progressive_credit="250.00", net="60.00", total="60.00"),
            ],
            plan(
                "arrears", fee("10.00"), usage_charge("1"), usage_thresholds=[{"amount": "200.00", "recurring": False}]
            ),
            customer=GRACE,
        )

    def test_recurring_thresholds_count_on_from_the_last_single_one(self) -> None:
        thresholds = [
            {"amount": "2.00", "recurring": False},
            {"amount": "5.00", "recurring": False},
            {"amount": "10.00", "recurring": True},
        ]
        amounts = ["2.20", "2.20", "2.20", "5.00", "3.80", "22.00"]
        days = [f"2025-04-0{number}" for number in range(2, 8)]
        passes(
            [
                subscribe("2025-04-01"),
                *(used(day, properties={"n": amount}) for day, amount in zip(days, amounts, strict=True)),
            ],
            [
                self.reached(days[0], "2.20"),  # reaches 2
                {"at": f"{days[1]}T00:00:00Z", "invoice_count": 1},
                self.reached(days[2], "4.40"),  # 6.60 reaches 5
                {"at": f"{days[3]}T00:00:00Z", "invoice_count": 2},  # 11.60 does not reach 15
                self.reached(days[4], "8.80"),  # 15.40 does
                self.reached(days[5], "22.00"),  # 37.40 reaches 25 and 35 at once
            ],
            plan("arrears", fee("10.00"), usage_charge("1"), usage_thresholds=thresholds),
        )

    @pytest.mark.parametrize(
        ("basis", "count"),
        [
            ("lifetime_usage", 3),  # the life's usage passes 200 once
            ("period_usage", 4),  # that of each period does
        ],
    )
    def test_the_basis_says_what_reaches_a_threshold(self, basis: str, count: int) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "200"}),
                advance("2025-05-01"),
                used("2025-05-02", properties={"n": "200"}),
                advance("2025-06-01"),
            ],
            [{"at": "2025-06-01T00:00:00Z", "invoice_count": count}],
            plan(
                "arrears", fee("10.00"), usage_charge("1"), usage_thresholds=[{"amount": "200.00", "recurring": False}]
            ),
            policy={"threshold_basis": basis},
        )

    def test_tiers_go_on_over_the_invoices_of_a_threshold_since_the_last_one(self) -> None:
        tiers = [{"up_to": "10000", "unit_amount": "0.50"}, {"up_to": None, "unit_amount": "0.40"}]
        graduated = {
            "kind": "usage",
            "metric": "m",
            "timing": "arrears",
            "model": "graduated",
            "properties": {"tiers": tiers},
        }
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "199"}),
                used("2025-04-03", properties={"n": "61"}),
                used("2025-04-04", properties={"n": "9800"}),
                used("2025-04-05", properties={"n": "175"}),
                used("2025-04-06", properties={"n": "75"}),
                advance("2025-05-01"),
            ],
            [
                {"at": "2025-04-02T00:00:00Z", "invoice_count": 0},  # 99.50
                self.reached("2025-04-03", "130.00"),  # 260 × 0.50: the fee of 10.00 does not count
                self.reached("2025-04-04", "4894.00"),  # 9,740 × 0.50 + 60 × 0.40
                {"at": "2025-04-05T00:00:00Z", "invoice_count": 2},  # 70.00 since then
                self.reached("2025-04-06", "100.00"),
                invoice("2025-05-01", subtotal="5134.00", progressive_credit="5124.00", total="10.00"),
            ],
            plan("arrears", fee("10.00"), graduated, billing_threshold={"amount": "100.00"}),
        )

    def test_tax_and_coupons_are_of_what_is_left(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-03", properties={"n": "200"}),
                step("2025-04-04", "apply_coupon", customer="c1", coupon={"percent_off": "50", "duration": "once"}),
                advance("2025-05-01"),
            ],
            [
                self.reached("2025-04-03", "240.00"),
                # the fee of 10.00 alone: half off, 1.00 of tax
                invoice(
                    "2025-05-01",
                    subtotal="210.00",
                    progressive_credit="200.00",
                    discount="5.00",
                    tax="1.00",
                    total="6.00",
                ),
            ],
            plan(
                "arrears", fee("10.00"), usage_charge("1"), usage_thresholds=[{"amount": "200.00", "recurring": False}]
            ),
            customer={"tax_percents": ["20"]},
        )
