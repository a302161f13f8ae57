"""The connection to a server: credentials, dated version, repetition of what failed, and errors out of problems."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from uuid import uuid4

import httpx

from tenor.client.errors import NotAnswered, Refused, refused
from tenor.client.written import Instant, as_json, as_text

REPEATED_STATUSES: Final = frozenset({429, 502, 503, 504})
REPEATED_CODES: Final = frozenset({"idempotency_call_running"})
"""What is told to a repetition whose first attempt is still at work."""
FIRST_WAIT_SECONDS: Final = 0.5
WAIT_SECONDS_MAX: Final = 60.0
"""Longer waits are the caller's to decide on: it is told at once."""
_LOST: Final = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)

Query = Mapping[str, Instant | int | bool | Sequence[str] | None]
_jitter: Final = random.SystemRandom()


class Connection:
    """Calls a server over HTTP. `attempts_max` counts the first attempt too.

    What a lost connection or an overloaded server has left open is repeated, after a wait that doubles and is spread
    at random, or that the server names. A POST has the same idempotency key in each attempt, so that it has its effect
    once.
    """

    def __init__(self, http: httpx.Client, *, attempts_max: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._attempts_max = attempts_max
        self._sleep = sleep

    def get(self, path: str, query: Query | None = None) -> Any:
        """Call GET; return the JSON of the answer.

        Raises:
            Refused: the server refused, also after the repetitions.
            NotAnswered: no attempt was answered.
        """
        return self._call(self._http.build_request("GET", path, params=_said(query)), None)

    def post(self, path: str, body: object, query: Query | None = None, *, idempotency_key: str | None) -> Any:
        """Call POST with a JSON body, under a fresh idempotency key unless one is given; see `get`."""
        key = idempotency_key or uuid4().hex
        request = self._http.build_request(
            "POST",
            path,
            params=_said(query),
            content=as_json(body),
            headers={"Content-Type": "application/json", "Idempotency-Key": key},
        )
        return self._call(request, key)

    def close(self) -> None:
        """Close what is open to the server."""
        self._http.close()

    def _call(self, request: httpx.Request, key: str | None) -> Any:
        attempt = 1
        while True:
            try:
                answer = self._http.send(request)
            except _LOST as error:
                if attempt == self._attempts_max:
                    tries = "one attempt" if attempt == 1 else f"{attempt} attempts"
                    message = (
                        f"no answer to {request.method} {request.url} in {tries} ({type(error).__name__}: {error})"
                    )
                    raise NotAnswered(message, idempotency_key=key) from error
                wait = _spread(attempt)
            else:
                if answer.is_success:
                    return answer.json() if answer.content else None
                refusal = refused(answer)
                wait = max(_spread(attempt), _asked_wait(answer.headers.get("Retry-After", "")))
                if attempt == self._attempts_max or not _may_pass(refusal) or wait > WAIT_SECONDS_MAX:
                    raise refusal
            self._sleep(wait)
            attempt += 1


def _may_pass(refusal: Refused) -> bool:
    return refusal.status in REPEATED_STATUSES or refusal.code in REPEATED_CODES


def _spread(attempt: int) -> float:
    """Return how long to wait after an attempt: between half and the whole of a span that doubles each time."""
    span = FIRST_WAIT_SECONDS * 2 ** min(attempt - 1, 6)
    return _jitter.uniform(span / 2, span)


def _asked_wait(retry_after: str) -> float:
    """Return the seconds that the header Retry-After asks for, as a number or as a date; 0 where it says neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return (parsedate_to_datetime(retry_after).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 0.0


def _said(query: Query | None) -> dict[str, str | int | bool | Sequence[str]]:
    return {
        name: as_text(value) if isinstance(value, datetime) else value
        for name, value in (query or {}).items()
        if value is not None
    }
