"""A circuit breaker: after several failures in a row nobody is asked for a while, then one probe decides."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from tenor.taxes.ports import TaxEngineFailed

FAILURES_MAX: Final = 3
REST_SECONDS: Final = 30

T = TypeVar("T")


class CircuitBreaker:
    """Guards a server: closed it lets calls through, open it refuses them, half open it lets one probe through.

    `clock` gives seconds that only go forward. May be shared by threads.
    """

    def __init__(
        self, clock: Callable[[], float], *, failures_max: int = FAILURES_MAX, rest_seconds: float = REST_SECONDS
    ) -> None:
        self._clock = clock
        self._failures_max = failures_max
        self._rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._asks_again_at: float | None = None

    def call(self, ask: Callable[[], T]) -> T:
        """Return what `ask` returns.

        Raises:
            TaxEngineFailed: `ask` raised it, or it was not asked because the circuit is open.
        """
        self._admit()
        try:
            result = ask()
        except BaseException:
            self._failed()
            raise
        self._succeeded()
        return result

    def _admit(self) -> None:
        with self._lock:
            if self._asks_again_at is None:
                return
            now = self._clock()
            if now < self._asks_again_at:
                raise TaxEngineFailed(f"it is not asked: it failed {self._failures} times in a row")
            self._asks_again_at = now + self._rest_seconds  # this call is the probe; the others go on waiting

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._failures_max:
                self._asks_again_at = self._clock() + self._rest_seconds

    def _succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            self._asks_again_at = None
