"""Ingest usage: a JSON document as it was sent, flat or CloudEvents, one event or a list of them."""

from datetime import datetime

from tenor.kernel.strict_json import NotJson
from tenor.metering.model import UsageEvent
from tenor.metering.operations.record_usage import Rejection, UsageReceipt, take
from tenor.metering.queries import find_metrics
from tenor.metering.rules.forms import ReadingTerms, Unreadable, read_events
from tenor.metering.store.rejections import Refused, keep_rejections
from tenor.platform.unit_of_work import UnitOfWork


def ingest_usage(uow: UnitOfWork, document: bytes, *, default_source: str, now: datetime) -> UsageReceipt:
    """Keep the events of a document that were not kept before; see `record_usage` for what becomes of each.

    Positions count the records from 0. What cannot be read as an event is rejected and put by like one that cannot
    be taken.

    Raises:
        NotJson: the document as a whole cannot be read; nothing of it is put by.
    """
    metrics = find_metrics(uow)
    found = read_events(document, ReadingTerms(metrics, default_source))
    _require_document(document, found)
    readable = ((position, one) for position, one in enumerate(found) if isinstance(one, UsageEvent))
    receipt = take(uow, readable, metrics, now=now)
    unreadable = [Rejection(*one) for one in found if isinstance(one, Unreadable)]
    rejected = tuple(sorted([*receipt.rejected, *unreadable]))
    keep_rejections(uow, [Refused(entry.payload, entry.field, entry.reason) for entry in rejected], now=now)
    return UsageReceipt(receipt.accepted, receipt.duplicates, receipt.conflicts, rejected, receipt.touched)


def _require_document(document: bytes, found: list[UsageEvent | Unreadable]) -> None:
    """Refuse what is neither an object nor a list: nobody could say which event is meant to be in it."""
    if document.lstrip()[:1] not in {b"{", b"["}:
        raise NotJson("the body is neither a JSON object nor a list of them")
    match found:
        case [Unreadable(field="", reason=reason)] if reason.startswith("is not JSON"):
            raise NotJson(f"the body {reason}")
        case _:
            pass
