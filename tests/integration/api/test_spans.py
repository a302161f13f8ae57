"""Each call is a span by its route, part of the caller's trace, and tells nothing of whom it is about."""

import time
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from tenor.platform import telemetry
from tests.support.api import Caller

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What would be sent."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with patch.object(telemetry, "_TRACER", provider.get_tracer("test")):
        yield exporter


def test_a_call_is_a_span_of_its_route(caller: Caller, spans: InMemorySpanExporter) -> None:
    caller.made("/customers", {"external_id": "globex", "name": "Ada Lovelace"})
    told = caller.client.get(
        "/v1/customers/globex",
        headers=caller.headers() | {"traceparent": f"00-{TRACE}-{PARENT}-01", "Request-Id": "r-1"},
    )
    caller.client.get("/nowhere/globex?customer=globex", headers={"traceparent": "rubbish"})
    assert told.status_code == 200

    deadline = time.monotonic() + 10
    while len(spans.get_finished_spans()) < 3 and time.monotonic() < deadline:  # a span ends after its answer
        time.sleep(0.01)
    made, shown, lost = spans.get_finished_spans()
    assert [one.name for one in (made, shown, lost)] == [
        "POST /v1/customers",
        "GET /v1/customers/{customer}",
        "GET unmatched",
    ]
    assert dict(shown.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/customers/{customer}",
        "http.response.status_code": 200,
        "tenor.request_id": "r-1",
    }
    assert shown.kind is SpanKind.SERVER
    assert shown.parent is not None
    assert (f"{shown.parent.trace_id:032x}", f"{shown.parent.span_id:016x}") == (TRACE, PARENT)
    assert made.parent is None
    assert lost.parent is None
    written = " ".join(one.to_json() for one in (made, shown, lost))
    assert "globex" not in written
    assert "Lovelace" not in written
