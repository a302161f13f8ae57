"""Metering: usage events in, windows and numbers out."""

from tenor.metering.importing import BadRow, MalformedUsageFile
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.operations.import_usage import ImportReceipt, UsageFileRefused, import_usage
from tenor.metering.operations.record_usage import Rejection, UsageReceipt, UsageRefused, record_usage
from tenor.metering.rules.aggregate import Aggregate, Terms
from tenor.metering.rules.forms import Columns, ReadingTerms, Unreadable, read_events
from tenor.metering.store.ingest import TouchedUsage
from tenor.metering.store.reading import DimensionValues, UsageWindow, find_metrics, usage_totals, usage_values

__all__ = [
    "Aggregate",
    "BadRow",
    "Columns",
    "DimensionValues",
    "ImportReceipt",
    "MalformedUsageFile",
    "Metric",
    "ReadingTerms",
    "Rejection",
    "Span",
    "Terms",
    "TouchedUsage",
    "Unreadable",
    "UsageEvent",
    "UsageFileRefused",
    "UsageReceipt",
    "UsageRefused",
    "UsageWindow",
    "find_metrics",
    "import_usage",
    "read_events",
    "record_usage",
    "usage_totals",
    "usage_values",
]
