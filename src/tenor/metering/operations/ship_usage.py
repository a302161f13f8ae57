"""Ship usage: send ClickHouse the shipments that wait for it."""

from datetime import datetime
from typing import Final

from tenor.kernel.ids import TenantId
from tenor.metering.clickhouse.shipments import is_relocated, note_shipped, waiting_shipments
from tenor.metering.home import clickhouse_of
from tenor.platform.database import Database

SHIPMENTS_MAX: Final = 10
"""Batches that are sent before they are noted, and held in memory."""


def ship_usage(database: Database, tenant_id: TenantId, *, now: datetime) -> int:
    """Send what waits and let go of it; return how many rows. Nothing where the tenant's usage was not relocated.

    A shipment is noted after ClickHouse has acknowledged it: whoever is interrupted in between, or does it at the same
    time, sends rows that are there already, which changes nothing. No transaction is open while it is sent.

    Raises:
        ClickHouseFailed: it did not answer, or refused; what it has not acknowledged waits on.
        ClickHouseUnknown: the settings name none.
    """
    shipped = 0
    while True:
        with database.transaction(tenant_id) as uow:
            shipments = waiting_shipments(uow, limit=SHIPMENTS_MAX) if is_relocated(uow) else []
            server = clickhouse_of(uow) if shipments else None
        if server is None:
            return shipped
        for shipment in shipments:
            server.insert("usage_events", shipment.rows)
        with database.transaction(tenant_id) as uow:
            shipped += note_shipped(uow, [shipment.id for shipment in shipments], now=now)
