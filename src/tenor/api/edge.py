"""The edge: what holds for every call, whatever it asks for: request id, bounded body, headers, log, metrics, 500.

Plain ASGI, around everything else. It reads the body before anybody else does, so that no more than the bound of the
path is ever held.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from opentelemetry.trace import Span, StatusCode
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenor.api.errors import (
    BodyTooLarge,
    BodyTooSlow,
    InternalError,
    MediaTypeUnsupported,
    RequestMalformed,
    RouteUnknown,
    TryAgain,
)
from tenor.api.logs import LOG
from tenor.api.problems import problem
from tenor.api.versions import CURRENT_VERSION
from tenor.kernel.errors import Refusal
from tenor.platform.telemetry import request_span

BODY_BYTES_MAX: Final = 1 << 20
USAGE_BYTES_MAX: Final = 16 << 20
"""A batch of usage may be larger than any other body."""
BODY_SECONDS_MAX: Final = 60
"""How long a body may take to arrive."""
ALL_BODIES_BYTES_MAX: Final = 256 << 20
"""What all calls of the process hold of bodies: nobody has been asked for a credential yet when a body is read."""
CALLS_PER_THREAD_MAX: Final = 8
"""Calls at work or waiting for a thread, for each thread; those beyond are better told at once to try again."""
USAGE_PATH: Final = "/v1/usage"

_MEDIA_TYPE: Final = re.compile(r"application/([a-z0-9.+-]*\+)?json", re.ASCII)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_ENCODED_SLASH: Final = re.compile(rb"%(2f|5c)", re.IGNORECASE)
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "Cache-Control": "no-store",
}
STANDING_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Where the operator's machines ask how the process stands."""
_UNMATCHED: Final = "unmatched"
_TRACE: Final = ("traceparent", "tracestate")
"""Headers by which a caller says which trace the call belongs to (W3C Trace Context)."""


class Metrics:
    """What Prometheus reads of the calls. Labels are route templates and never ids: their number is bounded."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._calls = Counter("tenor_http_requests", "Calls answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "tenor_http_request_seconds", "Seconds to answer.", labels[:2], registry=self.registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one call."""
        self._calls.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class Edge:
    """The ASGI application around the application."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._load = _Load()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _Call(scope, send)
        with request_span(call.method, call.trace) as current:
            try:
                await self._answer(scope, receive, call)
            except Exception:  # noqa: BLE001  the last place that can tell the caller, and the log, of a bug
                LOG.exception("failed", request_id=call.request_id, method=scope["method"], route=call.route)
                if not call.is_answered:
                    await call.refuse(InternalError("unexpected"), receive)
            finally:
                self._tell(call)
                call.describe(current)

    async def _answer(self, scope: Scope, receive: Receive, call: "_Call") -> None:
        body = _Body(scope, self._load)
        try:
            if _ENCODED_SLASH.search(scope["raw_path"]):
                raise RouteUnknown("no path holds an encoded slash: no name of a thing does")
            content = await body.read(receive)
            self._load.require_room(scope)
        except Refusal as refusal:
            await call.refuse(refusal, receive)
        else:
            await self._work(scope, content, receive, call)
        finally:
            body.let_go()

    async def _work(self, scope: Scope, body: bytes, receive: Receive, call: "_Call") -> None:
        is_given = False

        async def given() -> Message:
            nonlocal is_given
            if is_given:
                return await receive()
            is_given = True
            return {"type": "http.request", "body": body, "more_body": False}

        self._load.calls += 1
        try:
            await self._app(scope, given, call.send)
        finally:
            self._load.calls -= 1

    def _tell(self, call: "_Call") -> None:
        seconds = time.perf_counter() - call.begun
        self._metrics.answered(call.method, call.route, call.status, seconds)
        LOG.info(
            "answered",
            request_id=call.request_id,
            method=call.method,
            route=call.route,
            status=call.status,
            milliseconds=round(seconds * 1000, 1),
            **call.state.get("log", {}),
        )


class _Call:
    """One call on its way: where it went, how it was answered, and the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"request-id", b"").decode("latin-1")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else f"req_{uuid4().hex}"
        self.state: dict[str, Any] = scope.setdefault("state", {})
        self.state["request_id"] = self.request_id
        self.trace = {name: headers[name.encode()].decode("latin-1") for name in _TRACE if name.encode() in headers}
        self.begun = time.perf_counter()
        self.status = 500
        self.is_answered = False
        self._scope = scope
        self._send = send

    @property
    def method(self) -> str:
        """The method, as a label: one that nobody has heard of is not worth a time series."""
        method: str = self._scope["method"]
        return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "OTHER"

    @property
    def route(self) -> str:
        """The template of the path that was called."""
        route = self._scope.get("route")
        return str(getattr(route, "path", _UNMATCHED))

    def describe(self, span: Span) -> None:
        """Name the span of the call by what is known at its end: like labels, never a path with ids, or a query.

        Source: OpenTelemetry semantic conventions for HTTP server spans.
        """
        span.update_name(f"{self.method} {self.route}")
        span.set_attributes(
            {
                "http.request.method": self.method,
                "http.route": self.route,
                "http.response.status_code": self.status,
                "tenor.request_id": self.request_id,
            }
        )
        if self.status >= 500:
            span.set_status(StatusCode.ERROR)

    async def send(self, message: Message) -> None:
        """Send a part of the answer, its first with the headers of every answer."""
        if message["type"] == "http.response.start":
            self.is_answered = True
            self.status = message["status"]
            own: Mapping[str, str] = self.state.get("headers", {})
            headers = {"Request-Id": self.request_id, "Tenor-Version": CURRENT_VERSION, **_SECURITY, **own}
            told = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
            message = {**message, "headers": [*message.get("headers", []), *told]}
        await self._send(message)

    async def refuse(self, refusal: Refusal, receive: Receive) -> None:
        """Answer a refusal that no route will see."""
        self.state.setdefault("log", {})["code"] = refusal.code
        response: Response = problem(refusal, request_id=self.request_id)
        await response(self._scope, receive, self.send)


@dataclass(slots=True)
class _Load:
    """What the calls of this process hold together."""

    calls: int = 0
    body_bytes: int = 0

    def require_room(self, scope: Scope) -> None:
        """Refuse a call that would wait for too many others; how the process stands can always be asked.

        Raises:
            TryAgain: as said.
        """
        if self.calls >= CALLS_PER_THREAD_MAX * scope["app"].state.threads and scope["path"] not in STANDING_PATHS:
            raise TryAgain("too much is being done at once")


class _Body:
    """The body of a call, which is held until the call has been answered."""

    def __init__(self, scope: Scope, load: _Load) -> None:
        self._limit = USAGE_BYTES_MAX if scope["path"].startswith(USAGE_PATH) else BODY_BYTES_MAX
        self._headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self._load = load
        self._length = 0

    async def read(self, receive: Receive) -> bytes:
        """Return the whole of it.

        Raises:
            BodyTooLarge: it is beyond the bound of its path, by what it says or by what it is.
            BodyTooSlow: it has not arrived in time.
            MediaTypeUnsupported: there is one, and it is no JSON.
            RequestMalformed: its end is missing. Nobody hears of it, but nothing is done either.
            TryAgain: the process holds too much of other bodies.
        """
        told = self._headers.get(b"content-length", b"0")
        self._require(int(told) if told.isdigit() and len(told) < 20 else 0)
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                body = b"".join([part async for part in self._parts(receive)])
        except TimeoutError:
            raise BodyTooSlow(f"a body arrives within {BODY_SECONDS_MAX} s") from None
        media_type = self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if body and not _MEDIA_TYPE.fullmatch(media_type):
            raise MediaTypeUnsupported("a body is JSON; say so by Content-Type: application/json")
        return body

    def let_go(self) -> None:
        """Hold it no longer."""
        self._load.body_bytes -= self._length

    async def _parts(self, receive: Receive) -> AsyncIterator[bytes]:
        has_more = True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestMalformed("the body was cut off")
            part: bytes = message.get("body", b"")
            has_more = message.get("more_body", False)
            self._length += len(part)
            self._load.body_bytes += len(part)
            self._require(self._length)
            if self._load.body_bytes > ALL_BODIES_BYTES_MAX:
                raise TryAgain("too much is being sent at once")
            yield part

    def _require(self, length: int) -> None:
        if length > self._limit:
            raise BodyTooLarge(f"a body has at most {self._limit:,} bytes here", bytes_max=self._limit)
