"""Relocate the usage of a tenant from PostgreSQL to ClickHouse, once and for good."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from tenor.kernel.errors import Conflict, Refusal
from tenor.metering.clickhouse.http import ClickHouse
from tenor.metering.clickhouse.shipments import SHIPMENT_ROWS_MAX, all_rows, count_kept, is_relocated, note_relocation
from tenor.metering.clickhouse.statements import COUNT, TABLE
from tenor.metering.home import clickhouse_of
from tenor.metering.store.hours import lock_hours
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork


class UsageRelocationFailed(Refusal):
    """After all events were sent ClickHouse holds others than PostgreSQL; the tenant stays where it was."""

    code = "usage_relocation_failed"


def relocate_usage(
    uow: UnitOfWork,
    *,
    now: datetime,
    actor: str,
    reason: str,
    on_progress: Callable[[int], None] | None = None,
) -> int:
    """Copy all events of the tenant to ClickHouse, compare, and have usage taken and read there; return how many.

    Nobody can write usage of the tenant until the transaction ends. What an attempt that failed has copied is
    harmless, and the next one copies it again. The events in PostgreSQL stay as they are and are not read any more;
    identities and amendments are, for ever. `on_progress` is told the number of events copied so far.

    Raises:
        Conflict: the usage was relocated before.
        UsageRelocationFailed: ClickHouse does not hold the same number of events, or not the same sum.
        ClickHouseFailed: it did not answer.
        ClickHouseUnknown: the settings name none.
    """
    server = clickhouse_of(uow)
    lock_hours(uow)
    if is_relocated(uow):
        raise Conflict("the usage of this tenant was relocated to ClickHouse before")
    server.execute(TABLE)
    count = 0
    for rows in _blocks(all_rows(uow)):
        server.insert("usage_events", rows)
        count += len(rows)
        if on_progress is not None:
            on_progress(count)
    kept, held = count_kept(uow), _count_held(server, uow)
    if kept != held:
        raise UsageRelocationFailed(
            f"PostgreSQL counts {kept[0]:,} events that sum to {kept[1]}, ClickHouse {held[0]:,} that sum to {held[1]}"
        )
    note_relocation(uow, event_count=kept[0], total=kept[1], now=now)
    tell(
        uow,
        "usage.relocated",
        uow.tenant_id,
        {"to": "clickhouse", "event_count": kept[0], "total": str(kept[1])},
        now=now,
        actor=actor,
        reason=reason,
    )
    return count


def _blocks(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    for row in rows:
        block.append(row)
        if len(block) == SHIPMENT_ROWS_MAX:
            yield block
            block = []
    if block:
        yield block


def _count_held(server: ClickHouse, uow: UnitOfWork) -> tuple[int, Decimal]:
    ((count, total),) = server.fetch(COUNT, tenant=uow.tenant_id)
    return int(count), Decimal(total)
