"""Cases of kind periods and proration: every ask, by cases whose figures follow from the rules by hand."""

from typing import Any

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.runner import run_case


def case(kind: str, body: dict[str, Any]) -> Case:
    return Case("by-hand", kind, body.get("profile", "standard"), "core", {"kind": kind, **body})


def month(**more: Any) -> dict[str, Any]:
    return {"timezone": "UTC", "interval": "month", "interval_count": 1, **more}


def periods(*pairs: tuple[str, str | None], **more: Any) -> dict[str, Any]:
    return {"periods": [{"from": start, "to": end} for start, end in pairs], **more}


PERIODS: dict[str, dict[str, Any]] = {
    "first: a start off the grid is cut at the next boundary": month(
        ask="first",
        anchor="2026-01-10T00:00:00Z",
        start="2026-01-20T00:00:00Z",
        expect={
            "periods": [
                {"from": "2026-01-20T00:00:00Z", "to": "2026-02-10T00:00:00Z", "partial": True, "days": 31},
                {"from": "2026-02-10T00:00:00Z", "to": "2026-03-10T00:00:00Z", "partial": False},
            ]
        },
    ),
    "first: the grid counts from the end of the trial": month(
        ask="first",
        start="2026-01-01T10:00:00Z",
        trial_days=14,
        expect=periods(("2026-01-15T10:00:00Z", "2026-02-15T10:00:00Z")),
    ),
    "first: a postponed boundary is the new anchor": month(
        ask="first",
        interval="year",
        start="2016-05-15",
        postponed_to="2016-12-10",
        expect=periods(("2016-05-15", "2016-12-10"), ("2016-12-10", "2017-12-10")),
    ),
    "first: on a day of the month": month(
        ask="first",
        start="2011-02-14",
        anchor_day=31,
        interval_count=3,
        expect=periods(("2011-02-14", "2011-02-28"), ("2011-02-28", "2011-05-31")),
    ),
    "first: a change keeps the grid": month(
        ask="first",
        anchor="2026-01-15",
        changed_at="2026-05-20",
        expect=periods(("2026-05-20", "2026-06-15")),
    ),
    "first: aligned to the account's bill date": month(
        ask="first",
        interval="year",
        start="2017-01-10T00:00:00Z",
        anchor_day=15,
        policy={"alignment": "account_bill_date"},
        expect=periods(
            ("2017-01-10T00:00:00Z", "2017-12-15T00:00:00Z"), ("2017-12-15T00:00:00Z", "2018-12-15T00:00:00Z")
        ),
    ),
    "first: the last day stays the last day": month(
        ask="first",
        profile="recurly",
        anchor="2024-02-29T00:00:00Z",
        expect=periods(("2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z")),
    ),
    "starting_at: a calendar quarter": month(
        ask="starting_at",
        profile="flexprice",
        interval_count=3,
        calendar_unit="quarter",
        policy={"alignment": "calendar"},
        **{"from": "2026-03-22T00:00:00Z"},
        expect=periods(("2026-03-22T00:00:00Z", "2026-04-01T00:00:00Z")),
    ),
    "starting_at: a stepped calendar is the next unit and n - 1 more": month(
        ask="starting_at",
        profile="flexprice",
        interval_count=2,
        policy={"alignment": "calendar"},
        **{"from": "2023-01-15T00:00:00Z"},
        expect=periods(("2023-01-15T00:00:00Z", "2023-03-01T00:00:00Z")),
    ),
    "first_from: as many as listed": month(
        ask="first_from",
        anchor="2026-01-31",
        **{"from": "2026-02-28"},
        expect=periods(("2026-02-28", "2026-03-31"), ("2026-03-31", "2026-04-30")),
    ),
    "starting_at: the grid counts from the start, not from the period asked": month(
        ask="starting_at",
        start="2026-01-31",
        **{"from": "2026-02-28"},
        expect=periods(("2026-02-28", "2026-03-31")),
    ),
    "list: the last one is cut": month(
        ask="list",
        anchor="2026-01-01",
        **{"from": "2026-01-01"},
        end="2026-02-10",
        expect=periods(("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-02-10")),
    ),
    "containing: a date before the start is the first period": month(
        ask="containing", start="2026-01-05", at="2025-12-01", expect=periods(("2026-01-05", "2026-02-05"))
    ),
    "containing: not after the end": month(
        ask="containing",
        start="2026-01-05",
        end="2026-03-01",
        at="2026-07-01",
        expect=periods(("2026-02-05", "2026-03-01")),
    ),
    "containing: a grid through the anchor goes backwards too": month(
        ask="containing",
        anchor="2026-06-10T00:00:00Z",
        at="2026-01-20T00:00:00Z",
        policy={"alignment": "anchor"},
        expect=periods(("2026-01-10T00:00:00Z", "2026-02-10T00:00:00Z")),
    ),
    "containing: nothing to count from": month(
        ask="containing", at="2026-01-20T10:00:00Z", expect=periods(("2026-01-20T10:00:00Z", None))
    ),
    "containing: never": month(
        ask="containing",
        start="2026-01-05T00:00:00Z",
        at="2026-05-20T00:00:00Z",
        policy={"alignment": "never"},
        expect=periods(("2026-01-05T00:00:00Z", None)),
    ),
    "containing: a sliding window ends now": month(
        ask="containing",
        at="2026-03-31T00:00:00Z",
        policy={"alignment": "sliding"},
        expect=periods(("2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z")),
    ),
    "containing: the billing cycle": month(
        ask="containing",
        at="2025-06-15T00:00:00Z",
        policy={"alignment": "billing_cycle"},
        billing_period_inclusive=["2025-06-01", "2025-06-30"],
        expect=periods(("2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z")),
    ),
    "containing: hours from the start": month(
        ask="containing",
        interval="hour",
        interval_count=5,
        start="2025-06-15T01:00:00Z",
        at="2025-06-15T14:30:00Z",
        expect=periods(("2025-06-15T11:00:00Z", "2025-06-15T16:00:00Z")),
    ),
    "containing: hours from midnight UTC": month(
        ask="containing",
        policy={"alignment": "calendar"},
        interval="hour",
        interval_count=5,
        at="2025-06-15T14:30:00Z",
        expect=periods(("2025-06-15T10:00:00Z", "2025-06-15T15:00:00Z")),
    ),
    "before: the first period opens at the midnight of the starting day": month(
        ask="before",
        profile="lago",
        start="2022-02-07T05:00:00Z",
        at="2022-03-01T00:00:00Z",
        expect=periods(("2022-02-07T00:00:00Z", "2022-03-01T00:00:00Z")),
    ),
    "before: usage opens at the exact start": month(
        ask="before",
        profile="lago",
        charge_kind="usage",
        start="2022-02-07T05:00:00Z",
        at="2022-03-01T00:00:00Z",
        expect=periods(("2022-02-07T05:00:00Z", "2022-03-01T00:00:00Z")),
    ),
    "before: the period continues where the last invoice stopped": month(
        ask="before",
        profile="lago",
        timezone="America/New_York",
        last_billed_to="2022-03-01T00:00:00Z",
        start="2021-02-02T00:00:00Z",
        at="2022-04-01T12:00:00Z",
        expect=periods(("2022-03-01T00:00:00Z", "2022-04-01T04:00:00Z")),
    ),
    "elapsed: a first part period counts": month(
        ask="elapsed", start="2024-01-10", anchor_day=1, interval_count=3, at="2024-07-15", expect={"elapsed": 2}
    ),
    "windows_touching: uncut": month(
        ask="windows_touching",
        anchor="2024-01-05",
        **{"from": "2024-01-03"},
        end="2024-01-20",
        expect=periods(("2023-12-05", "2024-01-05"), ("2024-01-05", "2024-02-05")),
    ),
    "includes: invoiced by timing": month(
        ask="includes",
        start="2021-01-10",
        anchor_day=1,
        policy={"timing": "arrears"},
        expect={
            "periods": [
                {"from": "2021-03-01", "to": "2021-04-01", "invoice_at": "2021-04-01", "invoice_on": "2021-04-01"}
            ]
        },
    ),
    "billing_days: on the finer grid": month(
        ask="billing_days",
        interval_count=6,
        anchor="2023-03-31T00:00:00Z",
        usage_interval={"interval": "month", "interval_count": 1},
        expect={"billing_days": ["2023-04-30", "2023-05-31"]},
    ),
    "billing_days: a job that catches up": month(
        ask="billing_days",
        anchor="2023-02-04T00:00:00Z",
        ticks={"no_invoice": [], "exactly_one_invoice": ["2023-02-05T00:00:00Z"], "no_further_invoice": []},
        expect={"billing_days": ["2023-02-04"]},
    ),
    "billing_days: a job that does not": month(
        ask="billing_days",
        profile="lago",
        anchor="2023-02-04T00:00:00Z",
        ticks={"no_invoice": ["2023-03-02T00:00:00Z"], "exactly_one_invoice": ["2023-04-01T01:00:00Z"]},
        expect={"billing_days": ["2023-04-01"]},
    ),
    "run: parts of a virtual full period": month(
        ask="run",
        profile="killbill",
        start="2011-01-01",
        end="2011-02-27",
        anchor_day=15,
        target="2011-03-07",
        expect={
            "periods": [
                {"from": "2011-01-01", "to": "2011-01-15", "ratio": "0.451612903"},  # 14/31
                {"from": "2011-01-15", "to": "2011-02-15", "ratio": "1"},
                {"from": "2011-02-15", "to": "2011-02-27", "ratio": "0.428571429"},  # 12/28
            ],
            "cycles": "1.880184332",
            "boundaries": {
                "first": "2011-01-15",
                "billed_through": "2011-02-27",
                "last": "2011-02-15",
                "next": "2011-03-15",
            },
        },
    ),
    "run: nothing is due yet": month(
        ask="run",
        profile="killbill",
        start="2012-01-16",
        anchor_day=25,
        target="2012-01-19",
        policy={"timing": "arrears"},
        expect={"periods": [], "boundaries": {"first": "2012-01-25", "billed_through": None, "next": "2012-01-25"}},
    ),
    "run: a target before the start": month(
        ask="run", start="2011-04-30", anchor_day=15, target="2011-02-15", expect={"error": True}
    ),
    "whole": month(
        ask="whole",
        interval="week",
        start="2012-07-16",
        end="2012-07-29",
        expect=periods(("2012-07-16", "2012-07-23"), count=1),
    ),
    "anchor_day": month(
        ask="anchor_day", timezone="Asia/Tokyo", start="2012-07-16T21:17:03Z", expect={"anchor_day": 17}
    ),
    "anchor_day: a fixed offset": month(
        # 3 November 23:30 in winter time is 4 November 00:30 by the summer offset of the account
        ask="anchor_day",
        profile="killbill",
        timezone="America/New_York",
        offset="-04:00",
        start="2026-11-04T04:30:00Z",
        expect={"anchor_day": 4},
    ),
    "aligned_date": month(
        ask="aligned_date", anchor_day=31, start="2022-02-19T17:28:00Z", expect={"date": "2022-02-28"}
    ),
    "next_boundary": month(
        ask="next_boundary", anchor_day=17, start="2022-07-19T17:28:00Z", expect={"date": "2022-08-17"}
    ),
    "next_boundary: weeks count from the start": month(
        ask="next_boundary",
        interval="week",
        start="2022-02-02T17:28:00Z",
        target="2022-02-19T17:28:00Z",
        expect={"date": "2022-02-23"},
    ),
    "anchor_change": month(
        ask="anchor_change", anchor_day=10, at="2012-05-07", wanted="2012-07-03", expect={"date": "2012-07-10"}
    ),
    "instant_of_date": month(
        ask="instant_of_date",
        timezone="-08:00",
        reference_instant="2012-01-20T07:30:42Z",
        local_date="2013-01-19",
        expect={"instant": "2013-01-20T07:30:42Z"},
    ),
    "local_dates": month(
        ask="local_dates",
        timezone="Asia/Kolkata",
        expect={"local_dates": {"2026-01-31T18:29:59Z": "2026-01-31", "2026-01-31T18:30:00Z": "2026-02-01"}},
    ),
}

HALF_LEFT = {"period": ["2025-01-01", "2025-01-31"], "used": ["2025-01-16", "2025-01-31"]}  # 15 of 30 days

PRORATION: dict[str, dict[str, Any]] = {
    "amount": {**HALF_LEFT, "ask": "amount", "amount": "9.99", "expect": {"amount": "5.00", "precise": "4.995"}},
    "amount: days of a period": {
        **HALF_LEFT,
        "ask": "amount",
        "amount": "9.99",
        "expect": {"days_used": 15, "days_in_period": 30, "line_count": 1},
    },
    "amount: an empty span": {
        "ask": "amount",
        "amount": "1.00",
        "period": ["2025-01-01", "2025-02-01"],
        "used": ["2025-01-16", "2025-01-16"],
        "expect": {"amount": "0.00", "line_count": 0},
    },
    "amount: a credit within what is left": {
        **HALF_LEFT,
        "ask": "amount",
        "amount": "-12.00",
        "credited_before": "8.00",
        "expect": {"amount": "-4.00"},
    },
    "amount: minor digits of the currency": {
        **HALF_LEFT,
        "ask": "amount",
        "currency": "JPY",
        "amount": "99",
        "expect": {"amount": "50"},
    },
    "ratio": {**HALF_LEFT, "ask": "ratio", "expect": {"ratio": "1/2"}},
    "ratio: none": {
        "ask": "ratio",
        "period": ["2025-01-01", "2025-02-01"],
        "used": ["2025-01-01", "2025-03-01"],
        "expect": {"ratio": None},
    },
    "days: a zone is needed": {
        "ask": "days",
        "timezone": None,
        "used": ["2024-05-01T00:00:00Z", "2024-05-05T00:00:00Z"],
        "policy": {"proration_unit": "day"},
        "expect": {"error": True},
    },
    "true_up: converted from a pricing unit": {
        **HALF_LEFT,
        "ask": "true_up",
        "amount": "20.00",
        "charged_before": "7.00",
        "pricing_unit": {"conversion_rate": "0.25"},
        "expect": {"amount": "0.75"},  # (10 - 7) x 0.25
    },
    "true_up: never below zero": {
        **HALF_LEFT,
        "ask": "true_up",
        "amount": "10.00",
        "charged_before": "7.00",
        "expect": {"amount": "0.00"},
    },
    "grant: nothing after the period": {
        "ask": "grant",
        "amount": "100",
        "period": ["2025-01-01", "2025-02-01"],
        "used": ["2025-03-15", "2025-02-01"],
        "expect": {"amount": "0"},
    },
    "grant: a period that runs backwards": {
        "ask": "grant",
        "amount": "100",
        "period": ["2025-02-01", "2025-01-01"],
        "used": ["2025-02-01", "2025-01-01"],
        "expect": {"error": True},
    },
    "changes": {
        **HALF_LEFT,
        "ask": "changes",
        "changes": [{"old": {"unit_amount": "10", "quantity": "5"}, "new": {"amount": "20"}}],
        "billed": ["50.00"],
        "expect": {
            "credit": "-25.00",
            "charge": "10.00",
            "net": "-15.00",
            "amount_due": "0.00",
            "customer_balance": "15.00",
            "line_amounts": ["-25.00", "10.00"],
            "line_count": 2,
            "ratio": "15/30",
        },
    },
    "changes: other periods never count as billed": {
        **HALF_LEFT,
        "ask": "changes",
        "changes": [{"old": {"amount": "20"}, "new": None}],
        "billed": [],
        "billed_other_period": [{"period": ["2024-11-01", "2025-02-01"], "amount": "1.00"}],
        "expect": {"credit": "-10.00", "net": "-10.00"},
    },
    "changes: a yearly price": {
        **HALF_LEFT,
        "ask": "changes",
        "changes": [{"old": None, "new": {"amount": "3650"}}],
        "price_interval": {"interval": "year", "interval_count": 1},
        "expect": {"charge": "150.00", "ratio": "15/365"},
    },
    "changes: one line of the difference": {
        **HALF_LEFT,
        "profile": "recurly",
        "ask": "changes",
        "changes": [{"old": {"amount": "60"}, "new": {"amount": "90"}}],
        "expect": {"line_amounts": ["15.00"], "net": "15.00"},
    },
    "direction": {
        "ask": "direction",
        "changes": [{"old": {"amount": "20"}, "new": {"amount": "20"}}],
        "policy": {"upgrade_test": "yearly_amount"},
        "expect": {"direction": "upgrade"},
    },
    "credit_cap": {
        "ask": "credit_cap",
        "amount": "100.00",
        "paid": "200.00",
        "credited_before": "180.00",
        "expect": {"credit": "-20.00"},
    },
    "netting": {
        "ask": "netting",
        "policy": {"netting": "same_item"},
        "lines": [{"item": "a", "amount": "-50"}, {"item": "a", "amount": "50"}, {"item": None, "amount": "3"}],
        "expect": {"line_amounts": ["3"]},
    },
    "credit_allocation: newest charge first": {
        "profile": "recurly",
        "ask": "credit_allocation",
        "invoice_lines": [
            {"id": "old", "item": "a", "amount": "10.00", "to": "2026-01-15"},
            {"id": "new", "item": "a", "amount": "5.00", "to": "2026-02-01"},
        ],
        "credits": [{"item": "a", "amount": "7.50"}],
        "expect": {"credits": [{"line": "new", "amount": "5.00", "ratio": "1"}, {"line": "old", "amount": "2.50"}]},
    },
    "termination_credit: the trial was free": {
        "profile": "lago",
        "policy": {"unused_time": "refund"},
        "ask": "termination_credit",
        "amount": "31.00",
        "period": ["2022-10-01", "2022-11-01"],
        "used": ["2022-10-16", "2022-11-01"],
        "trial_end": "2022-10-11",
        "invoice_total": "31.00",
        "invoice_paid": "31.00",
        # 5 of 31 days used: 5.00; what is left of 31.00 is more than the credit of 16.00
        "expect": {"amount": "16.00", "to_refund": "16.00", "to_credit": "0.00"},
    },
    "termination_credit: an upgrade always credits": {
        "profile": "lago",
        "policy": {"unused_time": "none"},
        "reason": "upgrade",
        "ask": "termination_credit",
        "amount": "31.00",
        "tax_percent": "20",
        "period": ["2022-10-01", "2022-11-01"],
        "used": ["2022-10-16", "2022-11-01"],
        "expect": {
            "amount": "19.20",
            "item": "16.00",
            "item_precise": "16.0000000",
            "tax": "3.20",
            "to_credit": "19.20",
        },
    },
    "seat_units": {
        "profile": "lago",
        "ask": "seat_units",
        "period": ["2024-06-01", "2024-06-11"],
        "quantity_changes": [{"units": "2", "effective": "2024-06-06", "recorded": "2024-06-06"}],
        "expect": {"units": "1"},
    },
    "anchor_move": {
        "profile": "recurly",
        "ask": "anchor_move",
        "period": ["2026-01-15", "2026-02-15"],
        "used": ["2026-02-12", "2026-02-15"],
        "expect": {"credit_days": 3, "charge_period": ["2026-02-12", "2026-03-12"], "next_period_from": "2026-03-12"},
    },
}


@pytest.mark.parametrize("body", PERIODS.values(), ids=PERIODS)
def test_cases_of_kind_periods(body: dict[str, Any]) -> None:
    assert run_case(case("periods", body)).why == ""


@pytest.mark.parametrize("body", PRORATION.values(), ids=PRORATION)
def test_cases_of_kind_proration(body: dict[str, Any]) -> None:
    assert run_case(case("proration", body)).why == ""


@pytest.mark.parametrize(
    ("kind", "body", "expect"),
    [
        ("periods", PERIODS["whole"], {"count": 2}),
        ("periods", PERIODS["list: the last one is cut"], periods(("2026-01-01", "2026-02-01"))),
        ("periods", PERIODS["billing_days: a job that does not"], {"billing_days": []}),
        ("proration", PRORATION["amount"], {"amount": "4.99"}),
        ("proration", PRORATION["ratio: none"], {"ratio": "1"}),
        ("proration", PRORATION["days: a zone is needed"], {"days": 4}),
    ],
)
def test_another_figure_fails(kind: str, body: dict[str, Any], expect: dict[str, Any]) -> None:
    assert not run_case(case(kind, {**body, "expect": expect})).passed


def test_a_tick_that_must_bill_nothing_but_does_fails_the_case() -> None:
    body = month(
        ask="billing_days",
        profile="lago",
        anchor="2023-02-04T00:00:00Z",
        ticks={"no_invoice": ["2023-03-01T00:00:00Z"], "exactly_one_invoice": ["2023-04-01T01:00:00Z"]},
        expect={"billing_days": ["2023-04-01"]},
    )

    assert not run_case(case("periods", body)).passed
