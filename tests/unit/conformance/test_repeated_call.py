"""Cases of repeated calls: what the published rules say, and what Stripe says otherwise."""

from typing import Any

import pytest

from tenor.conformance import Case, run_case


@pytest.mark.parametrize(
    ("request_", "profile", "expect"),
    [
        ({"idempotency_key": None, "key_required": True}, "standard", {"status": 400, "error": True}),
        ({"idempotency_key": None, "key_required": False}, "stripe", {"replayed": False}),
        ({"idempotency_key": "k", "first_call": "in_progress", "same_payload": True}, "standard", {"status": 409}),
        ({"idempotency_key": "k", "first_call": "completed", "same_payload": False}, "standard", {"status": 422}),
        (
            {"idempotency_key": "k", "first_call": "completed", "same_payload": False},
            "stripe",
            {"status": 400, "error_type": "idempotency_error"},
        ),
        ({"idempotency_key": "k", "first_call": "completed", "same_payload": True}, "standard", {"replayed": True}),
        (
            {"idempotency_key": "k", "first_call": "completed_with_500", "same_payload": True},
            "stripe",
            {"status": 500, "replayed": True},
        ),
        (
            {"idempotency_key": "k", "first_call": "failed_validation", "same_payload": False},
            "stripe",
            {"replayed": False},
        ),
        (
            {"idempotency_key": "k", "first_call": "completed", "same_payload": True, "hours_later": 23},
            "standard",
            {"replayed": True},
        ),
        (
            {"idempotency_key": "k", "first_call": "completed", "same_payload": False, "hours_later": 25},
            "standard",
            {"replayed": False},
        ),
        ({"idempotency_key_length": 255, "first_call": "completed"}, "stripe", {"replayed": True}),
        ({"idempotency_key_length": 256, "first_call": "completed"}, "stripe", {"status": 400, "error": True}),
    ],
)
def test_a_repeated_call(request_: dict[str, Any], profile: str, expect: dict[str, Any]) -> None:
    body = {"request": {"method": "POST", **request_}, "expect": expect}
    outcome = run_case(Case("a-case", "api", profile, "core", body))
    assert outcome.passed, outcome.why
