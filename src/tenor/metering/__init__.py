"""Metering: usage events in, windows and numbers out."""

from tenor.metering.clickhouse.http import ClickHouseFailed
from tenor.metering.clickhouse.usage import UsageMissing
from tenor.metering.home import ClickHouseUnknown
from tenor.metering.importing import BadRow, MalformedUsageFile
from tenor.metering.model import Amendment, DimensionValues, Metric, Part, Span, UsageEvent, UsageWindow
from tenor.metering.operations.amend_usage import AmendmentReceipt, amend_usage
from tenor.metering.operations.correct_file import correct_from_file
from tenor.metering.operations.correct_usage import correct_usage
from tenor.metering.operations.import_usage import ImportReceipt, UsageFileRefused, import_usage
from tenor.metering.operations.ingest_usage import ingest_usage
from tenor.metering.operations.record_usage import Rejection, UsageReceipt, UsageRefused, record_usage
from tenor.metering.operations.relocate_usage import UsageRelocationFailed, relocate_usage
from tenor.metering.operations.replay_rejections import ReplayReceipt, replay_rejections
from tenor.metering.operations.ship_usage import ship_usage
from tenor.metering.queries import (
    arrivals,
    current_usage,
    event_names,
    find_metrics,
    usage_totals,
    usage_values,
)
from tenor.metering.rules.aggregate import Aggregate, Terms
from tenor.metering.rules.forms import Columns, ReadingTerms, Unreadable, read_event_lines, read_events
from tenor.metering.store.arrivals import Arrival, Before, EventName
from tenor.metering.store.ingest import TouchedUsage
from tenor.metering.store.rejections import KeptRejection, usage_rejections

__all__ = [
    "Aggregate",
    "Amendment",
    "AmendmentReceipt",
    "Arrival",
    "BadRow",
    "Before",
    "ClickHouseFailed",
    "ClickHouseUnknown",
    "Columns",
    "DimensionValues",
    "EventName",
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
    "UsageMissing",
    "UsageReceipt",
    "UsageRefused",
    "UsageRelocationFailed",
    "UsageWindow",
    "amend_usage",
    "arrivals",
    "correct_from_file",
    "correct_usage",
    "current_usage",
    "event_names",
    "find_metrics",
    "import_usage",
    "ingest_usage",
    "read_event_lines",
    "read_events",
    "record_usage",
    "relocate_usage",
    "replay_rejections",
    "ship_usage",
    "usage_rejections",
    "usage_totals",
    "usage_values",
]
