"""How many calls a key may make: a bucket of tokens for each, filled steadily, kept in this process.

Several processes each have their own buckets: of N, each is given an N-th of the rate, and its headers tell what is
left of that. A rate that all share would cost a round trip and a row that the calls of a key wait for; the rate is a
guard against a program that runs wild, not an account.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final, NamedTuple

KEYS_MAX: Final = 10_000
"""Buckets that are remembered; beyond, the one that was not used for the longest time is forgotten (and full again)."""

WINDOW_SECONDS: Final = 60
_CALL: Final = WINDOW_SECONDS * 1_000_000_000
"""Parts of a call: in each nanosecond as many come as calls are allowed in a window."""


class Standing(NamedTuple):
    """What is left of a key's rate: calls now, seconds until the bucket is full, seconds until the next call (or 0)."""

    limit: int
    remaining: int
    full_in_seconds: int
    retry_after_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The RateLimit headers of the IETF draft (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"key";r={self.remaining};t={self.full_in_seconds}',
        }


@dataclass(slots=True)
class _Bucket:
    """What is left, in parts of a call that are so small that all is counted in whole numbers."""

    parts: int
    filled_at: int


class RateLimiter:
    """Lets each key make `per_minute` calls a minute, all of them at once where it has been quiet before."""

    def __init__(self, per_minute: int) -> None:
        self._limit = per_minute
        self._full = per_minute * _CALL
        self._buckets: OrderedDict[bytes, _Bucket] = OrderedDict()
        self._lock = Lock()

    def take(self, key: bytes, *, at_nanoseconds: int) -> Standing:
        """Take a call from a key's bucket, if there is one; times are of a clock that only goes forward."""
        with self._lock:
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = _Bucket(self._full, at_nanoseconds)
                if len(self._buckets) > KEYS_MAX:
                    self._buckets.popitem(last=False)
            else:
                self._buckets.move_to_end(key)
            filled = bucket.parts + (at_nanoseconds - bucket.filled_at) * self._limit
            bucket.parts, bucket.filled_at = min(self._full, filled), at_nanoseconds
            is_let_in = bucket.parts >= _CALL
            if is_let_in:
                bucket.parts -= _CALL
            retry_after = 0 if is_let_in else max(1, self._seconds_to_fill(_CALL - bucket.parts))
            full_in = self._seconds_to_fill(self._full - bucket.parts)
            return Standing(self._limit, bucket.parts // _CALL, full_in, retry_after)

    def _seconds_to_fill(self, parts: int) -> int:
        """Return the seconds in which so many parts come, rounded up."""
        return -(-parts // (self._limit * 1_000_000_000))
