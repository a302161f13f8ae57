"""How many calls a key may make: a bucket of tokens for each, filled steadily, kept in this process.

Several processes each have their own buckets; the rate is a guard against a program that runs wild, not an account.
"""

from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from threading import Lock
from typing import Final, NamedTuple

KEYS_MAX: Final = 10_000
"""Buckets that are remembered; beyond, the one that was not used for the longest time is forgotten (and full again)."""

WINDOW_SECONDS: Final = 60


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
    tokens: Fraction
    filled_at: Fraction


class RateLimiter:
    """Lets each key make `per_minute` calls a minute, all of them at once where it has been quiet before."""

    def __init__(self, per_minute: int) -> None:
        self._limit = per_minute
        self._buckets: OrderedDict[bytes, _Bucket] = OrderedDict()
        self._lock = Lock()

    def take(self, key: bytes, *, at_nanoseconds: int) -> Standing:
        """Take a call from a key's bucket, if there is one; times are of a clock that only goes forward."""
        now = Fraction(at_nanoseconds, 1_000_000_000)
        rate = Fraction(self._limit, WINDOW_SECONDS)
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(Fraction(self._limit), now))
            self._buckets.move_to_end(key)
            if len(self._buckets) > KEYS_MAX:
                self._buckets.popitem(last=False)
            bucket.tokens = min(Fraction(self._limit), bucket.tokens + (now - bucket.filled_at) * rate)
            bucket.filled_at = now
            if bucket.tokens < 1:
                return self._standing(bucket, rate, retry_after=max(1, ceil((1 - bucket.tokens) / rate)))
            bucket.tokens -= 1
            return self._standing(bucket, rate, retry_after=0)

    def _standing(self, bucket: _Bucket, rate: Fraction, *, retry_after: int) -> Standing:
        full_in = ceil((self._limit - bucket.tokens) / rate)
        return Standing(self._limit, int(bucket.tokens), full_in, retry_after)
