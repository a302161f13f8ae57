"""Invoicing: owed, settle, documents, the bill run, and the proof of all of it."""

from tenor.invoicing.bill_run.plan import PlannedRun
from tenor.invoicing.bill_run.run import BatchSummary, BillRunReport, bill
from tenor.invoicing.explain import explain_line
from tenor.invoicing.proof import Finding, Proof
from tenor.invoicing.prove import prove
from tenor.invoicing.queries import (
    DocumentSummary,
    IssuedDocument,
    IssuedLine,
    find_document,
    list_documents,
)

__all__ = [
    "BatchSummary",
    "BillRunReport",
    "DocumentSummary",
    "Finding",
    "IssuedDocument",
    "IssuedLine",
    "PlannedRun",
    "Proof",
    "bill",
    "explain_line",
    "find_document",
    "list_documents",
    "prove",
]
