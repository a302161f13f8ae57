"""Credit notes in scenarios: unused time, wishes and voids; each story states its arithmetic."""

from tests.support.scenario_stories import (
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

TAXED = {"tax_percents": ["20"]}
PLAN = plan("advance", fee("31.00"))
METERED = plan("advance", fee("31.00"), usage_charge("1"))


def note(day: str, **asked: object) -> dict[str, object]:
    return {"at": f"{day}T00:00:00Z", "credit_note": asked}


class TestUnusedTime:
    def test_the_day_of_the_end_is_billed_and_the_rest_is_credited_with_tax(self) -> None:
        passes(
            [subscribe("2025-03-01"), cancel("2025-03-11")],
            [
                invoice("2025-03-01", subtotal="31.00", tax="6.20", total="37.20"),
                # 20 of 31 days: 20.00, and 4.00 of tax
                note("2025-03-11", item="20.00", subtotal="20.00", tax="4.00", total="24.00", to_credit="24.00"),
                invoice("2025-03-11", which="closing", total="0.00"),
                {"at": "2025-03-11T00:00:00Z", "credit_note_balance": "24.00"},
            ],
            PLAN,
            customer=TAXED,
        )

    def test_the_credit_pays_the_closing_invoice(self) -> None:
        passes(
            [subscribe("2025-03-01"), used("2025-03-02", properties={"n": "30"}), cancel("2025-03-11")],
            [
                # usage 30.00 + 6.00; credit 20.00 + 4.00
                invoice("2025-03-11", subtotal="30.00", gross="36.00", credit_notes_applied="24.00", total="12.00"),
                note("2025-03-11", balance="0.00"),
            ],
            METERED,
            customer=TAXED,
        )

    def test_what_was_paid_beyond_the_used_days_is_refunded(self) -> None:
        passes(
            [
                subscribe("2025-03-01"),
                step("2025-03-02", "pay", invoice="first", amount="25.00"),
                cancel("2025-03-11", unused_time="refund"),
            ],
            # used: 11 of 31 days of 37.20 = 13.20; paid 25.00; back 11.80, the rest of 24.00 is credit
            [note("2025-03-11", total="24.00", to_refund="11.80", to_credit="12.20")],
            PLAN,
            customer=TAXED,
        )

    def test_unused_time_may_lapse(self) -> None:
        passes(
            [subscribe("2025-03-01"), cancel("2025-03-11", unused_time="none"), advance("2025-04-01")],
            [{"at": "2025-04-01T00:00:00Z", "credit_note_balance": "0.00", "invoice_count": 2}],
            PLAN,
        )

    def test_a_line_under_a_coupon_gives_back_its_part_of_the_coupon(self) -> None:
        passes(
            [
                step("2025-03-01", "apply_coupon", customer="c1", coupon={"amount_off": "6.20", "duration": "once"}),
                subscribe("2025-03-01"),
                cancel("2025-03-11"),
            ],
            [
                invoice("2025-03-01", discount="6.20", net="24.80", tax="4.96", total="29.76"),
                # 20.00 less 20/31 of 6.20 = 16.00, and tax 3.20
                note("2025-03-11", item="20.00", discount_reversed="4.00", subtotal="16.00", tax="3.20", total="19.20"),
            ],
            PLAN,
            customer=TAXED,
        )

    def test_an_upgrade_credits_the_day_of_the_change_too(self) -> None:
        passes(
            [
                subscribe("2025-03-01"),
                step("2025-03-11T10:00:00Z", "change_plan", subscription="s1", plan="big"),
            ],
            [
                # back: 21 of 31 days of 31.00; new: 21 of 31 days of 62.00, on one invoice
                {"at": "2025-03-11T10:00:00Z", "credit_note": {"total": "21.00"}},
                invoice("2025-03-11T10:00:00Z", subtotal="42.00", credit_notes_applied="21.00", total="21.00"),
                {"at": "2025-03-11T10:00:00Z", "plan": "big", "invoice_count": 2},
            ],
            PLAN,
            plan("advance", fee("62.00"), id="big"),
        )


class TestWishes:
    STEPS = (
        subscribe("2025-03-01"),
        step("2025-03-02", "pay", invoice="first", amount="10.00"),
    )

    def test_a_part_of_a_line_is_credited_with_its_tax(self) -> None:
        passes(
            [
                *self.STEPS,
                step(
                    "2025-03-03",
                    "credit_note",
                    invoice="first",
                    line={"kind": "recurring"},
                    amount="10.01",
                    to_credit="12.01",
                ),
            ],
            [
                # tax 2.002, rounded 2.00: 0.002 are left for the next note
                note("2025-03-03", subtotal="10.01", tax="2.00", total="12.01", tax_rounding_adjustment="-0.002"),
                {"at": "2025-03-03T00:00:00Z", "creditable": "25.19", "credit_note_balance": "12.01"},
            ],
            PLAN,
            customer=TAXED,
        )

    def test_notes_over_a_whole_line_add_up_to_the_invoice(self) -> None:
        third = {"invoice": "first", "line": {"kind": "recurring"}}
        passes(
            [
                subscribe("2025-03-01"),
                step("2025-03-02", "credit_note", **third, amount="3.33"),
                step("2025-03-03", "credit_note", **third, amount="3.33"),
                step("2025-03-04", "credit_note", **third, amount="3.34"),
            ],
            [
                # 10.00 with 7 % = 0.70; 3.33 carries 0.2331: 0.23; then 0.4662 - 0.23: 0.24; the rest is 0.23
                note("2025-03-02", tax="0.23", total="3.56"),
                note("2025-03-03", tax="0.24", total="3.57"),
                note("2025-03-04", tax="0.23", total="3.57"),
                {"at": "2025-03-04T00:00:00Z", "creditable": "0.00", "credit_note_balance": "10.70"},
            ],
            plan("advance", fee("10.00")),
            customer={"tax_percents": ["7"]},
        )

    def test_more_than_is_left_of_a_line_is_refused(self) -> None:
        passes(
            [
                *self.STEPS,
                step(
                    "2025-03-03", "credit_note", invoice="first", line={"kind": "recurring"}, amount="31.01", error=True
                ),
            ],
            [{"at": "2025-03-03T00:00:00Z", "creditable": "37.20"}],
            PLAN,
            customer=TAXED,
        )

    def test_a_refund_of_more_than_was_paid_is_refused(self) -> None:
        wish = {"invoice": "first", "line": {"kind": "recurring"}, "amount": "10.00"}
        passes(
            [*self.STEPS, step("2025-03-03", "credit_note", **wish, to_refund="12.00", to_credit="0.00", error=True)],
            [{"at": "2025-03-03T00:00:00Z", "credit_note_balance": "0.00"}],
            PLAN,
            customer=TAXED,
        )


class TestVoids:
    def test_a_void_without_amounts_makes_no_note(self) -> None:
        passes(
            [
                subscribe("2025-03-01"),
                step("2025-03-02", "void_invoice", invoice="first"),
                advance("2025-03-15"),
                advance("2025-04-01"),
            ],
            [
                {"at": "2025-03-15T00:00:00Z", "invoice_count": 1},
                invoice("2025-03-02", which="first", state="void"),
                {"at": "2025-03-02T00:00:00Z", "credit_note_balance": "0.00"},
                # what was voided is not billed again
                invoice("2025-04-01", total="31.00"),
                {"at": "2025-04-01T00:00:00Z", "invoice_count": 2},
            ],
            PLAN,
        )

    def test_a_void_frees_what_it_had_used_of_notes(self) -> None:
        passes(
            [
                subscribe("2025-03-01"),
                used("2025-03-02", properties={"n": "30"}),
                cancel("2025-03-11"),
                step("2025-03-12", "void_invoice", invoice="closing"),
            ],
            [
                {"at": "2025-03-11T00:00:00Z", "credit_note_balance": "0.00"},
                {"at": "2025-03-12T00:00:00Z", "credit_note_balance": "20.00"},
            ],
            METERED,
        )

    def test_what_a_void_does_not_give_back_is_a_void_note(self) -> None:
        passes(
            [subscribe("2025-03-01"), step("2025-03-02", "void_invoice", invoice="first", to_credit="10.00")],
            [
                {
                    "at": "2025-03-02T00:00:00Z",
                    "credit_notes": [
                        {"state": "available", "total": "10.00", "to_credit": "10.00", "to_refund": "0.00"},
                        {"state": "void", "total": "27.20", "to_refund": "0.00"},
                    ],
                }
            ],
            PLAN,
            customer=TAXED,
        )

    def test_a_draft_cannot_be_voided(self) -> None:
        passes(
            [subscribe("2025-03-01"), step("2025-03-02", "void_invoice", invoice="first", error=True)],
            [invoice("2025-03-02", which="first", state="draft")],
            PLAN,
            customer={"grace_days": 3},
        )
