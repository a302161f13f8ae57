"""Make a proforma: a numbered preview of an invoice over given lines."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from tenor.invoicing.adjusting import AdjustmentRequest
from tenor.invoicing.model import AdjustmentKey, Line
from tenor.invoicing.outside_runs import party_of
from tenor.invoicing.proformas import Proforma, find_proforma, insert_proforma
from tenor.invoicing.request_keys import made_before, remember
from tenor.invoicing.rules.documents import Occasion, draft_documents
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import AdjustmentId, new_id
from tenor.kernel.period import Period
from tenor.platform.audit import Deed, record
from tenor.platform.unit_of_work import UnitOfWork

_OPERATION: Final = "make_proforma"
_INSTANT: Final = timedelta(microseconds=1)


def make_proforma(
    uow: UnitOfWork, requests: Sequence[AdjustmentRequest], *, key: str, now: datetime, actor: str, reason: str
) -> Proforma:
    """Write what a one-off invoice over `requests` would say, under a number of a series of its own.

    The requests are for one customer, subscription, currency and tax mode. Nothing is claimed, booked or owed by
    it. The same `key` with the same content makes nothing new.

    Raises:
        Malformed: there are no requests, or they do not go on one document.
        NotFound: no such customer, or no such subscription of it in this currency.
        RequestKeyReused: the key was used for something else.
    """
    if len({(one.customer_id, one.subscription_id, one.currency, one.tax_mode) for one in requests}) != 1:
        raise Malformed("a proforma has lines of one customer, subscription, currency and tax mode")
    content = {"lines": [one.content for one in requests]}
    known = made_before(uow, _OPERATION, key, content)
    if known is not None:
        return find_proforma(uow, known)
    first = requests[0]
    party = party_of(
        uow,
        first.customer_id,
        subscription_id=first.subscription_id,
        currency=first.currency,
        tax_mode=first.tax_mode,
        at=now,
    )
    lines = [
        Line(
            # No adjustment is written for it: the key only tells the lines apart.
            key=AdjustmentKey(AdjustmentId(new_id(now)), one.period or Period(now, now + _INSTANT)),
            amount_minor=one.amount_minor,
            due_at=now,
            is_deferred=False,
            description=one.description,
            trace={},
            subscription_id=one.subscription_id,
            tax_category=one.tax_category,
        )
        for one in requests
    ]
    (draft,) = draft_documents(lines, party, Occasion(now, now, mark=f"{_OPERATION} {key}".encode()))
    insert_proforma(uow, draft)
    remember(uow, _OPERATION, key, content, draft.id)
    facts: dict[str, object] = {"total_minor": draft.total_minor, "currency": draft.currency}
    record(uow, [Deed(actor, "proforma.made", "proforma", draft.id, reason, now, after=facts)])
    return find_proforma(uow, draft.id)
