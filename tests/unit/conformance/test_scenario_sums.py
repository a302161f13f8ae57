"""Coupons and taxes of invoices in scenarios; each story states its arithmetic."""

from tests.support.scenario_stories import (
    advance,
    fee,
    invoice,
    metric,
    passes,
    plan,
    step,
    subscribe,
    usage_charge,
    used,
)

PLAN = plan("advance", fee("30.00"))


def coupon(day: str, **terms: object) -> dict[str, object]:
    return step(day, "apply_coupon", customer="c1", coupon=terms)


def active(day: str, *, is_so: bool) -> dict[str, object]:
    return {"at": f"{day}T00:00:00Z", "coupon_active": is_so}


class TestCoupons:
    def test_a_fixed_amount_that_is_due_once_waits_with_its_rest(self) -> None:
        passes(
            [coupon("2025-04-01", amount_off="40.00", duration="once"), subscribe("2025-04-01"), advance("2025-05-01")],
            [
                invoice("2025-04-01", discount="30.00", total="0.00"),
                active("2025-04-01", is_so=True),
                invoice("2025-05-01", discount="10.00", total="20.00"),
                active("2025-05-01", is_so=False),
            ],
            PLAN,
        )

    def test_a_percentage_that_is_due_once_is_used_by_one_invoice(self) -> None:
        passes(
            [coupon("2025-04-01", percent_off="50", duration="once"), subscribe("2025-04-01"), advance("2025-05-01")],
            [invoice("2025-04-01", total="15.00"), invoice("2025-05-01", total="30.00")],
            PLAN,
        )

    def test_cycles_are_counted_by_final_invoices(self) -> None:
        passes(
            [
                coupon("2025-04-01", percent_off="10", duration="cycles", cycles=2),
                subscribe("2025-04-01"),
                advance("2025-05-01"),
                advance("2025-06-01"),
            ],
            [
                invoice("2025-04-01", total="27.00"),
                invoice("2025-05-01", total="27.00"),
                active("2025-05-01", is_so=False),
                invoice("2025-06-01", total="30.00"),
            ],
            PLAN,
        )

    def test_months_run_on_whatever_is_invoiced(self) -> None:
        passes(
            [
                coupon("2025-04-01", percent_off="10", duration="months", months=2),
                subscribe("2025-05-31"),
                advance("2025-06-01"),
            ],
            # the coupon holds until 1 June, which is outside
            [invoice("2025-05-31", total="0.87"), invoice("2025-06-01", total="30.00")],
            PLAN,
        )

    def test_a_draft_uses_no_coupon_before_it_is_final(self) -> None:
        passes(
            [
                coupon("2025-04-01", percent_off="50", duration="once"),
                subscribe("2025-04-01"),
                step("2025-04-02", "finalize_invoice", invoice="first"),
            ],
            [
                invoice("2025-04-01", state="draft", discount="0.00", total="30.00"),
                invoice("2025-04-02", which="first", state="finalized", discount="15.00", total="15.00"),
            ],
            PLAN,
            customer={"grace_days": 3},
        )

    def test_a_coupon_of_one_subscription_leaves_the_other_alone(self) -> None:
        passes(
            [
                subscribe("2025-04-01", coupon={"percent_off": "10", "duration": "forever"}),
                subscribe("2025-04-01", subscription="s2"),
                advance("2025-05-01"),
            ],
            [invoice("2025-05-01", subtotal="60.00", discount="3.00", total="57.00")],
            PLAN,
        )

    def test_coupons_for_plans_come_before_those_for_all(self) -> None:
        passes(
            [
                coupon("2025-04-01", percent_off="50", duration="forever"),
                coupon("2025-04-01", amount_off="10.00", duration="forever", limited_to={"plans": ["p"]}),
                subscribe("2025-04-01"),
            ],
            # first 10.00 of the plan's line, then half of the 20.00 that are left
            [invoice("2025-04-01", discount="20.00", total="10.00")],
            PLAN,
        )


class TestTaxes:
    CHARGES = (fee("0.10"), usage_charge("0.10", tax_percents=["25"]))

    def test_a_charge_has_its_own_taxes_else_those_of_its_plan_else_the_customers(self) -> None:
        passes(
            [subscribe("2025-04-01"), used("2025-04-02", properties={"n": "100"}), advance("2025-05-01")],
            [
                invoice(
                    "2025-05-01",
                    tax="2.51",
                    tax_percent="24.85149",  # (0.10 x 10 + 10.00 x 25) / 10.10
                    total="12.61",
                    lines=[
                        {"kind": "recurring", "tax_percent": "10", "tax": "0.01"},
                        {"kind": "usage", "tax_percent": "25", "tax": "2.50"},
                    ],
                )
            ],
            plan("arrears", *self.CHARGES, tax_percents=["10"]),
            customer={"tax_percents": ["99"]},
        )

    def test_the_tax_of_an_invoice_is_rounded_once(self) -> None:
        # two lines of 0.10 with 15 %: 0.015 each, shown as 0.02; together 0.03
        passes(
            [subscribe("2025-04-01"), subscribe("2025-04-01", subscription="s2"), advance("2025-05-01")],
            [invoice("2025-05-01", tax="0.03", lines=[{"tax": "0.02"}, {"tax": "0.02"}])],
            plan("arrears", fee("0.10")),
            customer={"tax_percents": ["15"]},
        )

    def test_by_policy_the_tax_is_the_sum_of_rounded_lines(self) -> None:
        passes(
            [subscribe("2025-04-01"), subscribe("2025-04-01", subscription="s2"), advance("2025-05-01")],
            [invoice("2025-05-01", tax="0.04")],
            plan("arrears", fee("0.10")),
            customer={"tax_percents": ["15"]},
            policy={"tax_rounding": {"mode": "half_up", "digits": "currency", "place": "line"}},
        )

    def test_two_taxes_of_a_line_add_up(self) -> None:
        passes(
            [subscribe("2025-04-01")],
            [invoice("2025-04-01", tax="6.00", tax_percent="20", total="36.00")],
            plan("advance", fee("30.00"), tax_percents=["10", "10"]),
            metrics=(metric(),),
        )
