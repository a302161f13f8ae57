"""Override the rates of a customer, with a proof; and end an override."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tenor.kernel.ids import new_id, to_wire
from tenor.kernel.period import format_instant
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes.model import TaxOverride, rates_to_json
from tenor.taxes.store import add_override, end_override


def override_tax(uow: UnitOfWork, override: TaxOverride, *, now: datetime, actor: str, reason: str) -> UUID:
    """Let `override` replace all other rates of its customer; return its id.

    Of several that hold at once the newest counts. An override without rates means no tax at all.

    Raises:
        NotFound: the customer is none of this tenant.
    """
    override_id = new_id(now)
    add_override(uow, override_id, override, created_at=now)
    after: dict[str, Any] = {
        "override_id": to_wire("tov", override_id),
        "rates": rates_to_json(override.rates),
        "audit_reference": override.audit_reference,
        "valid_from": format_instant(override.valid_from),
        "valid_to": None if override.valid_to is None else format_instant(override.valid_to),
    }
    record(uow, [Deed(actor, "tax.override", "customer", override.customer_id, reason, now, after=after)])
    publish(uow, [Event("tax.overridden", override.customer_id, after, now)])
    return override_id


def end_tax_override(
    uow: UnitOfWork, override_id: UUID, *, at: datetime, now: datetime, actor: str, reason: str
) -> None:
    """Let an override end at an instant; documents that it was used for stay as they are.

    Raises:
        TaxOverrideNotFound: there is none of this id that still holds by then.
    """
    customer_id = end_override(uow, override_id, at=at)
    after = {"override_id": to_wire("tov", override_id), "valid_to": format_instant(at)}
    record(uow, [Deed(actor, "tax.end_override", "customer", customer_id, reason, now, after=after)])
    publish(uow, [Event("tax.override_ended", customer_id, after, now)])
