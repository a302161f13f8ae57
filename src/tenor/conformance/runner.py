"""Run cases: execute each on the engine, compare with what its source says, and score."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tenor.conformance import (
    aggregation,
    credit_note,
    discount,
    invoice,
    periods,
    proration,
    rating,
    repeated_call,
    scenario,
    tax,
    terms,
    transition,
    webhook,
)
from tenor.conformance.cases import Case
from tenor.conformance.compare import differences
from tenor.conformance.credits import answer_eligibility, answer_order
from tenor.kernel.errors import Refusal
from tenor.kernel.period import format_instant
from tenor.pricing.policy import UnknownPolicy

Answer = Callable[[Case], Mapping[str, Any]]
"""Answers a case with everything its kind can be asked for; a refusal is the answer `error`."""

KINDS: Mapping[str, Answer] = {
    "rating": rating.answer,
    "aggregation": aggregation.answer,
    "periods": periods.answer,
    "proration": proration.answer,
    "rounding": rating.answer_rounding,
    "allocation": rating.answer_allocation,
    "transition": transition.answer,
    "terms": terms.answer,
    "trial_change": terms.answer_trial_change,
    "discount": discount.answer,
    "discount_reversal": discount.answer_reversal,
    "invoice": invoice.answer,
    "tax": tax.answer,
    "tax_reversal": tax.answer_reversal,
    "credit_note": credit_note.answer,
    "credit_order": answer_order,
    "credit_eligibility": answer_eligibility,
    "scenario": scenario.answer,
    "api": repeated_call.answer,
    "webhook": webhook.answer,
    "signature": webhook.answer_signature,
}
"""The kinds of case that the engine can run; a case of any other kind counts as failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case. `got` holds the asked keys only; `why` is empty when it passed."""

    case: Case
    passed: bool
    got: Mapping[str, Any] | None
    why: str


def run_case(case: Case) -> Outcome:
    """Execute one case; it never raises: what cannot be run has failed, and `why` says the reason."""
    if case.kind not in KINDS:
        return Outcome(case, passed=False, got=None, why=f"cases of kind {case.kind!r} cannot be run yet")
    try:
        got = _answer(case)
        why = differences(case, got)
    except Exception as error:  # noqa: BLE001  a case must not end the run: it has failed, and says why
        return Outcome(case, passed=False, got=None, why=f"{type(error).__name__}: {error}")
    asked = {key: got.get(key) for key in case.expect} if isinstance(case.expect, Mapping) else dict(got)
    return Outcome(case, passed=not why, got=asked, why="; ".join(why))


def _answer(case: Case) -> Mapping[str, Any]:
    """Return what the engine answers. A policy that it cannot act on is no answer, not even to `"error": true`."""
    try:
        return KINDS[case.kind](case)
    except UnknownPolicy:
        raise
    except Refusal as refusal:
        return {"error": True, "refusal": f"{refusal.code}: {refusal.message}"}


def totals(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Count passed and failed cases per kind, profile and class, sorted by those three."""
    counts: dict[tuple[str, str, str], list[int]] = {}
    for outcome in outcomes:
        key = (outcome.case.kind, outcome.case.profile, outcome.case.case_class)
        counts.setdefault(key, [0, 0])[0 if outcome.passed else 1] += 1
    return [
        {"kind": kind, "profile": profile, "class": case_class, "passed": passed, "failed": failed}
        for (kind, profile, case_class), (passed, failed) in sorted(counts.items())
    ]


def as_json(value: Any) -> Any:
    """Return `value` with decimals and instants as text, ready for JSON."""
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    return value if isinstance(value, str | int | bool) or value is None else str(value)
