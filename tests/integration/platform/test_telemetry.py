"""Spans reach a collector over HTTP, name what took time, and hold no personal data."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tenor.platform.telemetry import ENDPOINT

SCRIPT = """
from tenor.platform.telemetry import send_spans, span
send_spans("tenor")
try:
    with span("bill_run.batch", batch_no=7):
        with span("bill_run.rate"):
            raise ValueError("Ada Lovelace")
except ValueError:
    pass
"""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector's address and what was sent to it."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_are_sent_when_the_process_ends(
    collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, received = collector
    monkeypatch.setenv(ENDPOINT, address)
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=60)

    assert len(received) == 1
    (resource,) = ExportTraceServiceRequest.FromString(received[0]).resource_spans
    spans = {one.name: one for scope in resource.scope_spans for one in scope.spans}
    assert spans.keys() == {"bill_run.batch", "bill_run.rate"}
    assert spans["bill_run.rate"].parent_span_id == spans["bill_run.batch"].span_id
    assert [(one.key, one.value.int_value) for one in spans["bill_run.batch"].attributes] == [("tenor.batch_no", 7)]
    assert spans["bill_run.rate"].status.message == "ValueError"
    assert b"Lovelace" not in received[0]
