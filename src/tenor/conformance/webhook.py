"""Answer cases of kinds webhook and signature: what an answer means, when it is tried again, what is signed."""

from collections.abc import Mapping
from typing import Any

from tenor.conformance.cases import Case
from tenor.webhooks.rules.retrying import DELAYS_SECONDS, verdict_on
from tenor.webhooks.rules.signing import secret_key, sign, verify


def answer(case: Case) -> Mapping[str, Any]:
    """Return the retry schedule, or what an answer of the receiver means."""
    if case.ask == "schedule":
        return {"delays_seconds": list(DELAYS_SECONDS)}
    verdict = verdict_on(int(case.body["status"]))
    return {"result": "delivered" if verdict.is_delivered else "failed", "disable_endpoint": verdict.is_gone}


def answer_signature(case: Case) -> Mapping[str, Any]:
    """Return the signature of a message, or whether the one it came with is good."""
    key = secret_key(case.body["secret"])
    message_id, timestamp = case.body["message_id"], int(case.body["timestamp"])
    body = case.body["body"].encode()
    if case.ask == "sign":
        return {"signature": sign(key, message_id=message_id, timestamp=timestamp, body=body)}
    header, now = case.body["signature_header"], int(case.body.get("now", timestamp))
    is_valid = verify([key], header, message_id=message_id, timestamp=timestamp, body=body, now=now)
    return {"valid": is_valid}
