"""Telemetry: spans of OpenTelemetry around what takes time, sent where `OTEL_EXPORTER_OTLP_ENDPOINT` says.

Without that variable, or without the extra `tenor[otel]`, a span costs about three microseconds and goes nowhere.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from tenor.kernel.errors import Refusal

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACER: Final = trace.get_tracer("tenor")


class TelemetryMissing(Refusal):
    """Spans are to be sent, but what sends them is not installed."""

    code = "telemetry_missing"


@contextmanager
def request_span(name: str, carrier: Mapping[str, str]) -> Iterator[trace.Span]:
    """Run a block as the span of a call that came in; a `traceparent` in `carrier` makes it a part of that trace.

    Source: W3C Trace Context, https://www.w3.org/TR/trace-context/. What cannot be read begins a trace of its own.
    """
    with _TRACER.start_as_current_span(
        name,
        context=TraceContextTextMapPropagator().extract(carrier),
        kind=trace.SpanKind.SERVER,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        yield current


@contextmanager
def span(name: str, **attributes: AttributeValue) -> Iterator[trace.Span]:
    """Run a block as one span: `name` like `bill_run.batch`; attributes are ids, codes and counts, never personal data.

    An exception that leaves the block is named on the span by its class alone: its words may hold what was sent.
    """
    named = {f"tenor.{key}": value for key, value in attributes.items()}
    with _TRACER.start_as_current_span(
        name, attributes=named, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def send_spans(service: str) -> None:
    """Send the spans of this process by OTLP over HTTP, where the environment names an endpoint; call it once.

    Raises:
        TelemetryMissing: it names one, and the extra `otel` is not installed.
    """
    if not os.environ.get(ENDPOINT):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TelemetryMissing(f"{ENDPOINT} is set, but nothing sends spans: install tenor[otel]") from None
    provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", service)}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
