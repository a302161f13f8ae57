"""Where a tenant's usage is at home: in PostgreSQL, or, once it was relocated, in ClickHouse."""

from tenor.kernel.errors import Refusal
from tenor.metering.clickhouse.http import ClickHouse
from tenor.metering.clickhouse.shipments import is_relocated
from tenor.metering.clickhouse.usage import ClickHouseUsage
from tenor.metering.ports import UsageStore
from tenor.metering.store.postgresql import PostgresUsage
from tenor.platform.unit_of_work import UnitOfWork


class ClickHouseUnknown(Refusal):
    """The usage of a tenant is in ClickHouse, and nothing says where that is."""

    code = "clickhouse_unknown"


def store_of(uow: UnitOfWork) -> UsageStore:
    """Return the store that holds the tenant's usage.

    It follows from what was done with the tenant, not from how this process was started, so that no two processes
    can take the usage of one tenant to different places.

    Raises:
        ClickHouseUnknown: the tenant was relocated, and the settings name no ClickHouse.
    """
    return ClickHouseUsage(clickhouse_of(uow)) if is_relocated(uow) else PostgresUsage()


def clickhouse_of(uow: UnitOfWork) -> ClickHouse:
    """Return the ClickHouse that the settings name.

    Raises:
        ClickHouseUnknown: they name none.
    """
    url = uow.settings.clickhouse_url
    if url is None:
        raise ClickHouseUnknown("usage is in ClickHouse, or is to be: set TENOR_CLICKHOUSE_URL")
    return ClickHouse(url)
