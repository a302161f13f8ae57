"""HTTP/1.1 as uvicorn reads it, with a bound on what a caller may send, and how slowly, before anybody is asked.

The parser joins a header that comes in pieces again and again, at a cost that grows with the square of its length: an
endless one would keep the process from everything else. A connection that says nothing costs a file descriptor.
"""

from asyncio import TimerHandle, Transport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

FRAMING_BYTES_MAX: Final = 256 << 10
"""Bytes of a call that are no body: its first line, its headers, the lengths of chunks and what trails them."""
HEAD_SECONDS_MAX: Final = 10.0
"""How long the first line and the headers may take to arrive, from the first byte or from the connection."""


class BoundedHttp(HttpToolsProtocol):
    """A connection; the methods are the callbacks of the transport and of the parser."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._framing_bytes = 0
        self._head_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for the first call."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand data to the parser, unless too much of the call is no body."""
        self._framing_bytes += len(data)
        super().data_received(data)
        if self._framing_bytes > FRAMING_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """Begin to count anew; at most what came together with the end of the call before is not counted."""
        super().on_message_begin()
        self._framing_bytes = 0
        self._await_head()

    def on_headers_complete(self) -> None:
        """Let the application answer."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take out of the count what the application has a bound for."""
        self._framing_bytes -= len(body)
        super().on_body(body)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._head_timer = self.loop.call_later(HEAD_SECONDS_MAX, self._head_is_late)

    def _head_is_late(self) -> None:
        if self.flow.read_paused:  # it is not read while the call before it is being answered
            self._await_head()
        elif not self.transport.is_closing():
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
