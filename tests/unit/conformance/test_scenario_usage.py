"""Usage in scenarios: filters, groups, minimums, levels, usage billed on arrival, and running amounts."""

from typing import Any

from tests.support.scenario_stories import (
    Body,
    advance,
    fee,
    invoice,
    line,
    metric,
    passes,
    plan,
    step,
    subscribe,
    usage_charge,
    used,
)

LEVEL = metric(recurring=True)
USERS = metric("m", "unique_count", recurring=True)


def user(day: str, name: str, *, leaves: bool = False) -> Body:
    return used(day, properties={"n": name, **({"operation_type": "remove"} if leaves else {})})


def fees(day: str, **asked: Any) -> Body:
    return {"at": day if "T" in day else f"{day}T00:00:00Z", "fees": {"metric": "m", **asked}}


def now(day: str, **asked: str) -> Body:
    return {"at": f"{day}T00:00:00Z", "current_usage": asked}


class TestInArrears:
    def test_a_line_exists_once_an_event_was_received(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                advance("2025-05-01"),
                used("2025-05-02", properties={"n": "0"}),
                advance("2025-06-01"),
            ],
            [
                invoice("2025-05-01", line_counts={"usage": 0}),
                invoice("2025-06-01", lines=[line("usage", "0.00")]),
            ],
            plan("arrears", fee("0.00"), usage_charge("1")),
        )

    def test_a_missed_period_is_never_billed(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "1"}),
                used("2025-06-02", properties={"n": "2"}),
                advance("2025-07-01"),
            ],
            [
                invoice("2025-07-01", subtotal="12.00", usage_period=["2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z"]),
                {"at": "2025-07-01T00:00:00Z", "invoice_count": 1},
            ],
            plan("arrears", fee("10.00"), usage_charge("1")),
        )

    def test_late_usage_of_an_invoiced_period_is_lost(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                advance("2025-05-01"),
                used("2025-05-02", properties={"n": "5"}, event_at="2025-04-20T00:00:00Z"),
                advance("2025-06-01"),
            ],
            [invoice("2025-06-01", total="10.00")],
            plan("arrears", fee("10.00"), usage_charge("1")),
        )

    def test_a_finer_grid_bills_usage_of_a_yearly_plan(self) -> None:
        passes(
            [
                subscribe("2025-01-01"),
                used("2025-01-05", properties={"n": "3"}),
                advance("2025-02-01"),
                advance("2026-01-01"),
            ],
            [invoice("2025-02-01", total="3.00"), invoice("2026-01-01", total="120.00")],
            {
                **plan("arrears", fee("120.00"), usage_charge("1")),
                "interval": "year",
                "usage_interval": {"interval": "month", "interval_count": 1},
            },
        )

    def test_an_event_counts_for_the_filter_that_asks_most_of_it(self) -> None:
        charge = usage_charge(
            "1",
            filters=[
                {"match": {"region": ["eu"]}, "unit_amount": "2"},
                {"match": {"region": ["eu"], "tier": ["gold"]}, "unit_amount": "3"},
            ],
        )
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "1", "region": "us"}),
                used("2025-04-02", properties={"n": "10", "region": "eu"}),
                used("2025-04-02", properties={"n": "100", "region": "eu", "tier": "gold"}),
                advance("2025-05-01"),
            ],
            [
                invoice(
                    "2025-05-01",
                    lines=[line("usage", amount) for amount in ("1.00", "20.00", "300.00")],
                    line_counts={"usage": 3},
                )
            ],
            plan("arrears", fee("0.00"), charge),
        )

    def test_each_group_is_a_line_with_its_own_price_steps(self) -> None:
        charge = {
            **usage_charge("1", group_by=["region"]),
            "model": "package",
            "properties": {"package_size": "10", "package_amount": "5", "round": "up"},
        }
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "11", "region": "us"}),
                used("2025-04-03", properties={"n": "1", "region": "eu"}),
                advance("2025-05-01"),
            ],
            [invoice("2025-05-01", lines=[line("usage", "10.00"), line("usage", "5.00")])],
            plan("arrears", fee("0.00"), charge),
        )

    def test_what_a_charge_lacks_of_its_minimum_is_a_line_of_its_own(self) -> None:
        passes(
            [subscribe("2025-04-16"), used("2025-04-17", properties={"n": "4"}), advance("2025-05-01")],
            # 15 of 30 days of 20.00, less 4.00
            [
                invoice(
                    "2025-05-01",
                    lines=[line("usage", "4.00"), line("true_up", "6.00", metric="m")],
                )
            ],
            plan("arrears", fee("0.00"), usage_charge("1", minimum="20.00")),
        )

    def test_a_level_goes_on_and_a_prorated_one_counts_by_days(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-16", properties={"n": "6"}),
                advance("2025-05-01"),
                advance("2025-06-01"),
            ],
            # 6 units for 15 of 30 days, then whole
            [invoice("2025-05-01", total="3.00"), invoice("2025-06-01", total="6.00")],
            plan("arrears", fee("0.00"), usage_charge("1", prorated=True)),
            metrics=[LEVEL],
        )

    def test_a_percentage_looks_at_each_event(self) -> None:
        charge = {
            **usage_charge("1"),
            "model": "percentage",
            "properties": {"rate_percent": "1", "fixed_amount": "0.50", "free_events": "1"},
        }
        passes(
            [subscribe("2025-04-01"), used("2025-04-02", properties={"n": "100"}, count=3), advance("2025-05-01")],
            # the first is free; 2 x (1.00 + 0.50)
            [invoice("2025-05-01", total="3.00")],
            plan("arrears", fee("0.00"), charge),
        )


class TestOnArrival:
    def test_each_event_has_its_invoice_and_skips_the_grace(self) -> None:
        passes(
            [subscribe("2025-04-01"), used("2025-04-02", properties={"n": "10"}), advance("2025-05-01")],
            [
                invoice("2025-04-02", state="finalized", total="10.00", lines=[{"kind": "usage", "units": "10"}]),
                invoice("2025-05-01", line_counts={"usage": 0}),
            ],
            plan("arrears", fee("1.00"), usage_charge("1", timing="advance")),
            customer={"grace_days": 3},
        )

    def test_only_what_exceeds_the_highest_level_is_billed(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "10"}),
                used("2025-04-03", properties={"n": "-4"}),
                used("2025-04-04", properties={"n": "8"}),
            ],
            [
                fees("2025-04-03", amount="0.00", units="0", count=1, invoiced=False),
                fees("2025-04-04", amount="4.00", units="4"),
                now("2025-04-04", amount="14.00", units="14"),
            ],
            plan("arrears", fee("1.00"), usage_charge("1", timing="advance", invoiceable=False)),
        )

    def test_a_value_that_comes_back_is_free_and_one_that_is_there_is_no_fee(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                user("2025-04-02", "a"),
                user("2025-04-03", "a", leaves=True),
                user("2025-04-04", "a"),
                user("2025-04-05", "a"),
                user("2025-04-06", "b"),
            ],
            [
                fees("2025-04-02", amount="12.00", units="1"),
                fees("2025-04-03", amount="0.00", units="0"),
                fees("2025-04-04", amount="0.00", units="1"),
                fees("2025-04-05", count=0),
                fees("2025-04-06", amount="12.00", units="1"),
            ],
            plan("arrears", fee("1.00"), usage_charge("12", timing="advance", invoiceable=False)),
            metrics=[USERS],
        )

    def test_a_prorated_value_pays_the_days_that_are_left_and_is_renewed_whole(self) -> None:
        passes(
            [
                subscribe("2025-06-05T12:12:00Z"),
                user("2025-06-11T10:00:00Z", "a"),
                user("2025-06-12T10:00:00Z", "b"),
                advance("2025-07-01T00:10:00Z"),
            ],
            [
                fees("2025-06-11T10:00:00Z", amount="20.00"),  # 20 of 30 days
                fees("2025-06-12T10:00:00Z", amount="19.00"),
                fees(
                    "2025-07-01T00:10:00Z",
                    amount="60.00",
                    units="2",
                    invoiced=False,
                    **{"from": "2025-07-01T00:00:00Z", "to": "2025-08-01T00:00:00Z"},
                ),
                {"at": "2025-07-01T00:10:00Z", "invoice_count": 2},
            ],
            plan("advance", fee("1.00"), usage_charge("30", timing="advance", prorated=True, invoiceable=False)),
            metrics=[USERS],
        )

    def test_each_group_is_renewed_by_itself(self) -> None:
        passes(
            [subscribe("2025-06-05"), user("2025-06-11", "a"), user("2025-06-12", "b"), advance("2025-07-01")],
            [fees("2025-07-01", count=2, amount_each="30.00", units_each="1", invoiced=True)],
            plan("advance", fee("1.00"), usage_charge("30", timing="advance", group_by=["n"])),
            metrics=[USERS],
        )

    def test_an_end_renews_nothing(self) -> None:
        passes(
            [subscribe("2025-06-01"), user("2025-06-11", "a"), step("2025-06-20", "cancel", subscription="s1")],
            [
                fees("2025-06-20", count=0),
                {"at": "2025-06-20T00:00:00Z", "fees": {"metric": "m", "count": 1, "span": "month"}},
            ],
            plan("advance", fee("1.00"), usage_charge("30", timing="advance")),
            metrics=[USERS],
        )

    def test_tiers_are_entered_once_in_a_period(self) -> None:
        charge = {
            **usage_charge("1", timing="advance", invoiceable=False),
            "model": "graduated",
            "properties": {
                "tiers": [
                    {"up_to": "5", "unit_amount": "2", "flat_amount": "10"},
                    {"up_to": None, "unit_amount": "1", "flat_amount": "20"},
                ]
            },
        }
        passes(
            [
                subscribe("2025-06-01"),
                used("2025-06-02", properties={"n": "3"}),
                used("2025-06-03", properties={"n": "4"}),
                used("2025-06-04", properties={"n": "1"}),
            ],
            [
                fees("2025-06-02", amount="16.00"),  # 3 x 2 + 10
                fees("2025-06-03", amount="26.00"),  # 2 x 2 + 2 x 1 + 20
                fees("2025-06-04", amount="1.00"),
            ],
            plan("arrears", fee("1.00"), charge),
        )


class TestRunningAmounts:
    def test_usage_so_far_and_in_a_whole_life(self) -> None:
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-02", properties={"n": "5"}),
                advance("2025-05-01"),
                used("2025-05-02", properties={"n": "7"}),
            ],
            [
                now("2025-04-02", amount="5.00", units="5"),
                now("2025-05-01", amount="0.00", units="0"),
                now("2025-05-02", amount="7.00", units="7"),
                {"at": "2025-05-02T00:00:00Z", "lifetime_usage": {"current": "12.00"}},
            ],
            plan("arrears", fee("0.00"), usage_charge("1")),
        )

    def test_a_level_that_moves_is_priced_by_its_moves(self) -> None:
        tiers = [
            {"up_to": "5", "unit_amount": "10", "flat_amount": "0"},
            {"up_to": None, "unit_amount": "4", "flat_amount": "0"},
        ]
        charge = {**usage_charge("1", prorated=True), "model": "graduated", "properties": {"tiers": tiers}}
        passes(
            [
                subscribe("2025-04-01"),
                used("2025-04-16", properties={"n": "8"}),
                used("2025-04-25", properties={"n": "-6"}),
                advance("2025-05-01"),
            ],
            [
                # (5 x 10 + 3 x 4) x 15/30 = 31.00
                now("2025-04-16", amount="31.00", units="8"),
                # back through the tiers: (3 x 4 + 3 x 10) x 6/30 = 8.40
                now("2025-04-25", amount="22.60", units="2"),
                invoice("2025-05-01", total="22.60"),
                # 2 units that were there from the start
                now("2025-05-01", amount="20.00", units="2"),
            ],
            plan("arrears", fee("0.00"), charge),
            metrics=[LEVEL],
        )
