"""Ask the tax engine, where the operator names one, for what documents will need: always before their transaction."""

from collections.abc import Collection
from datetime import UTC, datetime

from tenor.kernel.ids import CustomerId, TenantId
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.pricing import tax_categories
from tenor.subscriptions import due_customers
from tenor.taxes import HttpTaxEngine, Prefetched, prefetch_quotes


def prefetch_taxes(
    database: Database,
    settings: Settings,
    tenant_id: TenantId,
    *,
    at: datetime,
    customer_ids: Collection[CustomerId] | None = None,
) -> Prefetched:
    """Have the answers of the tax engine at hand for documents issued at `at`; call it outside of transactions.

    `customer_ids` None: of everybody of whom something is due by then. What the engine fails to answer is answered by
    the table of rates, marked as a fallback; what that does not know either stays open, and is parked by the run.
    """
    if settings.tax_engine_url is None:
        return Prefetched()
    with database.transaction(tenant_id) as uow:
        customers = due_customers(uow, at) if customer_ids is None else customer_ids
        categories = tax_categories(uow)
    with HttpTaxEngine(settings.tax_engine_url, token=settings.tax_engine_token) as engine:
        return prefetch_quotes(
            database, tenant_id, customers, at=at, engine=engine, now=datetime.now(UTC), categories=categories
        )
