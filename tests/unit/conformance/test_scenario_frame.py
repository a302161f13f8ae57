"""Scenarios: time passes for a simulated tenant, documents come out; each story states its arithmetic."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tenor.conformance import Case, Outcome, run_case

Body = dict[str, Any]

MONTHLY: Body = {"interval": "month", "interval_count": 1}
TRIAL: Body = {
    "type": "trial",
    "length": {"interval": "day", "interval_count": 30},
    "charges": [{"kind": "one_off", "amount": "0"}],
}


def evergreen(*charges: Body) -> Body:
    return {"type": "evergreen", "charges": list(charges)}


def fee(amount: str, **other: Any) -> Body:
    return {"kind": "recurring", "amount": amount, **MONTHLY, **other}


BASIC: Body = {"id": "basic", "product": "basic", "phases": [evergreen(fee("31.00"))]}
PRO: Body = {"id": "pro", "product": "pro", "phases": [evergreen(fee("62.00"))]}
TRIED: Body = {"id": "tried", "product": "tried", "phases": [TRIAL, evergreen(fee("30.00"))]}
IN_ARREARS: Body = {"id": "late", "product": "late", "timing": "arrears", "phases": [evergreen(fee("31.00"))]}
YEARLY: Body = {
    "id": "yearly",
    "product": "yearly",
    "phases": [evergreen({"kind": "recurring", "amount": "365.00", "interval": "year", "interval_count": 1})],
}
CALLS: Body = {
    "kind": "usage",
    "metric": "calls",
    "model": "graduated",
    "properties": {"tiers": [{"up_to": None, "block_size": "100", "block_amount": "3.00"}], "round": "up"},
    "timing": "arrears",
    **MONTHLY,
}
METERED: Body = {"id": "metered", "product": "metered", "add_on": True, "phases": [evergreen(CALLS)]}
METRIC: Body = {"id": "calls", "aggregation": "sum"}


def at(day: str) -> str:
    return day if "T" in day else f"{day}T00:00:00Z"


def step(day: str, do: str, **arguments: Any) -> Body:
    return {"at": at(day), "do": do, **arguments}


def invoice(day: str, *lines: tuple[str, str, str, str], customer: str = "c1", **asked: Any) -> Body:
    """Return the fact of an invoice with exactly these lines: kind, first day, end day, amount."""
    named = [dict(zip(("kind", "from", "to", "amount"), line, strict=True)) for line in lines]
    return {"at": at(day), "invoice": {"customer": customer, "lines": named, "line_count": len(named), **asked}}


def run(steps: Sequence[Body], expect: Sequence[Body], **other: Any) -> Outcome:
    """Play a scenario of the account-centred profile: anchor day 1, plans as needed."""
    body: Body = {
        "id": "story",
        "kind": "scenario",
        "profile": "killbill",
        "class": "core",
        "currency": "USD",
        "timezone": "UTC",
        "metrics": [METRIC],
        "plans": [BASIC, PRO, TRIED, IN_ARREARS, YEARLY, METERED],
        "customers": [{"id": "c1", "timezone": "UTC", "anchor_day": 1}],
        **other,
        "steps": list(steps),
        "expect": list(expect),
    }
    return run_case(Case(body["id"], body["kind"], body["profile"], body["class"], body))


def passes(steps: Sequence[Body], expect: Sequence[Body], **other: Any) -> None:
    outcome = run(steps, expect, **other)
    assert outcome.passed, outcome.why


def subscribe(day: str, plan: str, subscription: str = "s1", **other: Any) -> Body:
    return step(day, "subscribe", plan=plan, subscription=subscription, **{"customer": "c1", **other})


def advance(day: str) -> Body:
    return step(day, "advance")


class TestPeriods:
    def test_a_start_off_the_anchor_day_pays_its_days_first(self) -> None:
        passes(
            [subscribe("2026-05-11", "basic"), advance("2026-06-01")],
            [
                # 31.00 x 21/31, the days from 11 May to 1 June
                invoice("2026-05-11", ("recurring", "2026-05-11", "2026-06-01", "21.00"), total="21.00"),
                invoice("2026-06-01", ("recurring", "2026-06-01", "2026-07-01", "31.00")),
            ],
            complete=True,
        )

    def test_a_trial_is_a_free_line_and_its_end_sets_the_anchor(self) -> None:
        passes(
            [subscribe("2026-05-01T09:30:00Z", "tried"), advance("2026-06-30T09:30:00Z")],
            [
                invoice("2026-05-01T09:30:00Z", ("one_off", "2026-05-01", "2026-05-31", "0.00")),
                {
                    "at": "2026-05-01T09:30:00Z",
                    "anchor_day": 31,
                    "subscription": "s1",
                    "subscription_state": "trialing",
                },
                invoice("2026-05-31T09:30:00Z", ("recurring", "2026-05-31", "2026-06-30", "30.00")),
                invoice("2026-06-30T09:30:00Z", ("recurring", "2026-06-30", "2026-07-31", "30.00")),
            ],
            customers=[{"id": "c1", "anchor_day": None}],
        )

    def test_a_free_plan_without_end_sets_the_anchor_too(self) -> None:
        free = {"id": "free", "product": "free", "phases": [evergreen(fee("0"))]}
        passes(
            [
                subscribe("2026-05-07", "free"),
                step("2026-05-20", "change_plan", subscription="s1", plan="basic", effective="now"),
            ],
            # 31.00 x 18/31, the days from 20 May to the anchor day
            [
                {"at": at("2026-05-07"), "anchor_day": 7},
                {"at": at("2026-05-20"), "invoice": {"customer": "c1", "total": "18.00"}},
            ],
            plans=[free, BASIC],
            customers=[{"id": "c1", "timezone": "UTC", "anchor_day": None}],
        )

    def test_in_arrears_a_period_is_billed_at_its_end_and_a_cut_one_at_the_cut(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "late"),
                step("2026-06-11", "cancel", subscription="s1", effective="now"),
            ],
            [
                {"at": at("2026-05-01"), "invoice_issued": False},
                invoice("2026-06-01", ("recurring", "2026-05-01", "2026-06-01", "31.00")),
                invoice("2026-06-11", ("recurring", "2026-06-01", "2026-06-11", "10.33")),  # 31.00 x 10/30
                {"at": at("2026-06-11"), "subscription": "s1", "subscription_state": "cancelled"},
            ],
        )

    def test_a_run_named_twice_bills_once(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "run_invoicing", customer="c1", target="2026-07-01"),
                step("2026-05-03", "run_invoicing", customer="c1", target="2026-06-15"),
            ],
            [
                invoice(
                    "2026-05-02",
                    ("recurring", "2026-06-01", "2026-07-01", "31.00"),
                    ("recurring", "2026-07-01", "2026-08-01", "31.00"),
                ),
                {"at": at("2026-05-03"), "invoice_issued": False},
                {"at": at("2026-05-03"), "invoice_count": 2},
            ],
        )

    def test_a_moved_anchor_bills_only_the_days_that_no_line_covers(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-01", "change_anchor", subscription="s1", anchor_day=15),
                advance("2026-06-15"),
            ],
            [
                # From 15 May on the period is 15 May to 15 June; May is paid: 31.00 x 14/31
                invoice("2026-05-15", ("recurring", "2026-06-01", "2026-06-15", "14.00")),
                invoice("2026-06-15", ("recurring", "2026-06-15", "2026-07-15", "31.00")),
            ],
        )

    def test_a_moved_account_anchor_is_as_if_it_had_always_been_there(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-01", "change_anchor", customer="c1", scope="account", anchor_day=21),
            ],
            [
                # Due on 1 May is now only the part up to the 21st: 10 of the 31 days paid go back
                invoice(
                    "2026-05-01",
                    ("recurring", "2026-05-01", "2026-06-01", "31.00"),
                ),
                invoice(
                    "2026-05-01",
                    ("proration_credit", "2026-05-21", "2026-06-01", "-11.00"),
                    ("account_credit", "2026-05-01", "2026-05-01", "11.00"),
                ),
            ],
        )

    def test_no_day_is_lost_where_the_clock_changes(self) -> None:
        passes(
            [subscribe("2026-03-01T05:30:00Z", "basic"), advance("2026-04-01T05:30:00Z")],
            [
                {"at": "2026-04-01T05:30:00Z", "invoice_count": 2},
                invoice("2026-04-01T05:30:00Z", ("recurring", "2026-04-01", "2026-05-01", "31.00")),
            ],
            customers=[{"id": "c1", "timezone": "America/New_York", "anchor_day": 1}],
        )


class TestChanges:
    def test_an_upgrade_gives_back_the_old_rest_and_charges_the_new(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-11", "change_plan", subscription="s1", plan="pro", effective="now"),
            ],
            [
                invoice(
                    "2026-05-11",
                    ("recurring", "2026-05-11", "2026-06-01", "42.00"),  # 62.00 x 21/31
                    ("proration_credit", "2026-05-11", "2026-06-01", "-21.00"),  # 31.00 x 21/31
                    subtotal="21.00",
                )
            ],
        )

    def test_a_change_and_its_reversal_on_one_day_leave_what_was_paid_as_credit(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-11", "change_plan", subscription="s1", plan="pro", effective="now"),
                step("2026-05-11", "change_plan", subscription="s1", plan="basic", effective="now"),
            ],
            [
                {"at": at("2026-05-11"), "account_balance": "-21.00", "invoice_count": 3},
                invoice(
                    "2026-05-11",
                    ("recurring", "2026-05-11", "2026-06-01", "21.00"),
                    ("proration_credit", "2026-05-11", "2026-06-01", "-42.00"),
                    ("account_credit", "2026-05-11", "2026-05-11", "21.00"),
                    which=3,
                ),
            ],
        )

    def test_a_change_at_period_end_waits_for_what_is_charged(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-11", "change_plan", subscription="s1", plan="pro", effective="period_end"),
                advance("2026-06-01"),
            ],
            [
                {"at": at("2026-05-11"), "subscription": "s1", "plan": "basic", "pending_plan": "pro"},
                invoice("2026-06-01", ("recurring", "2026-06-01", "2026-07-01", "62.00")),
                {"at": at("2026-06-01"), "subscription": "s1", "plan": "pro", "charged_through": "2026-07-01"},
            ],
        )

    def test_the_end_of_a_period_that_is_charged_no_further_is_now(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "late"),
                step("2026-06-11", "change_plan", subscription="s1", plan="pro", effective="period_end"),
            ],
            [
                # In arrears June is not charged yet: the change is on 11 June, 10 of 30 days of the old plan are due
                invoice(
                    "2026-06-11",
                    ("recurring", "2026-06-01", "2026-06-11", "10.33"),
                    ("recurring", "2026-06-11", "2026-07-01", "41.33"),
                ),
            ],
        )

    def test_a_pause_gives_back_its_days_alone(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-21", "pause", subscription="s1", effective="2026-05-11"),
                step("2026-05-21", "resume", subscription="s1"),
            ],
            [
                # The past pause gives back 21 days, the resumption charges 11 of them again
                invoice(
                    "2026-05-21",
                    ("proration_credit", "2026-05-11", "2026-06-01", "-21.00"),
                    ("account_credit", "2026-05-21", "2026-05-21", "21.00"),
                ),
                invoice(
                    "2026-05-21",
                    ("recurring", "2026-05-21", "2026-06-01", "11.00"),
                    ("account_credit", "2026-05-21", "2026-05-21", "-11.00"),
                ),
                {"at": at("2026-05-21"), "account_balance": "-10.00"},
            ],
        )

    def test_what_is_planned_ahead_is_billed_when_it_comes(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "pause", subscription="s1", effective="2026-05-11"),
                step("2026-05-02", "resume", subscription="s1", effective="2026-05-21"),
                step("2026-05-22", "cancel", subscription="s1", effective="2026-05-27"),
                advance("2026-06-01"),
            ],
            [
                {"at": at("2026-05-02"), "invoice_issued": False},
                invoice(
                    "2026-05-11",
                    ("proration_credit", "2026-05-11", "2026-06-01", "-21.00"),
                    ("account_credit", "2026-05-11", "2026-05-11", "21.00"),
                ),
                invoice(
                    "2026-05-21",
                    ("recurring", "2026-05-21", "2026-06-01", "11.00"),
                    ("account_credit", "2026-05-21", "2026-05-21", "-11.00"),
                ),
                {"at": at("2026-05-27"), "account_balance": "-15.00"},  # 10.00 left and 11.00 x 5/11
                {"at": at("2026-06-01"), "invoice_issued": False},
            ],
        )

    def test_a_subscription_that_has_not_begun_ends_where_it_begins(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic", start=at("2026-05-20")),
                step("2026-05-02", "cancel", subscription="s1", effective="2026-05-10", error=True),
                step("2026-05-02", "cancel", subscription="s1", effective="now"),
                advance("2026-06-01"),
            ],
            [
                {"at": at("2026-05-02"), "subscription": "s1", "subscription_state": "future"},
                {"at": at("2026-06-01"), "subscription": "s1", "access_end": "2026-05-20", "invoice_count": 0},
            ],
        )

    def test_the_start_of_a_term_in_a_trial_is_the_start_of_the_trial(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "tried"),
                step("2026-05-06", "cancel", subscription="s1", effective="now", billing_effective="period_start"),
            ],
            [{"at": at("2026-05-06"), "subscription": "s1", "access_end": "2026-05-06", "billing_end": "2026-05-01"}],
        )

    def test_billing_may_end_before_access(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-11", "cancel", subscription="s1", effective="now", billing_effective="period_start"),
            ],
            [
                {"at": at("2026-05-11"), "subscription": "s1", "access_end": "2026-05-11", "billing_end": "2026-05-01"},
                {"at": at("2026-05-11"), "account_balance": "-31.00"},
            ],
        )

    def test_a_cancellation_ahead_can_be_undone_a_past_one_cannot(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-11", "cancel", subscription="s1", effective="period_end"),
                step("2026-05-12", "undo_cancel", subscription="s1"),
                step("2026-06-11", "cancel", subscription="s1", effective="now"),
                step("2026-06-12", "undo_cancel", subscription="s1", error=True),
            ],
            [
                invoice("2026-06-01", ("recurring", "2026-06-01", "2026-07-01", "31.00")),
                {"at": at("2026-06-12"), "subscription": "s1", "subscription_state": "ended"},
            ],
        )

    def test_an_add_on_ends_with_its_base(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                subscribe("2026-05-01", "pro", "ao", base="s1"),
                step("2026-05-11", "cancel", subscription="s1", effective="now"),
            ],
            [
                {"at": at("2026-05-11"), "subscription": "ao", "subscription_state": "cancelled"},
                {"at": at("2026-05-11"), "account_balance": "-63.00"},  # (31.00 + 62.00) x 21/31
            ],
        )

    def test_a_bundle_moves_to_another_customer_with_its_phases(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "tried"),
                step("2026-06-16", "transfer_bundle", customer="c1", to_customer="c2", bundle="s1", cancel_old="now"),
            ],
            [
                # 31 May to 1 June stub, then June: 15 of 30 days go back
                invoice(
                    "2026-06-16",
                    ("proration_credit", "2026-06-16", "2026-07-01", "-15.00"),
                    ("account_credit", "2026-06-16", "2026-06-16", "15.00"),
                ),
                invoice("2026-06-16", ("recurring", "2026-06-16", "2026-07-01", "15.00"), customer="c2"),
            ],
            customers=[{"id": "c1", "anchor_day": 1}, {"id": "c2", "anchor_day": 1}],
        )


class TestUsage:
    STEPS = (
        subscribe("2026-05-01", "basic"),
        subscribe("2026-05-01", "metered", "ao", base="s1"),
        step("2026-05-10", "usage", subscription="ao", metric="calls", units="150"),
    )

    def test_a_month_of_usage_is_billed_at_its_end_with_a_line_of_zero_for_none(self) -> None:
        passes(
            [*self.STEPS, advance("2026-07-01")],
            [
                invoice(
                    "2026-06-01",
                    ("recurring", "2026-06-01", "2026-07-01", "31.00"),
                    ("usage", "2026-05-01", "2026-06-01", "6.00"),  # two started blocks of 100
                ),
                invoice(
                    "2026-07-01",
                    ("recurring", "2026-07-01", "2026-08-01", "31.00"),
                    ("usage", "2026-06-01", "2026-07-01", "0.00"),
                ),
            ],
        )

    def test_late_usage_is_the_difference_on_a_line_of_its_own_and_never_less(self) -> None:
        passes(
            [
                *self.STEPS,
                step("2026-06-05", "usage", subscription="ao", metric="calls", units="60", event_at=at("2026-05-20")),
                step("2026-06-05", "remove_usage", subscription="ao", metric="calls", usage_at="2026-06-20"),
                advance("2026-07-01"),
            ],
            [
                invoice(
                    "2026-07-01",
                    ("recurring", "2026-07-01", "2026-08-01", "31.00"),
                    ("usage", "2026-05-01", "2026-06-01", "3.00"),  # 210 calls are 9.00, of which 6.00 are billed
                    ("usage", "2026-06-01", "2026-07-01", "0.00"),
                )
            ],
        )

    def test_late_usage_beyond_the_policy_is_dropped(self) -> None:
        passes(
            [
                *self.STEPS,
                step("2026-06-05", "usage", subscription="ao", metric="calls", units="60", event_at=at("2026-05-20")),
                advance("2026-07-01"),
            ],
            [
                invoice(
                    "2026-07-01",
                    ("recurring", "2026-07-01", "2026-08-01", "31.00"),
                    ("usage", "2026-06-01", "2026-07-01", "0.00"),
                )
            ],
            policy={"late_usage_periods": 0},
        )

    def test_usage_of_the_day_counts_even_for_what_ends_as_it_begins(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                subscribe("2026-05-01", "metered", "m1", base="s1"),
                step("2026-05-01", "usage", subscription="m1", metric="calls", units="150"),
                step("2026-05-01", "cancel", subscription="m1", effective="2026-05-01"),
            ],
            # 150 calls are two blocks of 100 at 3.00
            [{"at": at("2026-05-01"), "invoice": {"customer": "c1", "which": 2, "total": "6.00", "line_count": 1}}],
        )

    def test_a_month_without_usage_counts_as_billed_where_no_line_is_shown(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "metered", "m1"),
                step("2026-05-10", "usage", subscription="m1", metric="calls", units="1"),
                advance("2026-07-01"),
            ],
            [
                invoice("2026-06-01", ("usage", "2026-05-01", "2026-06-01", "3.00")),
                {"at": at("2026-07-01"), "invoice_issued": False},
                {"at": at("2026-07-01"), "subscription": "m1", "charged_through": "2026-07-01"},
            ],
            policy={"zero_usage_lines": "omit"},
        )


class TestMoney:
    def test_credit_is_put_aside_and_drawn_on_the_next_invoice(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "credit_account", customer="c1", amount="40"),
                advance("2026-07-01"),
            ],
            [
                {"at": at("2026-05-02"), "invoice": {"customer": "c1", "subtotal": "-40.00", "total": "0.00"}},
                {"at": at("2026-06-01"), "invoice": {"customer": "c1", "subtotal": "31.00", "total": "0.00"}},
                {"at": at("2026-06-01"), "account_balance": "-9.00"},
                {"at": at("2026-07-01"), "invoice": {"customer": "c1", "subtotal": "31.00", "total": "22.00"}},
            ],
        )

    def test_what_was_paid_of_an_adjusted_line_becomes_credit_and_caps_what_can_go_back(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step(
                    "2026-05-02",
                    "adjust_line",
                    customer="c1",
                    amount="25",
                    line={"from": "2026-05-01", "to": "2026-06-01"},
                ),
                step("2026-05-03", "cancel", subscription="s1", effective="now"),
            ],
            [
                {"at": at("2026-05-02"), "account_balance": "-25.00"},
                # 29 days are worth 29.00; of the line 6.00 are left
                invoice(
                    "2026-05-03",
                    ("proration_credit", "2026-05-03", "2026-06-01", "-6.00"),
                    ("account_credit", "2026-05-03", "2026-05-03", "6.00"),
                ),
            ],
        )

    def test_a_refund_opens_the_invoice_again_unless_the_line_is_given_back_too(self) -> None:
        line = {"from": "2026-05-01", "to": "2026-06-01"}
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "refund", customer="c1", amount="10"),
                step("2026-05-03", "refund", customer="c1", amount="5", adjust_line=line),
                step("2026-05-04", "refund", customer="c1", amount="20", error=True),
            ],
            [
                {"at": at("2026-05-02"), "account_balance": "10.00", "refunded": "10"},
                {"at": at("2026-05-03"), "account_balance": "10.00", "refunded": "15"},
            ],
        )

    def test_a_chargeback_opens_the_invoice_its_reversal_closes_it(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "chargeback", customer="c1"),
                step("2026-05-02", "chargeback_reversal", customer="c1"),
            ],
            [
                {"at": at("2026-05-02"), "after_step": 1, "account_balance": "31.00"},
                {"at": at("2026-05-02"), "after_step": 2, "account_balance": "0"},
            ],
        )

    def test_a_void_invoice_is_billed_again_and_a_paid_one_cannot_be_voided(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "void_invoice", customer="c1", invoice=1, error=True),
                step("2026-05-02", "refund", customer="c1", amount="31"),
                step("2026-05-02", "void_invoice", customer="c1", invoice=1),
                step("2026-05-03", "run_invoicing", customer="c1"),
            ],
            [
                {"at": at("2026-05-02"), "invoice": {"customer": "c1", "which": 1, "state": "void"}},
                {"at": at("2026-05-02"), "account_balance": "0"},
                invoice("2026-05-03", ("recurring", "2026-05-01", "2026-06-01", "31.00")),
            ],
        )

    def test_drafts_are_gathered_and_count_only_when_final(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                subscribe("2026-05-01", "pro", "s2"),
                step("2026-05-02", "finalize_invoice", customer="c1", invoice="first_draft"),
            ],
            [
                {"at": at("2026-05-01"), "invoice": {"customer": "c1", "state": "draft", "total": "93.00"}},
                {"at": at("2026-05-01"), "subscription": "s1", "charged_through": None, "invoice_count": 1},
                {"at": at("2026-05-02"), "subscription": "s1", "charged_through": "2026-06-01"},
            ],
            policy={"invoice_start": "draft", "reuse_draft": True},
        )

    def test_a_preview_is_what_a_run_would_bill_and_changes_nothing(self) -> None:
        lines = [("recurring", "2026-06-01", "2026-07-01", "31.00")]
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "preview", customer="c1", target="2026-06-01"),
                advance("2026-06-01"),
            ],
            [
                invoice("2026-05-02", *lines, preview=True),
                {"at": at("2026-05-02"), "invoice_count": 1},
                invoice("2026-06-01", *lines),
            ],
        )

    def test_a_parent_is_billed_for_its_children_a_day_later(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                subscribe("2026-05-01", "pro", "s2", customer="c2"),
                advance("2026-05-02"),
            ],
            [
                {
                    "at": at("2026-05-01"),
                    "invoice": {
                        "customer": "p",
                        "state": "draft",
                        "lines": [
                            {"kind": "children_summary", "amount": "31.00", "customer": "c1"},
                            {"kind": "children_summary", "amount": "62.00", "customer": "c2"},
                        ],
                    },
                },
                {"at": at("2026-05-02"), "customer": "p", "payment": {"amount": "93.00"}, "account_balance": "0"},
                {"at": at("2026-05-02"), "customer": "c1", "account_balance": "0"},
            ],
            customers=[
                {"id": "p"},
                {"id": "c1", "anchor_day": 1, "parent": "p"},
                {"id": "c2", "anchor_day": 1, "parent": "p"},
            ],
        )

    def test_an_adjusted_child_lowers_what_its_parent_still_owes(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-02", "fail_payment", customer="p"),
                step("2026-05-03", "adjust_line", customer="c1", line={"from": "2026-05-01"}, amount="11"),
            ],
            [
                {
                    "at": at("2026-05-03"),
                    "invoice": {
                        "customer": "p",
                        "which": 1,
                        "balance": "20.00",
                        "lines": [
                            {"kind": "children_summary", "amount": "31.00", "customer": "c1"},
                            {"kind": "adjustment", "amount": "-11", "customer": "c1"},
                        ],
                        "line_count": 2,
                    },
                },
                {"at": at("2026-05-03"), "invoice": {"customer": "c1", "which": 1, "balance": "20.00"}},
            ],
            customers=[{"id": "p"}, {"id": "c1", "anchor_day": 1, "parent": "p"}],
        )

    def test_what_is_taken_off_a_child_that_its_parent_paid_for_is_the_childs_credit(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-03", "adjust_line", customer="c1", line={"from": "2026-05-01"}, amount="11"),
            ],
            [
                {"at": at("2026-05-03"), "customer": "c1", "account_balance": "-11"},
                {"at": at("2026-05-03"), "invoice": {"customer": "p", "which": 1, "line_count": 1, "balance": "0"}},
            ],
            customers=[{"id": "p"}, {"id": "c1", "anchor_day": 1, "parent": "p"}],
        )


class TestDunning:
    DUNNING: Mapping[str, Any] = {
        "stages": [
            {"name": "warned", "days_since_earliest_unpaid": 10, "block_change": True},
            {"name": "blocked", "days_since_earliest_unpaid": 20, "block_access_and_billing": True},
        ],
        "first_check_after_days": 10,
        "retry_days": [3],
    }

    def test_a_blocked_customer_is_not_billed_and_gets_the_blocked_days_back(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-01", "fail_payment", customer="c1", all=True),
                step("2026-05-12", "change_plan", subscription="s1", plan="pro", effective="now", error=True),
                step("2026-06-11", "pay", customer="c1", all=True),
            ],
            [
                {"at": at("2026-05-05"), "dunning_stage": "clear"},
                {"at": at("2026-05-11"), "dunning_stage": "warned"},
                {"at": at("2026-05-21"), "dunning_stage": "blocked"},
                {"at": at("2026-06-01"), "invoice_issued": False},
                invoice(
                    "2026-06-11",
                    ("recurring", "2026-06-11", "2026-07-01", "20.67"),  # 31.00 x 20/30
                    ("proration_credit", "2026-05-21", "2026-06-01", "-11.00"),  # 31.00 x 11/31
                ),
            ],
            dunning=self.DUNNING,
        )

    def test_a_payment_that_is_tried_again_clears_the_customer(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-01", "fail_payment", customer="c1"),
                advance("2026-05-21"),
            ],
            [
                {"at": at("2026-05-03"), "account_balance": "31.00"},
                {"at": at("2026-05-04"), "account_balance": "0"},
                {"at": at("2026-05-21"), "dunning_stage": "clear"},
            ],
            dunning=self.DUNNING,
        )

    def test_a_stage_is_left_when_the_oldest_unpaid_invoice_is_a_young_one(self) -> None:
        passes(
            [
                subscribe("2026-05-01", "basic"),
                step("2026-05-01", "fail_payment", customer="c1", all=True),
                subscribe("2026-05-09", "basic", "s2"),
                step("2026-05-12", "pay", customer="c1", invoice=1),
                advance("2026-05-19"),
            ],
            [
                {"at": at("2026-05-11"), "dunning_stage": "warned"},
                {"at": at("2026-05-12"), "dunning_stage": "clear"},
                {"at": at("2026-05-18"), "dunning_stage": "clear"},
                {"at": at("2026-05-19"), "dunning_stage": "warned"},
            ],
            dunning=self.DUNNING,
        )


class TestOtherManners:
    """Profiles that bill subscriptions, not accounts."""

    def test_proration_may_ride_on_the_next_invoice_by_the_second(self) -> None:
        passes(
            [
                subscribe("2026-06-01", "basic"),
                step("2026-06-16T12:00:00Z", "change_plan", subscription="s1", plan="pro"),
                advance("2026-07-01"),
            ],
            [
                {"at": "2026-06-16T12:00:00Z", "invoice_issued": False},
                {
                    "at": at("2026-07-01"),
                    "invoice": {
                        "customer": "c1",
                        "total": "76.99",  # 62.00 + 14.5/30 of 62.00 - 14.5/30 of 31.00
                        "lines": [
                            {"kind": "proration_credit", "amount": "-14.98", "from": "2026-06-16T12:00:00Z"},
                            {"kind": "proration_charge", "amount": "29.97"},
                            {"kind": "recurring", "amount": "62.00", "to": at("2026-08-01")},
                        ],
                    },
                },
            ],
            profile="stripe",
        )

    def test_a_change_without_proration_is_billed_from_the_renewal_on(self) -> None:
        steps = [
            subscribe("2026-06-01", "basic"),
            step("2026-06-16", "change_plan", subscription="s1", plan="pro", prorate="none"),
            advance("2026-07-01"),
        ]
        renewal = {"at": at("2026-07-01"), "invoice": {"customer": "c1", "total": "62.00", "line_count": 1}}

        passes(steps, [{"at": at("2026-06-16"), "invoice_issued": False}, renewal], profile="stripe")
        in_full_at_once = run(
            steps, [renewal], profile="stripe", policy={"upgrade_without_proration": "charge_full_now"}
        )

        assert "charged in full at once" in in_full_at_once.why

    def test_a_moved_anchor_counts_the_periods_anew_and_charges_what_was_not_billed(self) -> None:
        passes(
            [
                subscribe("2026-06-01", "basic"),
                step("2026-06-16", "change_anchor", subscription="s1", anchor_day=16),
                advance("2026-07-16"),
            ],
            [
                # June is billed: of 16 June to 16 July the days from 1 July on, 31.00 x 15/30
                {"at": at("2026-06-16"), "invoice": {"customer": "c1", "total": "15.50"}},
                {"at": at("2026-07-16"), "invoice": {"customer": "c1", "total": "31.00"}},
            ],
            profile="stripe",
            policy={"proration_invoicing": "now"},
        )

    def test_a_trial_that_is_cut_short_starts_the_periods(self) -> None:
        passes(
            [
                subscribe("2026-06-01", "tried"),
                step("2026-06-05", "set_trial_end", subscription="s1", trial_end=at("2026-06-11")),
                advance("2026-07-11"),
            ],
            [
                {"at": at("2026-06-10"), "subscription": "s1", "subscription_state": "trialing"},
                {"at": at("2026-06-11"), "invoice": {"customer": "c1", "total": "30.00", "state": "paid"}},
                {"at": at("2026-07-11"), "invoice": {"customer": "c1", "total": "30.00"}},
            ],
            profile="stripe",
        )

    def test_a_trial_given_later_gives_the_time_back(self) -> None:
        passes(
            [
                subscribe("2026-06-01", "basic"),
                step("2026-06-16", "set_trial_end", subscription="s1", trial_end=at("2026-07-11")),
                advance("2026-07-11"),
            ],
            [
                {"at": at("2026-06-16"), "subscription": "s1", "subscription_state": "trialing"},
                {"at": at("2026-06-16"), "customer_balance": "15.50"},  # 31.00 x 15/30
                {"at": at("2026-07-11"), "invoice": {"customer": "c1", "total": "31.00", "amount_due": "15.50"}},
            ],
            profile="stripe",
        )

    @pytest.mark.parametrize(
        ("choice", "state"), [("cancel", "cancelled"), ("pause", "paused"), ("create_invoice", "past_due")]
    )
    def test_a_trial_ends_without_a_payment_method_as_the_policy_says(self, choice: str, state: str) -> None:
        passes(
            [subscribe("2026-06-01", "tried"), advance("2026-07-05")],
            [{"at": at("2026-07-05"), "subscription": "s1", "subscription_state": state}],
            profile="stripe",
            policy={"missing_payment_method": choice},
            customers=[{"id": "c1", "has_payment_method": False}],
        )

    def test_more_units_are_one_line_for_the_difference(self) -> None:
        passes(
            [
                subscribe("2026-06-01", "bare", quantity="4", unit_amount="6.00"),
                step("2026-06-16", "change_quantity", subscription="s1", quantity="7"),
            ],
            [
                {
                    "at": at("2026-06-16"),
                    "invoice": {
                        "customer": "c1",
                        "total": "9.00",  # 3 units x 6.00 x 15/30
                        "lines": [{"kind": "proration_charge", "quantity": "3", "unit_amount": "3.00"}],
                    },
                }
            ],
            profile="recurly",
            plans=[{"id": "bare", **MONTHLY}],
        )


class TestStrictness:
    def test_a_verb_that_is_not_built_is_named(self) -> None:
        outcome = run([step("2026-05-01", "reset_usage", preserve_overage=True)], [])

        assert not outcome.passed
        assert "'reset_usage' is not built yet" in outcome.why

    @pytest.mark.parametrize(
        ("where", "why"),
        [
            ({"customers": [{"id": "c1", "mood": "good"}]}, "customer: nothing here acts on mood"),
            ({"plans": [{**BASIC, "colour": "red"}]}, "plan: nothing here acts on colour"),
            ({"colour": "red"}, "case: nothing here acts on colour"),
        ],
    )
    def test_an_unknown_key_is_named(self, where: Body, why: str) -> None:
        assert why in run([], [], **where).why

    def test_a_fact_that_is_not_met_says_what_was_found(self) -> None:
        outcome = run([subscribe("2026-05-01", "basic")], [{"at": at("2026-05-01"), "account_balance": "7"}])

        assert "account_balance: expected 7, got 0" in outcome.why

    def test_a_line_more_than_told_fails_where_the_case_tells_all(self) -> None:
        told = {"at": at("2026-05-01"), "invoice": {"customer": "c1", "lines": []}}

        assert run([subscribe("2026-05-01", "basic")], [told]).passed
        assert not run([subscribe("2026-05-01", "basic")], [told], complete=True).passed

    def test_of_several_invoices_at_one_instant_a_fact_takes_the_one_that_meets_it(self) -> None:
        steps = [subscribe("2026-05-01", "basic"), subscribe("2026-05-01", "pro", "s2")]

        def told(*totals: str) -> list[Body]:
            return [{"at": at("2026-05-01"), "invoice": {"customer": "c1", "total": total}} for total in totals]

        assert run(steps, told("62.00")).passed
        assert run(steps, told("31.00", "62.00"), complete=True).passed
        assert not run(steps, told("62.00", "62.00")).passed

    def test_a_step_that_should_be_refused_and_is_not_fails(self) -> None:
        outcome = run([subscribe("2026-05-01", "basic", error=True)], [])

        assert "should have been refused" in outcome.why
