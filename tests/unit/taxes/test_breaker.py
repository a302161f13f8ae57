"""The circuit breaker: several failures open it, a rest later one probe decides."""

import threading

import pytest

from tenor.taxes.engines import CircuitBreaker
from tenor.taxes.ports import TaxEngineFailed


class Clock:
    """A clock that stands still until it is moved."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def fail() -> str:
    raise TaxEngineFailed("down")


def tried(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(TaxEngineFailed, match="down"):
            breaker.call(fail)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(clock, failures_max=3, rest_seconds=30)


def test_failures_in_a_row_open_it(breaker: CircuitBreaker) -> None:
    tried(breaker, 3)

    with pytest.raises(TaxEngineFailed, match="failed 3 times in a row"):
        breaker.call(lambda: "asked")


def test_a_success_between_failures_keeps_it_closed(breaker: CircuitBreaker) -> None:
    tried(breaker, 2)
    assert breaker.call(lambda: "asked") == "asked"
    tried(breaker, 2)

    assert breaker.call(lambda: "asked") == "asked"


def test_after_a_rest_a_probe_closes_it(breaker: CircuitBreaker, clock: Clock) -> None:
    tried(breaker, 3)
    clock.seconds += 29.9
    with pytest.raises(TaxEngineFailed, match="not asked"):
        breaker.call(lambda: "asked")
    clock.seconds += 0.1

    assert breaker.call(lambda: "asked") == "asked"
    tried(breaker, 2)  # it counts from the beginning again
    assert breaker.call(lambda: "asked") == "asked"


def test_a_probe_that_fails_opens_it_for_another_rest(breaker: CircuitBreaker, clock: Clock) -> None:
    tried(breaker, 3)
    clock.seconds += 30
    tried(breaker, 1)

    clock.seconds += 29
    with pytest.raises(TaxEngineFailed, match="not asked"):
        breaker.call(lambda: "asked")
    clock.seconds += 1
    assert breaker.call(lambda: "asked") == "asked"


def test_while_one_probes_the_others_wait(breaker: CircuitBreaker, clock: Clock) -> None:
    tried(breaker, 3)
    clock.seconds += 30
    probing, others_done = threading.Event(), threading.Event()
    answers: list[str] = []

    def probe() -> str:
        probing.set()
        others_done.wait(5)
        return "asked"

    thread = threading.Thread(target=lambda: answers.append(breaker.call(probe)))
    thread.start()
    probing.wait(5)
    with pytest.raises(TaxEngineFailed, match="not asked"):
        breaker.call(lambda: "second probe")
    others_done.set()
    thread.join(5)

    assert answers == ["asked"]
    assert breaker.call(lambda: "asked") == "asked"
