"""Ask the tax engine, where the operator names one, before the transaction that needs its answer."""

from collections.abc import Callable
from datetime import datetime

from tenor.api.call import Call
from tenor.invoicing import prefetch_taxes
from tenor.kernel.ids import CustomerId
from tenor.platform.unit_of_work import UnitOfWork


def ask_for_taxes(call: Call, buyer: Callable[[UnitOfWork], CustomerId], *, at: datetime | None = None) -> None:
    """Have the rates of a customer at hand, as of an instant; the tenant's now where none is given."""
    engine = call.engine
    if engine.settings.tax_engine_url is None:
        return
    with call.transaction() as work:
        customer = buyer(work.uow)
    prefetch_taxes(
        engine.database, engine.settings, call.credential.tenant_id, at=at or work.now, customer_ids=[customer]
    )
