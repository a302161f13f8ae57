"""Planner statistics, refreshed where tables have grown since the planner last looked."""

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database


def refresh_statistics(database: Database, tenant_id: TenantId) -> int:
    """Analyse the tables that have more than doubled since they were analysed; return how many.

    Call it before work that reads what a bulk write has just written: statements planned for an empty
    table read a whole one for each row. A transaction of its own, and cheap when nothing has grown.
    """
    with database.transaction(tenant_id) as uow:
        row = uow.fetch_one("select tenor.refresh_statistics()")
    return row[0] if row else 0
