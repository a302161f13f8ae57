"""Cases of kinds webhook and signature, with figures of the Standard Webhooks specification."""

from typing import Any, Final

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.runner import run_case

MESSAGE: Final = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": 1614265330,
    "body": '{"test": 2432232314}',
}
GOOD: Final = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def got(kind: str, **body: Any) -> dict[str, Any]:
    """Return what is answered to a case that expects everything it can be asked for."""
    keys = {"webhook": ("result", "disable_endpoint", "delays_seconds"), "signature": ("signature", "valid")}[kind]
    case = Case("c", kind, "standard", "core", {**body, "expect": dict.fromkeys(keys)})
    return {key: value for key, value in (run_case(case).got or {}).items() if value is not None}


@pytest.mark.parametrize(("status", "is_delivered"), [(200, True), (299, True), (300, False), (404, False)])
def test_only_2xx_has_arrived(status: int, is_delivered: bool) -> None:
    expected = {"result": "delivered" if is_delivered else "failed", "disable_endpoint": False}
    assert got("webhook", ask="response", status=status) == expected


def test_gone_and_the_schedule() -> None:
    assert got("webhook", ask="response", status=410) == {"result": "failed", "disable_endpoint": True}
    # immediately, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h
    delays = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert got("webhook", ask="schedule") == {"delays_seconds": delays}


@pytest.mark.parametrize(
    ("header", "now", "is_valid"),
    [
        (GOOD, 1614265330, True),
        (f"v1,AAAA v2,BBBB {GOOD}", 1614265630, True),
        (GOOD, 1614265631, False),
        (GOOD, 1614265029, False),
        (GOOD.replace("v1,", "v2,"), 1614265330, False),
        ("", 1614265330, False),
    ],
)
def test_a_signature_is_made_and_checked(header: str, now: int, is_valid: bool) -> None:
    assert got("signature", ask="sign", **MESSAGE) == {"signature": GOOD}
    assert got("signature", ask="verify", **MESSAGE, signature_header=header, now=now) == {"valid": is_valid}
