"""Wire: the JSON form of what the engine knows, one for the command line and the API."""

from tenor.wire.adjustments import AdjustmentJson, ReceiptJson, adjustment_json, receipt_json
from tenor.wire.catalog import MetricJson, NamedJson, PlanJson, metric_json, named_json, plan_json
from tenor.wire.customers import CustomerJson, customer_json
from tenor.wire.documents import (
    DocumentJson,
    DocumentRowJson,
    DraftJson,
    IssuedJson,
    document_json,
    document_row_json,
    draft_json,
    issued_json,
)
from tenor.wire.encoding import encode
from tenor.wire.entitlements import EntitlementJson, entitlement_json
from tenor.wire.keys import IssuedKeyJson, KeyJson, issued_key_json, key_json
from tenor.wire.ledger import AccountJson, TransferJson, TrialBalanceJson, balance_json, transfer_json
from tenor.wire.quotes import QuoteJson, QuoteText, quote_from_text, quote_json
from tenor.wire.runs import RunJson, RunReportJson, report_json, run_json
from tenor.wire.subscriptions import (
    EntryJson,
    PhaseJson,
    SubscriptionJson,
    entries_json,
    subscription_json,
    timeline_json,
)
from tenor.wire.tenants import TenantJson, tenant_json
from tenor.wire.usage import (
    AmendedUsageJson,
    CurrentUsageJson,
    RefusedEventJson,
    RejectionJson,
    UsageReceiptJson,
    rejection_json,
    usage_json,
)

__all__ = [
    "AccountJson",
    "AdjustmentJson",
    "AmendedUsageJson",
    "CurrentUsageJson",
    "CustomerJson",
    "DocumentJson",
    "DocumentRowJson",
    "DraftJson",
    "EntitlementJson",
    "EntryJson",
    "IssuedJson",
    "IssuedKeyJson",
    "KeyJson",
    "MetricJson",
    "NamedJson",
    "PhaseJson",
    "PlanJson",
    "QuoteJson",
    "QuoteText",
    "ReceiptJson",
    "RefusedEventJson",
    "RejectionJson",
    "RunJson",
    "RunReportJson",
    "SubscriptionJson",
    "TenantJson",
    "TransferJson",
    "TrialBalanceJson",
    "UsageReceiptJson",
    "adjustment_json",
    "balance_json",
    "customer_json",
    "document_json",
    "document_row_json",
    "draft_json",
    "encode",
    "entitlement_json",
    "entries_json",
    "issued_json",
    "issued_key_json",
    "key_json",
    "metric_json",
    "named_json",
    "plan_json",
    "quote_from_text",
    "quote_json",
    "receipt_json",
    "rejection_json",
    "report_json",
    "run_json",
    "subscription_json",
    "tenant_json",
    "timeline_json",
    "transfer_json",
    "usage_json",
]
