"""Metering: usage events in, windows and numbers out."""

from tenor.metering.importing import BadRow, MalformedUsageFile
from tenor.metering.model import Amendment, DimensionValues, Metric, Part, Span, UsageEvent, UsageWindow
from tenor.metering.operations.amend_usage import AmendmentReceipt, amend_usage
from tenor.metering.operations.correct_file import correct_from_file
from tenor.metering.operations.import_usage import ImportReceipt, UsageFileRefused, import_usage
from tenor.metering.operations.ingest_usage import ingest_usage
from tenor.metering.operations.record_usage import Rejection, UsageReceipt, UsageRefused, record_usage
from tenor.metering.operations.replay_rejections import ReplayReceipt, replay_rejections
from tenor.metering.rules.aggregate import Aggregate, Terms
from tenor.metering.rules.forms import Columns, ReadingTerms, Unreadable, read_event_lines, read_events
from tenor.metering.store.arrivals import Arrival, Before, arrivals
from tenor.metering.store.ingest import TouchedUsage
from tenor.metering.store.reading import (
    current_usage,
    find_metrics,
    usage_totals,
    usage_values,
)
from tenor.metering.store.rejections import KeptRejection, usage_rejections

__all__ = [
    "Aggregate",
    "Amendment",
    "AmendmentReceipt",
    "Arrival",
    "BadRow",
    "Before",
    "Columns",
    "DimensionValues",
    "ImportReceipt",
    "KeptRejection",
    "MalformedUsageFile",
    "Metric",
    "Part",
    "ReadingTerms",
    "Rejection",
    "ReplayReceipt",
    "Span",
    "Terms",
    "TouchedUsage",
    "Unreadable",
    "UsageEvent",
    "UsageFileRefused",
    "UsageReceipt",
    "UsageRefused",
    "UsageWindow",
    "amend_usage",
    "arrivals",
    "correct_from_file",
    "current_usage",
    "find_metrics",
    "import_usage",
    "ingest_usage",
    "read_event_lines",
    "read_events",
    "record_usage",
    "replay_rejections",
    "usage_rejections",
    "usage_totals",
    "usage_values",
]
