"""A receiver of webhooks on localhost that keeps what it gets and answers, dawdles or redirects, as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import msgspec


class Received(NamedTuple):
    """One call: its path, headers (names in lower case) and body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found


class Receiver(ThreadingHTTPServer):
    """Answers with `reply`, which may be replaced: from a call to a status, headers and a body."""

    daemon_threads = True
    request_queue_size = 100  # with the 5 of the library, the kernel lets more callers than that wait for a second

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[Received] = []
        self.reply: Callable[[Received], tuple[int, dict[str, str], bytes]] = lambda _: (200, {}, b"thanks")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook"

    def answer(self, *statuses: int) -> None:
        """Answer the next calls with these statuses, and all further ones with the last."""
        left = list(statuses)
        self.reply = lambda _: (left.pop(0) if len(left) > 1 else left[0], {}, b"as said")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One call."""

    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        call = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.received.append(call)
        status, headers, answer = self.server.reply(call)
        self.send_response(status)
        for name, value in {"content-length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Yield a receiver that runs in a thread of its own."""
    with Receiver() as receiver:
        threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield receiver
        receiver.shutdown()
