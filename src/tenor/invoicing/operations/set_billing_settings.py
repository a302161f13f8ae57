"""Set how a customer, or every customer without a setting of its own, is billed."""

from datetime import datetime

from tenor.invoicing.billing_settings import (
    BillingSettingsChange,
    save_billing_settings,
    settings_to_json,
)
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork


def set_billing_settings(
    uow: UnitOfWork,
    customer_id: CustomerId | None,
    change: BillingSettingsChange,
    *,
    now: datetime,
    actor: str,
    reason: str,
) -> None:
    """Set what `change` names, for a customer or (None) for every customer without a setting of its own.

    Documents that are issued keep what they were issued with.

    Raises:
        NotFound: no such customer.
    """
    if customer_id is not None and uow.fetch_one("select from customers where id = %s", [customer_id]) is None:
        raise NotFound(f"there is no customer {to_wire('cus', customer_id)}")
    save_billing_settings(uow, customer_id, change)
    holder, holder_id = ("tenant", uow.tenant_id) if customer_id is None else ("customer", customer_id)
    facts = settings_to_json(change)
    tell(uow, f"{holder}.billing_settings_changed", holder_id, facts, now=now, actor=actor, reason=reason)
