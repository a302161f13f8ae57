"""Callers over HTTP: each calls again as soon as it is answered, over a connection that it keeps."""

import http.client
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, NamedTuple

from tools.benchmark.process import cpu_seconds

WARMING_CALLS: Final = 10


class Request(NamedTuple):
    """One call; the body as it is sent."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Load:
    """What callers together have come to. Milliseconds are those of one call, seconds of wall-clock time.

    `cpu_microseconds` is how long the process that answers had a core for one call; None where nobody tells.
    """

    name: str
    callers: int
    events_per_call: int
    calls: int
    seconds: float
    p50_milliseconds: float
    p99_milliseconds: float
    cpu_microseconds: float | None

    @property
    def per_second(self) -> float:
        """Calls answered per second."""
        return self.calls / self.seconds

    @property
    def events_per_second(self) -> float:
        """Usage events taken per second."""
        return self.per_second * self.events_per_call


def measure_load(
    name: str,
    requests: Callable[[int], Request],
    *,
    port: int,
    pid: int,
    callers: int,
    seconds: float,
    events_per_call: int = 0,
) -> Load:
    """Call for so many seconds; `requests` makes the call of each number. `pid` is the process that answers.

    Raises:
        RuntimeError: a call was refused.
    """
    numbers = itertools.count()
    _call_until(port, requests, numbers, calls=WARMING_CALLS)
    cpu, begun = cpu_seconds(pid), time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        ends = begun + seconds
        done = [pool.submit(_call_until, port, requests, numbers, ends=ends) for _ in range(callers)]
        times = sorted(took for one in done for took in one.result())
    lasted, cpu_after = time.perf_counter() - begun, cpu_seconds(pid)
    return Load(
        name=name,
        callers=callers,
        events_per_call=events_per_call,
        calls=len(times),
        seconds=lasted,
        p50_milliseconds=times[len(times) // 2] * 1_000,
        p99_milliseconds=times[len(times) * 99 // 100] * 1_000,
        cpu_microseconds=None if cpu is None or cpu_after is None else (cpu_after - cpu) / len(times) * 1e6,
    )


def _call_until(
    port: int,
    requests: Callable[[int], Request],
    numbers: Iterator[int],
    *,
    ends: float | None = None,
    calls: int | None = None,
) -> list[float]:
    """Call until an instant, at least once, or so often; return what each call took, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    took: list[float] = []
    try:
        while not took or (len(took) < calls if calls else time.perf_counter() < (ends or 0)):
            request = requests(next(numbers))
            begun = time.perf_counter()
            connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            told = answer.read()
            took.append(time.perf_counter() - begun)
            if answer.status >= 300:
                raise RuntimeError(f"{request.method} {request.path}: {answer.status} {told[:500]!r}")
    finally:
        connection.close()
    return took
