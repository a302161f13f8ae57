"""Cases of prepaid credits: order, eligibility, wallets alone, and charges that are rated in runs."""

from typing import Any

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.runner import run_case

JANUARY: dict[str, Any] = {"topic": "credits", "timezone": "UTC", "measure_from": "2026-01-01T00:00:00Z"}
BY_CUMULATIVE_TOTAL = {"rounding": {"mode": "half_up", "digits": "currency", "place": "cumulative"}}


def why(body: dict[str, Any], *, kind: str = "scenario", profile: str = "openmeter") -> str:
    return run_case(Case("by-hand", kind, profile, "core", {"kind": kind, **body})).why


def at(day: int, clock: str = "00:00") -> str:
    return f"2026-01-{day:02}T{clock}:00Z"


def grant(day: int, amount: str, name: str = "g", **more: Any) -> dict[str, Any]:
    step = {"at": at(day), "do": "grant_credits", "grant": name, "amount": amount, "expires_at": None, "priority": 1}
    return step | more


def used(day: int, units: str, clock: str = "00:00") -> dict[str, Any]:
    return {"at": at(day, clock), "do": "usage", "units": units}


def reset(day: int, **more: Any) -> dict[str, Any]:
    return {"at": at(day), "do": "reset_usage", "preserve_overage": False} | more


def units(*steps: dict[str, Any], expect: list[dict[str, Any]], **more: Any) -> str:
    return why({**JANUARY, "unit": "units", "steps": list(steps), "expect": expect, **more})


def money(*steps: dict[str, Any], expect: list[dict[str, Any]], **policy: Any) -> str:
    keys = {"burn_order": ["priority", "expiry", "id"], "rounding": {"mode": "none"}, **policy}
    body = {"topic": "credits", "timezone": "UTC", "currency": "USD", "policy": keys}
    return why({**body, "steps": list(steps), "expect": expect})


@pytest.mark.parametrize(
    ("later", "burns"),
    [
        ({"priority": 2}, ["a", "b"]),
        ({"expires_at": "2026-02-01T00:00:00Z"}, ["b", "a"]),
        ({"category": "promotional"}, ["b", "a"]),
        ({"effective_at": "2025-12-01T00:00:00Z"}, ["b", "a"]),
        ({"created_at": "2025-12-01T00:00:00Z"}, ["b", "a"]),
    ],
)
def test_grants_burn_by_priority_expiry_category_effect_and_creation(later: dict[str, str], burns: list[str]) -> None:
    start = {"effective_at": at(1), "created_at": at(1), "category": "paid", "priority": 1}
    grants = [{"id": "a", **start}, {"id": "b", **start, **later}]

    assert why({"grants": grants, "expect": {"order": burns}}, kind="credit_order", profile="stripe") == ""


@pytest.mark.parametrize(
    ("line", "profile", "is_eligible"),
    [
        ({"period_end": at(1)}, "stripe", True),  # in force from that instant on
        ({"period_end": at(31)}, "stripe", False),  # expired at that instant
        ({"period_end": at(1)}, "openmeter", False),  # must be in force before the end
        ({"period_end": at(2)}, "openmeter", True),
        ({"period_end": at(2), "metered": False}, "stripe", False),
        ({"period_end": at(2), "currency": "EUR"}, "stripe", False),
    ],
)
def test_a_grant_pays_metered_lines_of_its_time_and_currency(
    line: dict[str, Any], profile: str, is_eligible: bool
) -> None:
    granted = {"currency": "USD", "effective_at": at(1), "expires_at": at(31)}
    body = {"grant": granted, "line": {"currency": "USD", "metered": True, **line}, "expect": {"eligible": is_eligible}}

    assert why(body, kind="credit_eligibility", profile=profile) == ""


def test_time_has_the_resolution_that_the_policy_says() -> None:
    # 10 are used at 00:00:40 and read 20 seconds before: a whole minute is seen, or none of it
    steps = [grant(1, "100"), {"at": "2026-01-02T00:00:40Z", "do": "usage", "units": "10"}]
    asked = {"at": "2026-01-02T00:00:20Z"}

    assert units(*steps, expect=[asked | {"wallet_balance": "90"}]) == ""
    assert units(*steps, expect=[asked | {"wallet_balance": "100"}], policy={"time_resolution": "exact"}) == ""


def test_a_reading_at_an_expiry_sees_what_the_policy_says() -> None:
    steps = [grant(1, "100", expires_at=at(5)), used(2, "30")]

    assert units(*steps, expect=[{"at": at(5), "wallet_balance": "0"}]) == ""
    assert units(*steps, expect=[{"at": at(5), "wallet_balance": "70"}], policy={"read_at_expiry": "before"}) == ""


def test_usage_periods_reset_by_themselves_and_a_reset_can_move_their_anchor() -> None:
    weekly = {"usage_period": {"interval": "week", "interval_count": 1, "anchor": at(1)}}
    steps = [grant(1, "100", max_rollover="100"), used(7, "10"), used(9, "5")]

    # resets on the 8th and the 15th
    assert units(*steps, expect=[{"at": at(10), "usage_in_period": "5", "wallet_balance": "85"}], **weekly) == ""
    # reset on the 3rd; with its anchor moved there the next one comes on the 10th instead of the 8th
    moved = [*steps[:1], reset(3, retain_anchor=False), *steps[1:]]
    assert units(*moved, expect=[{"at": at(9, "01:00"), "usage_in_period": "15"}], **weekly) == ""
    kept = [*steps[:1], reset(3, retain_anchor=True), *steps[1:]]
    assert units(*kept, expect=[{"at": at(9, "01:00"), "usage_in_period": "5"}], **weekly) == ""


def test_a_reset_outside_its_usage_period_is_refused() -> None:
    early = [reset(5), reset(4)]

    assert units(*early, expect=[{"at": at(4), "error": True}]) == ""
    assert units(reset(5), reset(4), expect=[{"at": at(6), "overage": "0"}]).startswith("step 1 was refused")
    assert units(reset(5), expect=[{"at": at(5), "error": True}]) == "nothing was refused at 2026-01-05 00:00:00+00:00"
    assert units(reset(5), expect=[{"at": at(5), "error": True}], now=at(4)) == ""


def test_a_window_shows_what_was_left_when_it_opened() -> None:
    # the grant of noon shows at the start of the next day: 100 − 10 + 50 − 20
    steps = [grant(1, "100"), used(2, "10", "06:00"), grant(2, "50", "h", effective_at=at(2, "12:00"))]
    steps.append(used(2, "20", "18:00"))
    windows = [
        {"index": 0, "balance_at_start": "100", "usage": "30"},
        {"index": 1, "balance_at_start": "120", "usage": "0"},
    ]

    assert units(*steps, expect=[{"window": "day", "from": at(2), "to": at(4), "windows": windows}]) == ""
    too_early = {"window": "day", "from": "2025-12-30T00:00:00Z", "to": at(4), "error": True}
    assert units(*steps, expect=[too_early]) == ""
    assert "should have been refused" in units(*steps, expect=[too_early | {"from": at(2)}])


def test_equal_grants_are_numbered_and_read_together() -> None:
    copies = {"at": at(1), "do": "grant_credits", "grant_prefix": "n", "count": 12, "amount": "5", "priority": 2}
    facts = [{"at": at(3), "grant_balances": {"g": "0"}, "grant_balances_others": "5", "wallet_balance": "60"}]

    assert units(grant(1, "10"), copies, used(2, "10"), expect=facts) == ""


def test_credit_only_is_an_advance_that_a_later_grant_repays_by_policy() -> None:
    steps = [
        grant(1, "10", "a"),
        {"at": at(2), "do": "collect_credits", "amount": "15", "settlement": "credit_only", "spend": "s"},
        grant(3, "20", "b"),
    ]
    owed: dict[str, Any] = {
        "at": at(2),
        "uncovered": "5",
        "receivable": "-5",
        "accrued": "15",
        "accrued_unattributed": "5",
    }

    assert money(*steps, expect=[owed, {"at": at(3), "receivable": "-5", "wallet_balance": "20"}]) == ""
    repaid: dict[str, Any] = {"at": at(3), "receivable": "0", "wallet_balance": "15", "accrued_attributed": "15"}
    assert (
        money(*steps, expect=[owed, repaid, {"accrued_by_spend": {"s": "15"}, "at": at(3)}], advance_backfill=True)
        == ""
    )


def test_what_credit_does_not_cover_goes_to_the_invoice() -> None:
    collected = {"at": at(2), "do": "collect_credits", "amount": "15", "settlement": "credit_then_invoice"}
    facts: list[dict[str, Any]] = [
        {"at": at(2), "to_invoice": "5", "collected": [{"grant": "g", "amount": "10"}], "receivable": "0"},
        {"at": at(1), "collectable": {"requested": "15", "amount": "10"}},
    ]

    assert money(grant(1, "10"), collected, expect=facts) == ""


def test_what_was_booked_ahead_cannot_be_drawn_twice() -> None:
    ahead = {"at": at(9), "do": "collect_credits", "amount": "60", "booked": True}
    now = {"at": at(2), "do": "collect_credits", "amount": "80"}
    facts = [{"at": at(2), "uncovered": "40", "wallet_balance": "60"}, {"at": at(9), "wallet_balance": "0"}]

    assert money(grant(1, "100"), ahead, now, expect=facts) == ""


def test_a_period_is_paid_by_grants_that_began_before_its_end() -> None:
    sold = {"at": at(2), "do": "usage", "units": "3", "unit_amount": "10"}
    closed = {"at": at(12), "do": "finalize_period", "from": at(1), "to": at(10), "settlement": "credit_only"}
    late = grant(1, "20", "late", effective_at=at(11))
    facts = [{"at": at(12), "collected": [{"grant": "g", "amount": "25"}], "uncovered": "5", "wallet_balance": "20"}]

    assert money(grant(1, "25"), late, sold, closed, expect=facts) == ""
    # a correction of the period gives back what was taken for it: 3 × 10 were, 1 × 10 are left
    taken_back = [{"at": at(3), "do": "usage", "units": "-2", "unit_amount": "10"}, {**closed, "at": at(13)}]
    again = [{"at": at(13), "accrued": "10", "wallet_balance": "35", "receivable": "0"}]
    assert money(grant(1, "25"), late, sold, closed, *taken_back, expect=again) == ""


def rate_run(day_from: int, day_to: int, **totals: Any) -> dict[str, Any]:
    return {"at": at(day_to), "do": "rate_run", "from": at(day_from), "to": at(day_to), **totals}


def runs(model: str, properties: dict[str, Any], *steps: dict[str, Any], expect: Any, **policy: Any) -> str:
    plan = {"id": "p", "charges": [{"kind": "usage", "model": model, "properties": properties}]}
    keys = {**BY_CUMULATIVE_TOTAL, "volume_progressive": True, **policy}
    body = {"topic": "runs", "timezone": "UTC", "policy": keys, "plans": [plan], "steps": list(steps)}
    return why({**body, "expect": expect})


def test_the_running_total_is_rounded_and_then_the_difference_is_taken() -> None:
    # a third of a cent each: 0.333 → 0.33, 0.667 → 0.67, 1.00
    steps = [rate_run(1, 2, cumulative_units="1"), rate_run(2, 3, cumulative_units="2")]
    steps.append(rate_run(3, 4, cumulative_units="3"))
    amounts = [{"at": at(2), "run_amount": "0.33"}, {"at": at(3), "run_amount": "0.34"}]

    assert (
        runs("standard", {"unit_amount": "0.3333"}, *steps, expect=[*amounts, {"at": at(4), "run_amount": "0.33"}])
        == ""
    )


def test_a_dynamic_total_replaces_the_one_that_was_booked_and_credits_change_nothing() -> None:
    paid = {"at": at(2), "do": "apply_credits", "amount": "4"}
    steps = [rate_run(1, 2, cumulative_units="10"), paid, rate_run(2, 3, cumulative_units="15")]
    lines = [{"amount": "-20"}, {"amount": "30"}]  # 10 × 2 back, 15 × 2

    facts = [{"at": at(3), "run_amount": "10", "run_lines": lines}]
    assert runs("dynamic", {"multiplier": "2"}, *steps, expect=facts) == ""


def test_a_late_unit_is_booked_on_its_own_period_and_moves_the_tiers_of_the_later_ones() -> None:
    # up to 5 at 1, above at 2. First run 4 → 4; second 4 to 6: 1 + 2 = 3. One late unit in the first: 5 → +1;
    # second 5 to 7: 2 × 2 = 4 → the unit at 1 is taken back and one at 2 more; third 7 to 8: 2
    tiers = [{"up_to": "5", "unit_amount": "1"}, {"up_to": None, "unit_amount": "2"}]
    steps = [
        rate_run(1, 2, cumulative_units_per_run=["4"]),
        rate_run(2, 3, cumulative_units_per_run=["4", "6"]),
        rate_run(3, 4, cumulative_units_per_run=["5", "7", "8"]),
    ]
    lines = [
        {"from": at(1), "to": at(2), "amount": "1", "correction": True},
        {"from": at(2), "to": at(3), "amount": "-1", "correction": True},
        {"from": at(2), "to": at(3), "amount": "2", "correction": True},
        {"from": at(3), "to": at(4), "amount": "2", "correction": False},
    ]
    facts = [{"at": at(3), "run_amount": "3"}, {"at": at(4), "run_amount": "4", "run_lines": lines}]

    assert runs("graduated", {"tiers": tiers}, *steps, expect=facts, late_usage="period_preserving") == ""


def test_what_nothing_here_knows_is_not_dropped() -> None:
    assert "the verb 'pay' is not built" in money({"at": at(1), "do": "pay"}, expect=[{"at": at(1), "accrued": "0"}])
    assert "wings" in units(grant(1, "1"), expect=[{"at": at(1), "overage": "0"}], wings=2)
    assert "nothing here can read fees" in units(grant(1, "1"), expect=[{"at": at(1), "fees": {"metric": "m"}}])
