"""A key's rate: as many calls at once as a minute allows, then one at a time as they come in again."""

from tenor.api.limits import RateLimiter, Standing

SECOND = 1_000_000_000


def test_a_bucket_is_emptied_at_once_and_fills_steadily() -> None:
    limiter = RateLimiter(120)  # two a second
    at = 17 * SECOND
    standings = [limiter.take(b"key", at_nanoseconds=at) for _ in range(121)]
    assert standings[0] == Standing(120, 119, 1, 0)  # half a second until it is full, rounded up
    assert standings[119] == Standing(120, 0, 60, 0)
    assert standings[120] == Standing(120, 0, 60, 1)  # the next call comes in half a second
    assert limiter.take(b"other", at_nanoseconds=at).remaining == 119
    assert limiter.take(b"key", at_nanoseconds=at + SECOND // 2 - 1).retry_after_seconds == 1
    assert limiter.take(b"key", at_nanoseconds=at + SECOND // 2) == Standing(120, 0, 60, 0)
    assert limiter.take(b"key", at_nanoseconds=at + 3_600 * SECOND) == Standing(120, 119, 1, 0)  # never more than full


def test_a_rate_that_is_no_whole_number_in_a_second_is_exact() -> None:
    limiter = RateLimiter(7)
    taken = sum(
        limiter.take(b"key", at_nanoseconds=step * SECOND // 10).retry_after_seconds == 0 for step in range(36_000)
    )
    assert taken == 7 + 7 * 60 - 1  # seven at once, then seven a minute for an hour but its last tenth of a second
