"""A tax engine's server on localhost that answers, fails, dawdles or talks nonsense, as a test says."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler", list[dict[str, Any]]], None]


class TaxServer(ThreadingHTTPServer):
    """Serves one `reply`, which may be replaced, and keeps what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply: Reply = answer_german_vat
        self.asked: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/rates"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One call: keeps the questions, then lets the server's reply answer."""

    server: TaxServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        questions = json.loads(self.rfile.read(int(self.headers["content-length"])))["requests"]
        self.server.asked.append(questions)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.reply(self, questions)

    def send(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        """Send a whole response."""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answering(*answers: dict[str, Any]) -> Reply:
    """Return the reply that answers every question alike, or with these answers where there are several."""

    def reply(handler: Handler, questions: list[dict[str, Any]]) -> None:
        given = answers if len(answers) > 1 else answers * len(questions)
        handler.send(json.dumps({"answers": given}).encode())

    return reply


answer_german_vat = answering({"rates": [{"name": "VAT", "percent": "19", "jurisdiction": "DE"}]})


def sending(body: bytes, *, status: int = 200, **headers: str) -> Reply:
    """Return the reply that sends a body as it is."""
    return lambda handler, _: handler.send(body, status=status, **headers)


def dripping(*, pause_seconds: float) -> Reply:
    """Return the reply that sends a body byte by byte."""

    def reply(handler: Handler, _questions: list[dict[str, Any]]) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        for _byte in range(1000):
            handler.wfile.write(b" ")
            time.sleep(pause_seconds)

    return reply


def silent(handler: Handler, _: list[dict[str, Any]]) -> None:
    """Send nothing for a while, then hang up."""
    time.sleep(2)
    handler.close_connection = True


@contextmanager
def tax_server() -> Iterator[TaxServer]:
    """Yield a running server."""
    server = TaxServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
