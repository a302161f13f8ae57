"""Charge a customer once, beside all plans."""

from datetime import datetime

from tenor.invoicing.adjusting import Adjusted, AdjustmentRequest, adjust
from tenor.invoicing.adjustments import AdjustmentKind
from tenor.platform.unit_of_work import UnitOfWork


def charge_once(
    uow: UnitOfWork, request: AdjustmentRequest, *, key: str, now: datetime, actor: str, reason: str
) -> Adjusted:
    """Charge what `request` says, once: now on a document of its own, or on the next invoice.

    Credit that the customer has pays for it first. The same `key` with the same request makes nothing new.

    Raises:
        RequestKeyReused: the key was used for something else.
        NotFound: no such customer, or no such subscription of it in this currency.
    """
    return adjust(uow, request, kind=AdjustmentKind.ONE_OFF, key=key, now=now, actor=actor, reason=reason)
