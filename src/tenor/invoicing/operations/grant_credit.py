"""Give a customer something back, beside all plans: out of goodwill, or because a promise was broken."""

from datetime import datetime

from tenor.invoicing.adjusting import TEXT_LENGTH_MAX, Adjusted, AdjustmentRequest, adjust, require_text
from tenor.invoicing.adjustments import AdjustmentKind
from tenor.platform.unit_of_work import UnitOfWork


def grant_credit(
    uow: UnitOfWork,
    request: AdjustmentRequest,
    *,
    clause: str = "",
    key: str,
    now: datetime,
    actor: str,
    reason: str,
) -> Adjusted:
    """Credit what `request` says: now by a credit note of its own, or as a line of the next invoice.

    With a `clause` of the contract it is a penalty for a broken service level. A credit note's total goes to the
    customer's credit, or is asked to be refunded, as the customer's billing settings say. The same `key` with
    the same request makes nothing new.

    Raises:
        RequestKeyReused: the key was used for something else.
        NotFound: no such customer, or no such subscription of it in this currency.
    """
    if clause:
        require_text(clause, name="clause", length_max=TEXT_LENGTH_MAX)
    kind = AdjustmentKind.SLA_CREDIT if clause else AdjustmentKind.MANUAL_CREDIT
    return adjust(uow, request, kind=kind, clause=clause, key=key, now=now, actor=actor, reason=reason)
