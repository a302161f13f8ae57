"""Answer cases of kind api: what a call gets that repeats another one under its idempotency key."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.kernel.errors import Refusal
from tenor.platform.repetition import CallStillRunning, KeyMalformed, KeyReused, is_repetition, request
from tenor.pricing.policy import lineage

_STATUSES: Final[Mapping[type[Refusal], int]] = {KeyMalformed: 400, CallStillRunning: 409, KeyReused: 422}
_ANSWERED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Any instant: a case tells hours only."""
_SECRET: Final = b"the caller"
_FIRST: Final = b"the first call"
_KEPT: Final[Mapping[str, int]] = {"completed": 200, "completed_with_500": 500}
"""First calls whose answer is kept, with its status; one that failed validation changed nothing and is not kept."""


def answer(case: Case) -> Mapping[str, Any]:
    """Return the status of the second call, where the case's facts decide it, and whether the first answer is told."""
    asked = case.body["request"]
    key = "k" * asked["idempotency_key_length"] if "idempotency_key_length" in asked else asked.get("idempotency_key")
    if key is None:
        return {"status": 400, "replayed": False, "error": True} if asked.get("key_required") else {"replayed": False}
    try:
        return _second(key, asked)
    except (KeyMalformed, CallStillRunning, KeyReused) as refusal:
        return _refused(refusal, case.profile)


def _second(key: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    first = str(asked.get("first_call"))
    second = request(key, _FIRST if asked.get("same_payload", True) else b"another call", secret=_SECRET)
    if first == "in_progress":
        raise CallStillRunning("the first call has not been answered")
    if first not in _KEPT:
        return {"replayed": False}
    at = _ANSWERED_AT + timedelta(hours=asked.get("hours_later", 0))
    fingerprint = request(key, _FIRST, secret=_SECRET).fingerprint
    if is_repetition(second, of=fingerprint, answered_at=_ANSWERED_AT, at=at):
        return {"status": _KEPT[first], "replayed": True}
    return {"replayed": False}


def _refused(refusal: Refusal, profile: str) -> Mapping[str, Any]:
    """Return a refusal; for Stripe a key that was used for another call is a malformed request of its own type."""
    told = {"status": _STATUSES[type(refusal)], "replayed": False, "error": True}
    if isinstance(refusal, KeyReused) and "stripe" in lineage(profile):
        return {**told, "status": 400, "error_type": "idempotency_error"}
    return told
