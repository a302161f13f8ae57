"""ClickHouse in process (chDB) behind a loopback server that speaks as much of its HTTP interface as Tenor uses."""

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

_numbers: Final = itertools.count()


class ClickHouseServer(ThreadingHTTPServer):
    """A process has one chDB session, hence one of these; each test has a database of its own.

    `asked` are the statements so far, `failing` how many of the next ones get no sound answer: those with an odd
    number are carried out all the same, as when a connection breaks before the answer. `meanwhile` is called once,
    before the next statement is run.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, session: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._session = session
        self._lock = threading.Lock()  # `use` holds for the whole session
        self.asked: list[str] = []
        self.failing = 0
        self.meanwhile: Callable[[], object] | None = None

    def fresh_url(self) -> str:
        """Return the URL of a new empty database."""
        name = f"tenor_{next(_numbers)}"
        self._session.query(f"create database {name}")
        return f"http://127.0.0.1:{self.server_port}/?database={name}"

    def run(self, statement: str, *, database: str, parameters: dict[str, str]) -> bytes:
        """Run a statement in a database; return what it answers."""
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        with self._lock:
            self.asked.append(statement)
            self._session.query(f"use {database}")
            return bytes(self._session.query(statement, "JSONCompactEachRow", params=parameters).bytes())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: ClickHouseServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        said = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        statement = self.rfile.read(int(self.headers["content-length"])).decode()
        parameters = {name.removeprefix("param_"): value for name, value in said.items() if name.startswith("param_")}
        failing, self.server.failing = self.server.failing, max(0, self.server.failing - 1)
        try:
            if failing % 2 == 0:
                answer = b"" if failing else self._run(statement, said["database"], parameters)
            else:
                self._run(statement, said["database"], parameters)
                answer = b""
        except RuntimeError as error:
            code = re.search(r"Code: (\d+)", str(error))
            self._send(500, str(error).encode(), code=code.group(1) if code else "1")
            return
        if failing:
            self._send(503, b"is shutting down", code="236")
        else:
            self._send(200, answer)

    def _run(self, statement: str, database: str, parameters: dict[str, str]) -> bytes:
        return self.server.run(statement, database=database, parameters=parameters)

    def _send(self, status: int, body: bytes, *, code: str | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if code is not None:
            self.send_header("x-clickhouse-exception-code", code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def clickhouse_server(directory: Path) -> Iterator[ClickHouseServer]:
    """Run one with its data in `directory`; once in a process."""
    from chdb.session import Session

    session: Any = Session(str(directory))  # type: ignore[no-untyped-call]  # chDB has no types
    server = ClickHouseServer(session)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        session.close()
