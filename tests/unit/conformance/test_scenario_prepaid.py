"""Scenarios of prepaid credits: bought, granted, voided, drawn by final invoices; each story states its arithmetic."""

from typing import Any

from tenor.conformance import Case, run_case

Body = dict[str, Any]

METRIC: Body = {"id": "m", "aggregation": "sum", "field": "n"}
USAGE: Body = {"kind": "usage", "metric": "m", "model": "standard", "properties": {"unit_amount": "1"}}
PLAN: Body = {
    "id": "p",
    "interval": "month",
    "interval_count": 1,
    "timing": "arrears",
    "charges": [{"kind": "recurring", "amount": "4.00"}, {**USAGE, "timing": "arrears"}],
}


def at(day: str) -> str:
    return f"{day}T00:00:00Z"


def step(day: str, do: str, **arguments: Any) -> Body:
    return {"at": at(day), "do": do, **arguments}


def wallet(day: str = "2025-01-01", *, rate: str = "1", **more: Any) -> Body:
    return step(day, "create_wallet", customer="c1", rate=rate, **more)


def used(day: str, units: str) -> Body:
    return step(day, "usage", subscription="s1", metric="m", properties={"n": units})


def subscribed() -> Body:
    return step("2025-01-01", "subscribe", customer="c1", subscription="s1", plan="p", alignment="calendar")


def fact(day: str, **figures: Any) -> Body:
    return {"at": at(day), **figures}


def invoiced(day: str, **figures: Any) -> Body:
    return fact(day, invoice={"customer": "c1", **figures})


def why(*steps: Body, expect: list[Body], policy: Body | None = None, **customer: Any) -> str:
    body = {
        "topic": "wallet",
        "currency": "EUR",
        "timezone": "UTC",
        "policy": policy or {},
        "metrics": [METRIC],
        "plans": [PLAN],
        "customers": [{"id": "c1", "timezone": "UTC", "tax_percents": [], **customer}],
        "steps": list(steps),
        "expect": expect,
    }
    return run_case(Case("by-hand", "scenario", "lago", "profile", body)).why


def test_granted_credits_are_what_their_rounded_money_is_worth() -> None:
    # 0.3333333 credits at 3.00 are 0.9999999 → 1.00, and that is 0.33333 credits, cut to 5 digits
    granted = step("2025-01-02", "grant_credits", amount="0.3333333000000000000001")
    facts = [
        fact("2025-01-02", wallet_balance="1.00", wallet_credits="0.33333"),
        fact("2025-01-02", wallet_transaction={"amount": "1.00", "credits": "0.33333"}),
    ]

    assert why(wallet(rate="3"), granted, expect=facts) == ""


def test_voided_credits_and_their_money_are_rounded_apart() -> None:
    # 14.284444 is cut to 14.28444; its money is 14.28: 100 − 14.28 = 85.72, 100 − 14.28444 = 85.71556
    voided = step("2025-01-02", "void_credits", amount="14.284444")
    facts = [fact("2025-01-02", wallet_balance="85.72", wallet_credits="85.71556")]

    assert why(wallet(granted="100"), voided, expect=facts) == ""
    too_much = step("2025-01-02", "void_credits", amount="101", error=True)
    assert why(wallet(granted="100"), too_much, expect=[fact("2025-01-02", wallet_balance="100")]) == ""


def test_bought_credits_come_when_they_are_paid() -> None:
    bought = step("2025-01-02", "buy_credits", amount="15")
    paid = step("2025-01-05", "pay", invoice="top_up")
    waiting = [invoiced("2025-01-02", total="30.00", state="finalized"), fact("2025-01-04", wallet_balance="20.00")]
    after = [fact("2025-01-05", wallet_balance="50.00", wallet_credits="25")]

    assert why(wallet(rate="2", granted="10"), bought, paid, expect=[*waiting, *after]) == ""
    held = [invoiced("2025-01-02", state="held", payment="pending"), fact("2025-01-04", wallet_balance="20.00")]
    policy = {"top_up_invoice": "held_until_paid"}
    assert why(wallet(rate="2", granted="10"), bought, paid, expect=[*held, *after], policy=policy) == ""


def test_a_final_invoice_is_paid_as_far_as_credit_goes_and_a_void_gives_it_back() -> None:
    # 4.00 of the plan and 8.00 of usage; 10.00 are there
    billed = [subscribed(), wallet(granted="10"), used("2025-01-06", "8"), step("2025-02-01", "advance")]
    paid = invoiced("2025-02-01", subtotal="12.00", wallet_applied="10.00", total="2.00")

    assert why(*billed, expect=[paid, fact("2025-02-01", wallet_balance="0.00")]) == ""
    voided = step("2025-02-02", "void_invoice", invoice="latest")
    assert why(*billed, voided, expect=[fact("2025-02-02", wallet_balance="10.00", wallet_credits="10")]) == ""


def test_a_wallet_for_some_metrics_pays_for_their_usage_alone() -> None:
    # with 10 % tax: usage 8.80 of 13.20
    limited = wallet(granted="10", limited_to={"metrics": ["m"]})
    billed = [subscribed(), limited, used("2025-01-06", "8"), step("2025-02-01", "advance")]
    facts = [invoiced("2025-02-01", gross="13.20", wallet_applied="8.80", total="4.40")]

    assert why(*billed, expect=facts, tax_percents=["10"]) == ""


def test_older_wallets_pay_first() -> None:
    billed = [subscribed(), wallet(granted="3"), wallet(granted="20"), step("2025-02-01", "advance")]
    facts = [invoiced("2025-02-01", wallet_applied="4.00", total="0.00"), fact("2025-02-01", wallet_balance="19.00")]

    assert why(*billed, expect=facts) == ""


def test_a_wallet_fills_itself_up_by_what_is_running() -> None:
    # 10 − 8 = 2 are not more than 5: 4 are bought. Unpaid they count, 2 + 4 > 5; 2 more used: 4 ≤ 5, 4 again
    rule = {"trigger": "threshold", "threshold_credits": "5", "method": "fixed", "paid_credits": "4"}
    steps = [subscribed(), wallet(granted="10", rules=[rule]), used("2025-01-06", "8"), used("2025-01-07", "2")]
    facts = [
        fact("2025-01-06", invoice_count=1, wallet={"balance": "10", "ongoing_balance": "2", "ongoing_usage": "8"}),
        invoiced("2025-01-06", total="4.00", state="finalized"),
        fact("2025-01-07", invoice_count=2),
    ]

    assert why(*steps, expect=facts) == ""
    # 25 are used at once: −15, and 20 are missing: 5 × 4
    deep = [subscribed(), wallet(granted="10", rules=[rule]), used("2025-01-06", "25")]
    assert why(*deep, expect=[invoiced("2025-01-06", total="20.00")]) == ""


def test_less_than_the_least_cannot_be_bought_unless_a_rule_ignores_it() -> None:
    bought = step("2025-01-02", "buy_credits", amount="4", error=True)
    assert why(wallet(min_top_up="5"), bought, expect=[fact("2025-01-02", invoice_count=0)]) == ""

    rule = {"trigger": "threshold", "threshold_credits": "1", "method": "fixed", "paid_credits": "4"}
    for ignores, count in ((False, 0), (True, 1)):
        made = wallet(min_top_up="5", rules=[{**rule, "ignore_limits": ignores}])
        assert why(made, expect=[fact("2025-01-01", invoice_count=count)]) == ""
