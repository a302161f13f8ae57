"""Invoicing: owed, settle, documents, the bill run, what people do to documents, and the proof of all of it."""

from tenor.invoicing.adjusting import Adjusted, AdjustmentRequest
from tenor.invoicing.adjustments import Adjustment, AdjustmentKind, pending_adjustments
from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.bill_run.progress import (
    ParkedSubscription,
    RunProgress,
    RunTotal,
    find_run,
    list_runs,
    parked_subscriptions,
)
from tenor.invoicing.bill_run.run import BatchSummary, BillRunReport, bill, plan_run
from tenor.invoicing.billing_settings import (
    BillingSettings,
    BillingSettingsChange,
    MalformedBillingSettings,
    NegativeTotal,
    billing_settings,
    default_billing_settings,
    settings_to_json,
)
from tenor.invoicing.cost_so_far import ChargeSoFar, CostSoFar, cost_so_far
from tenor.invoicing.cut_off import LateEvent, late_usage
from tenor.invoicing.explain import explain_line
from tenor.invoicing.model import Draft, TaxedLine
from tenor.invoicing.operations.bill_top_ups import bill_ordered_top_ups, bill_top_ups
from tenor.invoicing.operations.charge_once import charge_once
from tenor.invoicing.operations.credit_invoice import CreditNote, credit_invoice
from tenor.invoicing.operations.follow_usage import FollowedUsage, follow_usage
from tenor.invoicing.operations.grant_credit import grant_credit
from tenor.invoicing.operations.make_proforma import make_proforma
from tenor.invoicing.operations.mark_refunded import mark_refunded
from tenor.invoicing.operations.record_payment import PaymentRequest, record_payment
from tenor.invoicing.operations.request_refund import request_refund
from tenor.invoicing.operations.sell_credits import CreditOffer, sell_credits
from tenor.invoicing.operations.set_billing_settings import set_billing_settings
from tenor.invoicing.operations.set_usage_alert import MalformedUsageAlert, remove_usage_alert, set_usage_alert
from tenor.invoicing.operations.set_usage_thresholds import set_usage_thresholds
from tenor.invoicing.operations.void_invoice import void_invoice
from tenor.invoicing.operations.write_off import write_off
from tenor.invoicing.payments import Payment, Receipt
from tenor.invoicing.proformas import Proforma, find_proforma, list_proformas
from tenor.invoicing.proof import Finding, Proof
from tenor.invoicing.prove import prove
from tenor.invoicing.purchases import BilledPurchase, CreditPurchase
from tenor.invoicing.queries import (
    DocumentNotFound,
    DocumentSummary,
    IssuedDocument,
    IssuedLine,
    find_document,
    list_documents,
)
from tenor.invoicing.refunds import RefundRequest, find_refund_request, list_refund_requests, refund_requests
from tenor.invoicing.rules.payment_terms import PaymentTerms, TermsKind
from tenor.invoicing.settlement import (
    Parked,
    Quote,
    QuoteExpired,
    QuoteOutdated,
    accept_quote,
    drafts_of,
    finalise_drafts,
    quote_change,
    settle_now,
)
from tenor.invoicing.statements import Statement, StatementEntry, customer_statements
from tenor.invoicing.tax_quotes import prefetch_taxes
from tenor.invoicing.usage_alerts import Crossing, UsageAlert, subscriptions_with_alerts, tell_alerts, usage_alerts

__all__ = [
    "Adjusted",
    "Adjustment",
    "AdjustmentKind",
    "AdjustmentRequest",
    "BatchSummary",
    "BillRunReport",
    "BilledPurchase",
    "BillingSettings",
    "BillingSettingsChange",
    "ChargeSoFar",
    "CostSoFar",
    "CreditNote",
    "CreditOffer",
    "CreditPurchase",
    "Crossing",
    "DocumentNotFound",
    "DocumentSummary",
    "Draft",
    "Finding",
    "FollowedUsage",
    "IssuedDocument",
    "IssuedLine",
    "LateEvent",
    "MalformedBillingSettings",
    "MalformedUsageAlert",
    "NegativeTotal",
    "Parked",
    "ParkedSubscription",
    "Payment",
    "PaymentRequest",
    "PaymentTerms",
    "PlannedRun",
    "Proforma",
    "Proof",
    "Quote",
    "QuoteExpired",
    "QuoteOutdated",
    "Receipt",
    "RefundRequest",
    "RunProgress",
    "RunTotal",
    "Statement",
    "StatementEntry",
    "TaxedLine",
    "TermsKind",
    "UsageAlert",
    "accept_quote",
    "bill",
    "bill_ordered_top_ups",
    "bill_top_ups",
    "billing_settings",
    "charge_once",
    "cost_so_far",
    "credit_invoice",
    "customer_statements",
    "default_billing_settings",
    "drafts_of",
    "explain_line",
    "finalise_drafts",
    "find_document",
    "find_proforma",
    "find_refund_request",
    "find_run",
    "follow_usage",
    "grant_credit",
    "late_usage",
    "list_documents",
    "list_proformas",
    "list_refund_requests",
    "list_runs",
    "make_proforma",
    "mark_refunded",
    "parked_subscriptions",
    "pending_adjustments",
    "plan_run",
    "prefetch_taxes",
    "prove",
    "quote_change",
    "record_payment",
    "refund_requests",
    "remove_usage_alert",
    "request_refund",
    "sell_credits",
    "set_billing_settings",
    "set_usage_alert",
    "set_usage_thresholds",
    "settings_to_json",
    "settle_now",
    "subscriptions_with_alerts",
    "tell_alerts",
    "usage_alerts",
    "void_invoice",
    "write_off",
]
