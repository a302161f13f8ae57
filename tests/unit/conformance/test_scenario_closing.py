"""Ends and changes of plan in scenarios of a tenant that bills on the days of its job."""

from typing import ClassVar

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
    step,
    subscribe,
    usage_charge,
    used,
)

ARREARS = plan("arrears", fee("30.00"))
ADVANCE = plan("advance", fee("30.00"))


def change(day: str, to: str) -> Body:
    return step(day, "change_plan", subscription="s1", plan=to)


class TestEnds:
    def test_started_and_ended_at_one_instant_pays_one_day(self) -> None:
        passes([subscribe("2025-04-10"), cancel("2025-04-10")], [invoice("2025-04-10", total="1.00")], ARREARS)

    def test_nothing_is_billed_in_advance_of_what_has_ended(self) -> None:
        passes(
            [subscribe("2025-03-01"), used("2025-04-02", properties={"n": "5"}), cancel("2025-04-10")],
            # no job ran on 1 April: the fee of April was missed
            [invoice("2025-04-10", subtotal="5.00"), {"at": "2025-04-10T00:00:00Z", "credit_note_balance": "0.00"}],
            plan("advance", fee("30.00"), usage_charge("1")),
        )

    def test_no_final_invoice_leaves_usage_unbilled(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "5"}),
                cancel("2025-04-10", final_invoice=False),
                advance("2025-05-01"),
            ],
            [{"at": "2025-04-10T00:00:00Z", "invoice_count": 0, "subscription_state": "cancelled"}],
            plan("arrears", fee("30.00"), usage_charge("1")),
        )

    def test_usage_at_the_instant_of_the_end_counts(self) -> None:
        passes(
            [subscribe("2025-04-01"), used("2025-04-10", properties={"n": "5"}), cancel("2025-04-10")],
            [invoice("2025-04-10", lines=[line("usage", "5.00"), line("recurring", "10.00")])],
            plan("arrears", fee("30.00"), usage_charge("1")),
        )

    @pytest.mark.parametrize(
        ("timing", "total", "count"),
        [("arrears", "30.00", 1), ("advance", "0.00", 2)],
    )
    def test_a_planned_end_on_a_boundary_ends_with_the_period(self, timing: str, total: str, count: int) -> None:
        passes(
            [subscribe("2025-04-01", ends_at="2025-05-01T00:00:00Z"), advance("2025-05-01T00:15:00Z")],
            [
                {"at": "2025-05-01T00:15:00Z", "subscription_state": "ended", "invoice_count": count},
                invoice("2025-05-01T00:15:00Z", which="closing", total=total),
                {"at": "2025-05-01T00:15:00Z", "credit_note_balance": "0.00"},
            ],
            plan(timing, fee("30.00")),
        )

    def test_a_planned_end_inside_a_period_bills_its_day(self) -> None:
        passes(
            [
                subscribe("2025-04-01", ends_at="2025-04-10T00:00:00Z"),
                advance("2025-04-09"),
                advance("2025-04-10T00:15:00Z"),
            ],
            [
                {"at": "2025-04-09T00:00:00Z", "subscription_state": "active", "invoice_count": 0},
                invoice("2025-04-10T00:15:00Z", total="10.00"),
            ],
            ARREARS,
        )

    def test_a_planned_end_inside_a_period_paid_in_advance_gives_the_rest_back(self) -> None:
        passes(
            [subscribe("2025-04-01", ends_at="2025-04-10T00:00:00Z"), advance("2025-04-10T00:15:00Z")],
            [
                invoice("2025-04-01", total="30.00"),
                {"at": "2025-04-10T00:15:00Z", "credit_note": {"total": "20.00"}},
            ],
            ADVANCE,
        )


class TestUpgrades:
    def test_an_equal_price_by_the_year_is_an_upgrade_and_holds_at_once(self) -> None:
        yearly = {**plan("arrears", fee("360.00"), id="year"), "interval": "year"}
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "year")],
            [
                # 15 of 30 days
                invoice("2025-04-16", which="closing", total="15.00"),
                {"at": "2025-04-16T00:00:00Z", "plan": "year"},
            ],
            ARREARS,
            yearly,
        )

    def test_usage_windows_meet_at_the_instant_of_the_change(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-16T09:59:00Z", properties={"n": "3"}),
                change("2025-04-16T10:00:00Z", "big"),
                used("2025-04-16T10:01:00Z", properties={"n": "4"}),
                advance("2025-05-01"),
            ],
            [
                invoice("2025-04-16T10:00:00Z", lines=[line("usage", "3.00", to="2025-04-16T10:00:00Z")]),
                invoice("2025-05-01", lines=[line("usage", "8.00", **{"from": "2025-04-16T10:00:00Z"})]),
            ],
            plan("arrears", fee("30.00"), usage_charge("1")),
            plan("arrears", fee("60.00"), usage_charge("2"), id="big"),
        )

    LEVEL: ClassVar[Body] = {"id": "m", "aggregation": "sum", "field": "n", "recurring": True}

    @pytest.mark.parametrize(("next_metric", "lines"), [("m", 0), ("other", 1)])
    def test_a_level_is_billed_at_the_change_only_if_the_new_plan_has_it_not(
        self, next_metric: str, lines: int
    ) -> None:
        passes(
            [subscribe("2025-04-01"), used("2025-04-02", properties={"n": "3"}), change("2025-04-16", "big")],
            [invoice("2025-04-16", line_counts={"usage": lines})],
            plan("arrears", fee("30.00"), usage_charge("1")),
            plan("arrears", fee("60.00"), usage_charge("2", next_metric), id="big"),
            metrics=[self.LEVEL, {**self.LEVEL, "id": "other"}],
        )

    def test_a_prorated_level_is_billed_by_both_plans_for_their_days(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-01T01:00:00Z", properties={"n": "3"}),
                change("2025-04-16T10:00:00Z", "big"),
                advance("2025-05-01"),
            ],
            [
                # 3 units for 15 of 30 days at 1.00, then for 15 at 2.00
                invoice("2025-04-16T10:00:00Z", lines=[line("usage", "1.50")]),
                invoice("2025-05-01", lines=[line("usage", "3.00")]),
            ],
            plan("arrears", fee("30.00"), usage_charge("1", prorated=True)),
            plan("arrears", fee("60.00"), usage_charge("2", prorated=True), id="big"),
            metrics=[self.LEVEL],
        )


class TestDowngrades:
    def test_a_downgrade_waits_for_the_end_of_the_period(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "small"), advance("2025-05-01")],
            [
                {"at": "2025-04-16T00:00:00Z", "plan": "p", "pending_plan": "small", "invoice_count": 1},
                invoice("2025-05-01", lines=[line("recurring", "10.00", plan="small")], total="10.00"),
                {"at": "2025-05-01T00:00:00Z", "plan": "small", "credit_note_balance": "0.00"},
            ],
            ADVANCE,
            plan("advance", fee("10.00"), id="small"),
        )

    def test_by_policy_it_holds_at_once(self) -> None:
        passes(
            [subscribe("2025-04-01"), change("2025-04-16", "small")],
            # 15 of 30 days: 15.00 back, 5.00 due
            [
                {"at": "2025-04-16T00:00:00Z", "plan": "small", "credit_note": {"total": "15.00", "balance": "10.00"}},
                invoice("2025-04-16", subtotal="5.00", total="0.00"),
            ],
            ADVANCE,
            plan("advance", fee("10.00"), id="small"),
            policy={"downgrade_timing": "now"},
        )


class TestTrials:
    PLAN = plan("advance", fee("31.00"), usage_charge("10"), trial_days=10)

    def test_the_fee_begins_at_the_instant_at_which_the_trial_ends(self) -> None:
        passes(
            [
                subscribe("2025-03-05T12:12:00Z"),
                advance("2025-03-15T12:02:00Z"),
                advance("2025-03-15T13:02:00Z"),
            ],
            [
                {"at": "2025-03-15T12:02:00Z", "invoice_count": 0},
                # 17 of 31 days: from the 15th on
                invoice("2025-03-15T13:02:00Z", total="17.00", line_count=1),
            ],
            self.PLAN,
        )

    def test_usage_of_a_trial_waits_for_the_end_of_the_period(self) -> None:
        passes(
            [
                subscribe("2025-03-05T12:12:00Z"),
                used("2025-03-07", properties={"n": "1"}),
                advance("2025-03-15T13:02:00Z"),
                used("2025-03-20", properties={"n": "2"}),
                advance("2025-04-01"),
            ],
            [
                invoice("2025-03-15T13:02:00Z", total="17.00"),
                invoice("2025-04-01", lines=[line("usage", "30.00"), line("recurring", "31.00")]),
            ],
            self.PLAN,
        )

    def test_a_trial_that_ends_on_a_billing_day_is_billed_with_the_period(self) -> None:
        passes(
            [subscribe("2025-03-22T01:12:00Z"), advance("2025-04-01T00:01:00Z"), advance("2025-04-01T13:00:00Z")],
            [
                invoice("2025-04-01T00:01:00Z", total="31.00"),
                {"at": "2025-04-01T13:00:00Z", "invoice_count": 1},
            ],
            self.PLAN,
        )

    def test_the_trial_counts_from_the_first_plan(self) -> None:
        passes(
            [
                subscribe("2025-03-05T12:12:00Z"),
                used("2025-03-08", properties={"n": "1"}),
                change("2025-03-10T12:12:00Z", "big"),
                advance("2025-03-15T13:00:00Z"),
                advance("2025-03-18T13:00:00Z"),
            ],
            [
                invoice("2025-03-10T12:12:00Z", lines=[line("usage", "10.00")], line_count=1),
                {"at": "2025-03-15T13:00:00Z", "invoice_count": 1},
                # 14 of 31 days of 62.00: from 5 March + 13 days on
                invoice("2025-03-18T13:00:00Z", total="28.00"),
            ],
            self.PLAN,
            plan("advance", fee("62.00"), id="big", trial_days=13),
        )

    def test_the_job_for_ended_trials_bills_the_fee_alone(self) -> None:
        passes(
            [
                subscribe("2025-03-22T12:12:00Z"),
                used("2025-03-23", properties={"n": "1"}),
                advance("2025-04-01T13:01:00Z", only="trial_end"),
                advance("2025-04-01T15:11:00Z"),
            ],
            [
                invoice("2025-04-01T13:01:00Z", total="31.00", line_count=1),
                invoice("2025-04-01T15:11:00Z", total="10.00", line_count=1),
            ],
            self.PLAN,
        )
