"""Metering: usage events in, windows and numbers out."""

from tenor.metering.importing import BadRow, Columns, MalformedUsageFile
from tenor.metering.model import Metric, Span, UsageEvent
from tenor.metering.operations.import_usage import ImportReceipt, UsageFileRefused, import_usage
from tenor.metering.operations.record_usage import (
    Rejection,
    TouchedUsage,
    UsageReceipt,
    UsageRefused,
    record_usage,
)
from tenor.metering.rules.aggregate import Aggregate, Terms
from tenor.metering.store import DimensionValues, UsageWindow, find_metrics, usage_totals, usage_values

__all__ = [
    "Aggregate",
    "BadRow",
    "Columns",
    "DimensionValues",
    "ImportReceipt",
    "MalformedUsageFile",
    "Metric",
    "Rejection",
    "Span",
    "Terms",
    "TouchedUsage",
    "UsageEvent",
    "UsageFileRefused",
    "UsageReceipt",
    "UsageRefused",
    "UsageWindow",
    "find_metrics",
    "import_usage",
    "record_usage",
    "usage_totals",
    "usage_values",
]
