"""Transition cases: each machine moves as the public sources say, and refuses what they do not know."""

from typing import Any

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.machines.table import MoveRefused
from tenor.conformance.transition import answer
from tenor.kernel.errors import Refusal

OPERATIONS = ["authorize", "capture", "purchase", "refund", "credit", "void", "chargeback"]


def moved(
    machine: str, state: str | None, trigger: str, /, *, profile: str = "standard", policy: Any = None, **given: Any
) -> Any:
    """Return where a trigger leads, or "refused"."""
    body = {"machine": machine, "from": state, "trigger": trigger, "given": given, "policy": policy or {}, "expect": {}}
    try:
        return answer(Case("by-hand", "transition", profile, "core", body))["to"]
    except Refusal:
        return "refused"


def landed(profile: str, state: str, trigger: str, **given: Any) -> tuple[str, str | None]:
    """Return the state of a subscription after a trigger, and the one at the end of its period."""
    body = {"machine": "subscription", "from": state, "trigger": trigger, "given": given, "expect": {}}
    found = answer(Case("by-hand", "transition", profile, "profile", body))
    return found["to"], found["at_period_end"]


class TestPayments:
    @pytest.mark.parametrize("operation", OPERATIONS)
    @pytest.mark.parametrize("asked", ["init", "pending"])
    @pytest.mark.parametrize(
        ("said", "outcome"),
        [("success", "success"), ("declined", "failed"), ("pending", "pending"), ("error_or_timeout", "errored")],
    )
    def test_each_operation_ends_as_the_provider_answers(
        self, operation: str, asked: str, said: str, outcome: str
    ) -> None:
        assert moved("payment", f"{operation}_{asked}", f"provider_{said}") == f"{operation}_{outcome}"

    @pytest.mark.parametrize(
        ("state", "next_operations"),
        [
            ("new_init", {"authorize", "purchase", "credit"}),
            ("authorize_success", {"capture", "void"}),
            ("capture_success", {"capture", "refund", "chargeback"}),
            ("purchase_success", {"refund", "chargeback"}),
            ("refund_success", {"refund", "chargeback"}),
            ("chargeback_success", {"chargeback"}),
            ("chargeback_failed", {"refund"}),
            ("credit_success", set()),
            ("void_success", set()),
            ("authorize_failed", set()),
            ("capture_pending", set()),
            ("purchase_errored", set()),
        ],
    )
    def test_only_some_operations_may_follow_on_the_same_payment(self, state: str, next_operations: set[str]) -> None:
        allowed = {name for name in OPERATIONS if moved("payment", state, f"start_{name}") == f"{name}_init"}
        refused = {name for name in OPERATIONS if moved("payment", state, f"start_{name}") == "refused"}

        assert allowed == next_operations
        assert refused == set(OPERATIONS) - next_operations

    def test_an_answered_operation_takes_no_second_answer(self) -> None:
        assert moved("payment", "capture_success", "provider_declined") == "refused"

    @pytest.mark.parametrize("state", ["init", "retried"])
    @pytest.mark.parametrize(
        ("trigger", "given", "to"),
        [
            ("finished", {}, "success"),
            ("payment_succeeded", {}, "success"),
            ("retry_scheduled", {}, "retried"),
            ("given_up", {}, "aborted"),
            ("aborted_by_rule", {}, "aborted"),
            ("payment_declined", {"retry_date": True}, "retried"),
            ("payment_declined", {"retry_date": False}, "aborted"),
            ("payment_error", {"retry_date": True}, "retried"),
            ("payment_error", {}, "aborted"),
            ("unexpected_error", {"retry_date": True}, "retried"),
            ("unexpected_error", {"retry_date": False}, "aborted"),
        ],
    )
    def test_an_attempt_is_retried_only_where_there_is_a_date_for_it(
        self, state: str, trigger: str, given: dict[str, Any], to: str
    ) -> None:
        assert moved("payment_attempt", state, trigger, **given) == to

    @pytest.mark.parametrize("state", ["success", "aborted"])
    def test_an_attempt_that_is_over_stays_over(self, state: str) -> None:
        assert moved("payment_attempt", state, "payment_succeeded") == "refused"

    @pytest.mark.parametrize("state", ["unknown", "pending", "success", "failed"])
    def test_reconciling_takes_over_what_the_provider_says(self, state: str) -> None:
        assert moved("payment_transaction", state, "reconcile", provider_says="success") == "success"
        assert moved("payment_transaction", state, "reconcile", provider_says="declined") == "failed"
        assert moved("payment_transaction", state, "reconcile", provider_says="nothing", minutes=60) == state


class TestInvoices:
    @pytest.mark.parametrize(
        ("state", "trigger", "given", "to"),
        [
            (None, "generate", {}, "finalized"),
            (None, "generate", {"draft": True}, "draft"),
            ("draft", "generate", {"reuse_draft": True}, "draft"),
            (None, "child_invoice_created", {}, "draft"),
            ("draft", "child_invoice_created", {}, "draft"),
            ("draft", "day_ended", {}, "finalized"),
            ("draft", "finalize", {}, "finalized"),
            ("draft", "void", {}, "void"),
            ("finalized", "finalize", {}, "refused"),
            ("void", "finalize", {}, "refused"),
            ("finalized", "void", {}, "void"),
            ("finalized", "void", {"paid": True}, "refused"),
            ("finalized", "void", {"paid": True, "refunded": True}, "void"),
            ("finalized", "void", {"credited_on_a_later_invoice": True}, "refused"),
            ("finalized", "void", {"holds_credit_of_an_earlier_invoice": True}, "void"),
            ("void", "void", {}, "refused"),
        ],
    )
    def test_the_life_of_an_invoice(self, state: str | None, trigger: str, given: dict[str, Any], to: str) -> None:
        assert moved("invoice", state, trigger, profile="killbill", **given) == to

    def test_where_invoices_start_as_drafts_the_policy_says_so(self) -> None:
        assert moved("invoice", None, "generate", policy={"invoice_start": "draft"}) == "draft"


class TestSubscriptions:
    @pytest.mark.parametrize(
        ("state", "trigger", "given", "to"),
        [
            (None, "subscribe", {}, "active"),
            (None, "subscribe", {"start": "future"}, "future"),
            ("future", "start_reached", {}, "active"),
            ("trialing", "trial_end", {}, "active"),
            ("trialing", "trial_end", {"has_payment_method": False}, "past_due"),
            ("active", "payment_failed", {}, "past_due"),
            ("past_due", "payment_failed", {"attempt": 2}, "past_due"),
            ("past_due", "payment_succeeded", {}, "active"),
            ("unpaid", "payment_succeeded", {}, "active"),
            ("active", "pause", {}, "paused"),
            ("paused", "pause", {}, "refused"),
            ("paused", "resume", {}, "active"),
            ("active", "resume", {}, "active"),
            ("cancelled", "resume", {}, "refused"),
            ("active", "pause_collection", {}, "active"),
            ("active", "cancel", {}, "cancelled"),
            ("paused", "cancel", {}, "cancelled"),
            ("cancelled", "cancel", {}, "refused"),
            ("cancelled", "reactivate", {}, "refused"),
            ("cancelled", "pause", {}, "refused"),
            ("cancelled", "change_plan", {}, "refused"),
            ("active", "undo_cancel", {}, "active"),
            ("non_renewing", "undo_cancel", {}, "active"),
            ("cancelled", "undo_cancel", {}, "refused"),
            ("cancelled", "undo_cancel", {"billing_runs_until": "period_end"}, "active"),
            ("active", "term_ended", {}, "expired"),
            ("active", "add_item", {}, "active"),
            ("future", "add_item", {}, "refused"),
            ("paused", "add_item", {}, "refused"),
            ("active", "base_plan_changed", {"add_on_offered": True}, "active"),
            ("active", "base_plan_changed", {"add_on_offered": False}, "cancelled"),
            ("future", "base_plan_changed", {"add_on_offered": False}, "cancelled"),
        ],
    )
    def test_what_holds_for_every_vendor(self, state: str | None, trigger: str, given: dict[str, Any], to: str) -> None:
        assert moved("subscription", state, trigger, **given) == to

    @pytest.mark.parametrize(
        ("policy", "given", "to"),
        [
            ({"missing_payment_method": "cancel"}, {"has_payment_method": False}, "cancelled"),
            ({"missing_payment_method": "pause"}, {"has_payment_method": False}, "paused"),
            ({"missing_payment_method": "create_invoice"}, {"has_payment_method": False}, "past_due"),
            ({"missing_payment_method": "cancel"}, {"has_payment_method": True}, "active"),
        ],
    )
    def test_a_trial_that_nobody_pays_for_ends_by_policy(self, policy: Any, given: Any, to: str) -> None:
        assert moved("subscription", "trialing", "trial_end", profile="stripe", policy=policy, **given) == to

    @pytest.mark.parametrize(
        ("when_exhausted", "given", "to"),
        [
            ("cancel", {}, "cancelled"),
            ("mark_unpaid", {}, "unpaid"),
            ("leave_past_due", {}, "past_due"),
            ("pause", {}, "paused"),
            ("pause", {"pause_eligible": False}, "cancelled"),
            ("pause", {"collection": "send_invoice"}, "cancelled"),
        ],
    )
    def test_exhausted_retries_end_by_policy(self, when_exhausted: str, given: Any, to: str) -> None:
        policy = {"when_exhausted": when_exhausted}

        assert moved("subscription", "past_due", "retries_exhausted", policy=policy, **given) == to

    @pytest.mark.parametrize(
        ("given", "to"),
        [
            ({}, "paused"),
            ({"attempt": 1, "pause_eligible": True}, "paused"),
            ({"attempt": 1, "pause_eligible": False}, "past_due"),
            ({"attempt": 1, "schedule_attached": True}, "past_due"),
            ({"attempt": 2}, "past_due"),
        ],
    )
    def test_a_first_failure_pauses_where_the_policy_says_so_and_it_can(self, given: Any, to: str) -> None:
        policy = {"on_first_failure": "pause"}

        assert moved("subscription", "active", "payment_failed", policy=policy, **given) == to

    @pytest.mark.parametrize("profile", ["tenor", "aforo"])
    def test_tenor_and_aforo_suspend_after_the_last_retry(self, profile: str) -> None:
        assert moved("subscription", "past_due", "retries_exhausted", profile=profile) == "suspended"
        assert moved("subscription", "suspended", "payment_succeeded", profile=profile) == "active"

    @pytest.mark.parametrize(
        ("profile", "state", "trigger", "given", "to"),
        [
            ("stripe", None, "payment_failed", {}, "incomplete"),
            ("stripe", "incomplete", "payment_succeeded", {}, "active"),
            ("stripe", "incomplete", "time_passes", {"hours_without_payment": 22}, "incomplete"),
            ("stripe", "incomplete", "time_passes", {"hours_without_payment": 23}, "incomplete_expired"),
            ("stripe", "incomplete_expired", "payment_succeeded", {}, "refused"),
            ("stripe-classic", "active", "pause", {}, "refused"),
            ("stripe-flexible", "active", "pause", {}, "paused"),
            ("stripe-flexible", "active", "pause", {"collection": "send_invoice"}, "refused"),
            ("stripe-flexible", "active", "pause", {"schedule_attached": True}, "refused"),
            ("stripe-flexible", "trialing", "pause", {}, "refused"),
            ("stripe-flexible", "past_due", "pause", {}, "refused"),
            ("stripe-flexible", "paused", "resume_invoice_settled", {"resume_invoice": "paid"}, "active"),
            ("stripe-flexible", "paused", "resume_invoice_settled", {"resume_invoice": "uncollectible"}, "active"),
            ("stripe-flexible", "paused", "resume_invoice_settled", {"resume_invoice": "payment_failed"}, "past_due"),
            ("stripe-flexible", "paused", "resume_invoice_settled", {"resume_invoice": "void"}, "paused"),
            ("stripe-flexible", "paused", "time_passes", {"hours_without_payment": 23}, "paused"),
            ("chargebee", "trialing", "pause", {}, "refused"),
            ("chargebee-day", "non_renewing", "pause", {}, "refused"),
            ("chargebee", "paused", "change_plan", {}, "refused"),
            ("chargebee-ms", "paused", "change_items", {}, "refused"),
            ("recurly", "active", "pause", {"has_overdue_invoice": True}, "refused"),
            ("recurly", "trialing", "pause", {}, "refused"),
            ("recurly", "active", "cancel", {"effective": "now"}, "expired"),
            ("recurly", "non_renewing", "reactivate", {"term": "running"}, "active"),
            ("recurly", "expired", "reactivate", {}, "refused"),
            ("paddle", "paused", "change_items", {"proration_mode": "do_not_bill"}, "paused"),
            ("paddle", "paused", "change_items", {"proration_mode": "prorated_immediately"}, "refused"),
            ("paddle", "active", "change_items", {"proration_mode": "prorated_immediately"}, "active"),
            ("maxio", "expired", "reactivate", {}, "refused"),
            ("maxio", "unpaid", "reactivate", {}, "refused"),
            ("maxio", "unpaid", "cancel", {}, "cancelled"),
            ("maxio", "cancelled", "reactivate", {}, "active"),
            ("killbill", "paused", "change_plan", {}, "refused"),
        ],
    )
    def test_what_single_vendors_do_otherwise(
        self, profile: str, state: str | None, trigger: str, given: dict[str, Any], to: str
    ) -> None:
        assert moved("subscription", state, trigger, profile=profile, **given) == to

    @pytest.mark.parametrize(
        ("profile", "trigger", "effective", "landing"),
        [
            ("standard", "cancel", "now", ("cancelled", None)),
            ("standard", "cancel", "period_end", ("active", "cancelled")),
            ("standard", "cancel", "later", ("active", None)),
            ("standard", "pause", "period_end", ("active", "paused")),
            ("stripe", "cancel", "period_end", ("active", "cancelled")),
            ("chargebee", "cancel", "period_end", ("non_renewing", "cancelled")),
            ("recurly", "cancel", "period_end", ("non_renewing", "expired")),
            ("recurly", "pause", "period_end", ("active", "paused")),
        ],
    )
    def test_what_takes_effect_later_leaves_the_state_or_says_that_it_ends(
        self, profile: str, trigger: str, effective: str, landing: tuple[str, str | None]
    ) -> None:
        assert landed(profile, "active", trigger, effective=effective) == landing

    def test_recurly_pauses_at_the_next_bill_date_only(self) -> None:
        assert landed("recurly", "active", "pause") == ("active", "paused")

    def test_a_later_move_must_be_legal_today(self) -> None:
        assert moved("subscription", "cancelled", "pause", effective="later") == "refused"

    @pytest.mark.parametrize(
        ("state", "target", "to"),
        [
            ("trialing", "expired", "expired"),
            ("active", "paused", "paused"),
            ("past_due", "suspended", "suspended"),
            ("suspended", "active", "active"),
            ("active", "trialing", "refused"),
            ("active", "active", "refused"),
            ("cancelled", "paused", "refused"),
            ("cancelled", "active", "refused"),
        ],
    )
    def test_a_state_set_by_hand_must_be_one_that_a_move_leads_to(self, state: str, target: str, to: str) -> None:
        assert moved("subscription", state, "set_state", profile="aforo", state=target) == to


DAYS = [{"name": f"OD{n}", "days_since_earliest_unpaid": days} for n, days in ((1, 30), (2, 40), (3, 50))]
BALANCES = [{"name": f"OD{n}", "unpaid_balance": amount} for n, amount in ((1, "260"), (2, "600"), (3, "1200"))]


class TestDunning:
    @staticmethod
    def stage(stages: list[dict[str, Any]], **given: Any) -> Any:
        body = {"machine": "dunning", "trigger": "evaluate", "stages": stages, "given": given, "expect": {}}
        return answer(Case("by-hand", "transition", "killbill", "core", body))["to"]

    @pytest.mark.parametrize(
        ("days", "stage"), [(None, "clear"), (29, "clear"), (30, "OD1"), (39, "OD1"), (40, "OD2"), (51, "OD3")]
    )
    def test_the_last_stage_whose_days_are_reached(self, days: int | None, stage: str) -> None:
        assert self.stage(DAYS, days_since_earliest_unpaid=days) == stage

    @pytest.mark.parametrize(
        ("balance", "stage"),
        [("0", "clear"), ("259.99", "clear"), ("260.00", "OD1"), ("999.80", "OD2"), ("1200", "OD3")],
    )
    def test_the_last_stage_whose_balance_is_reached(self, balance: str, stage: str) -> None:
        assert self.stage(BALANCES, unpaid_balance=balance) == stage

    @pytest.mark.parametrize(
        "given",
        [
            {"unpaid_invoices": 0, "days_since_earliest_unpaid": 60},
            {"written_off": True, "days_since_earliest_unpaid": 60},
            {"enforcement": False, "days_since_earliest_unpaid": 60},
            {"oldest_draft_days": 60},
            {"because": "all_invoices_credited"},
            {},
        ],
    )
    def test_what_is_not_owed_or_not_enforced_is_clear(self, given: dict[str, Any]) -> None:
        assert self.stage(DAYS, **given) == "clear"

    def test_a_stage_without_a_threshold_is_never_reached(self) -> None:
        assert self.stage([{"name": "OD1"}], days_since_earliest_unpaid=60) == "clear"

    @pytest.mark.parametrize(
        ("condition", "given", "matches"),
        [
            ({"unpaid_invoices": 1}, {"unpaid_invoices": 0}, False),
            ({"unpaid_invoices": 1}, {"unpaid_invoices": 1}, True),
            ({"unpaid_balance": "100.00"}, {"unpaid_balance": "99.99"}, False),
            ({"unpaid_balance": "100.00"}, {"unpaid_balance": "100"}, True),
            ({"days_since_earliest_unpaid": 10}, {"days_since_earliest_unpaid": 9}, False),
            ({"days_since_earliest_unpaid": 10}, {"days_since_earliest_unpaid": 10}, True),
            ({"days_since_earliest_unpaid": 10}, {"days_since_earliest_unpaid": None}, False),
            ({"last_failed_response_in": ["do_not_honor"]}, {"last_failed_response": "do_not_honor"}, True),
            ({"last_failed_response_in": ["do_not_honor"]}, {"last_failed_response": "lost_card"}, False),
            ({"last_failed_response_in": ["do_not_honor"]}, {}, False),
            ({"has_flag": "x"}, {"flags": ["w", "x"]}, True),
            ({"has_flag": "x"}, {"flags": ["w"]}, False),
            ({"has_flag": "x"}, {}, False),
        ],
    )
    def test_a_condition_matches_from_its_threshold_on(self, condition: Any, given: Any, matches: bool) -> None:
        body = {
            "machine": "dunning_condition",
            "trigger": "evaluate",
            "condition": condition,
            "given": given,
            "expect": {},
        }

        assert answer(Case("by-hand", "transition", "killbill", "core", body)) == {"matches": matches}


def test_a_refusal_names_the_move_and_why() -> None:
    body = {"machine": "subscription", "from": "active", "trigger": "pause", "given": {"has_overdue_invoice": True}}
    case = Case("by-hand", "transition", "recurly", "profile", {**body, "expect": {}})

    with pytest.raises(MoveRefused, match="pause from active: an invoice is overdue") as refusal:
        answer(case)

    assert refusal.value.code == "move_refused"


@pytest.mark.parametrize("machine", ["subscription", "invoice", "payment", "payment_attempt", "payment_transaction"])
def test_a_trigger_that_no_row_knows_is_no_refusal_but_no_answer(machine: str) -> None:
    with pytest.raises(ValueError, match="teleport"):
        moved(machine, "active", "teleport")
