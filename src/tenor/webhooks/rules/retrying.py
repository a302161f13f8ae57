"""When a message is tried again, and what an answer means.

Source: Standard Webhooks 1.0, "Deliverability and reliability" (delays, 2xx only, 410).
"""

import hashlib
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE

DELAYS_SECONDS: Final = (
    0,
    5,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""How long is waited before each attempt, counted from the end of the one before."""

JITTER_PARTS: Final = 10
"""A delay is lengthened by up to a tenth, so that what failed together is not tried together."""

FAILING_MAX: Final = timedelta(days=5)
"""An endpoint that has answered nothing well for so long is disabled; the whole schedule takes 83 hours at most."""


class Verdict(NamedTuple):
    """What an answer means: whether the message has arrived, and whether the endpoint wants no more of them."""

    is_delivered: bool
    is_gone: bool


def verdict_on(status_code: int | None) -> Verdict:
    """Judge an HTTP status, None for no answer: 2xx has arrived, all else (redirects too) has not, 410 ends it."""
    is_delivered = status_code is not None and HTTPStatus.OK <= status_code < HTTPStatus.MULTIPLE_CHOICES
    return Verdict(is_delivered, status_code == HTTPStatus.GONE)


def next_attempt_at(now: datetime, *, tries: int, message: bytes) -> datetime | None:
    """Return when a message that has been tried so often, the last time until `now`, is due again; None for never.

    `message` names the message: its jitter follows from it, so that the plan can be replayed.
    """
    if tries >= len(DELAYS_SECONDS):
        return None
    delay = timedelta(seconds=DELAYS_SECONDS[tries])
    spread = int.from_bytes(hashlib.blake2b(message + bytes([tries]), digest_size=2).digest())
    return now + delay + delay * spread // (JITTER_PARTS << 16)


def is_given_up(failing_since: datetime | None, *, now: datetime) -> bool:
    """Return whether an endpoint that has failed since then is to be disabled."""
    return failing_since is not None and now - failing_since >= FAILING_MAX
