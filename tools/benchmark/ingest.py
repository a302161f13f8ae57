"""Usage ingested beside its floor: `python -m tools.benchmark.ingest [--events 400000] [--stored 1000000,10000000]`.

Ingest: batches of 1,000 events from two senders, each batch checked, deduplicated, added up by the hour and committed
to disk. Floor: binary COPY of exactly the rows that this wrote to the events and their guard, already encoded, by the
owner and without row-level security, over as many connections, a transaction for each batch. Nothing can keep the
same rows under the same keys faster than that.
"""

import argparse
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from tenor.customers import CustomerDetails, customer_ids, register_customers
from tenor.kernel.ids import TenantId
from tenor.kernel.period import Period
from tenor.metering import Span, Terms, UsageEvent, UsageWindow, find_metrics, record_usage, usage_totals
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.partitions import prepare_partitions
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant
from tenor.pricing import apply_price_book, read_price_book
from tenor.pricing.policy import profile
from tools.benchmark.floor import switch_row_level_security_off
from tools.benchmark.server import private_server

BATCH: Final = 1_000
SENDERS: Final = 2
CUSTOMERS: Final = 200
NOW: Final = datetime(2026, 6, 30, tzinfo=UTC)
OPENING: Final = datetime(2026, 6, 1, tzinfo=UTC)
TABLES: Final = ("usage_identities", "usage_events")

_EVENTS_PER_SECOND: Final = 40  # of event time: a batch spans 25 seconds, 400,000 events less than three hours
_BOOK: Final = b"""\
price_book: bench
currency: EUR
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: api, name: API}
metrics:
  - {code: tokens, name: Tokens, aggregation: sum, field: n, unit: token}
plans:
  - code: api
    name: API
    product: api
    interval: month
    charges:
      - code: tokens
        name: Tokens
        kind: usage
        metric: tokens
        model: matrix
        dimensions: [model]
        prices:
          - {when: {model: small}, model: standard, unit_amount: "0.01"}
        default: {model: standard, unit_amount: "0.02"}
"""


_BATCHES: Final = f"""
    create temporary table batches as
        select tenant_id, id, occurred_at,
               substring(sha256(convert_to(length(source) || ':' || source || event_id, 'UTF8')) for 16) as identity,
               (row_number() over (order by ordinal) - 1) / {BATCH} as number
        from tenor.usage_events;
    create index on batches (number);
    analyze batches;
"""


def events(first: int, count: int) -> list[UsageEvent]:
    """Return the events of these numbers; ids are spread over the whole guard, as those of senders are."""
    return [
        UsageEvent(
            event_id=f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}",
            source="gateway",
            customer=f"customer-{n % CUSTOMERS}",
            metric_code="tokens",
            occurred_at=OPENING + timedelta(seconds=n / _EVENTS_PER_SECOND),
            properties={"n": n % 9_973, "model": ("small", "large")[n % 2]},
        )
        for n in range(first, first + count)
    ]


def found_company(settings: Settings) -> TenantId:
    """Migrate the database and make the tenant with its price book, customers and partitions; return its id."""
    with Database.open(settings) as database:
        migrate(database)
        tenant_id = create_tenant(database, slug="bench", name="Bench", is_sandbox=True)
        with database.transaction(tenant_id) as uow:
            apply_price_book(uow, read_price_book(_BOOK), actor="bench", now=OPENING)
            details = [CustomerDetails(external_id=f"customer-{n}", name=f"Customer {n}") for n in range(CUSTOMERS)]
            register_customers(uow, details, now=OPENING)
            prepare_partitions(uow, "usage_events", Period(OPENING, NOW))
    return tenant_id


def measure_ingest(settings: Settings, tenant_id: TenantId, first: int, count: int) -> float:
    """Return the events per second that the senders get in together, each in a process of its own."""
    context = get_context("spawn")
    start = context.Barrier(SENDERS + 1)
    share = count // SENDERS
    senders = [
        context.Process(target=_send, args=(settings, tenant_id, first + share * number, share, start))
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    start.wait()
    begun = time.perf_counter()
    for sender in senders:
        sender.join()
        if sender.exitcode != 0:
            raise RuntimeError(f"a sender ended with {sender.exitcode}")
    return share * SENDERS / (time.perf_counter() - begun)


def _send(settings: Settings, tenant_id: TenantId, first: int, count: int, start: threading.Barrier) -> None:
    with Database.open(settings) as database:
        batches = [events(begin, BATCH) for begin in range(first, first + count, BATCH)]
        start.wait()
        for batch in batches:
            with database.transaction(tenant_id) as uow:
                record_usage(uow, batch, now=NOW, strict=True)


def store(settings: Settings, tenant_id: TenantId, first: int, last: int) -> None:
    """Store events of these numbers in large batches, then have the tables vacuumed as in a system that has run."""
    with Database.open(settings) as database:
        for begin in range(first, last, 20 * BATCH):
            with database.transaction(tenant_id) as uow:
                record_usage(uow, events(begin, min(20 * BATCH, last - begin)), now=NOW, strict=True)
        with database.setup() as connection:
            connection.execute("vacuum (analyze)")
            connection.execute("checkpoint")


def encoded_batches(settings: Settings, count: int) -> list[dict[str, bytes]]:
    """Return the rows of the first `count` events as binary COPY, a batch at a time and by table."""
    queries = {
        "usage_identities": "select i.* from batches join tenor.usage_identities i using (tenant_id, identity)"
        " where number = {number} order by identity",
        "usage_events": "select e.* from batches join tenor.usage_events e using (tenant_id, id, occurred_at)"
        " where number = {number} order by e.ordinal",
    }
    found = []
    with Database.open(settings) as database, database.owner() as owner, owner.cursor() as cursor:
        switch_row_level_security_off(owner)
        cursor.execute(_BATCHES)
        for number in range(count // BATCH):
            rows = {}
            for table, query in queries.items():
                with cursor.copy(f"copy ({query.format(number=number)}) to stdout (format binary)".encode()) as copy:
                    rows[table] = b"".join(bytes(block) for block in copy)
            found.append(rows)
    return found


def measure_floor(settings: Settings, batches: list[dict[str, bytes]]) -> float:
    """Return the events per second that COPY gets in, a transaction for each batch, over as many connections."""
    with Database.open(settings) as database, ExitStack() as stack:
        with database.owner() as owner:
            switch_row_level_security_off(owner)
        connections = [stack.enter_context(database.owner()) for _ in range(SENDERS)]

        def load(number: int) -> None:
            connection = connections[number]
            for batch in batches[number::SENDERS]:
                with connection.transaction(), connection.cursor() as cursor:
                    for table, rows in batch.items():
                        with cursor.copy(f"copy tenor.{table} from stdin (format binary)".encode()) as copy:
                            copy.write(rows)

        with ThreadPoolExecutor(SENDERS) as pool:
            begun = time.perf_counter()
            list(pool.map(load, range(SENDERS)))
            return len(batches) * BATCH / (time.perf_counter() - begun)


def measure_reading(settings: Settings, tenant_id: TenantId) -> float:
    """Return the milliseconds in which the current usage of one customer by model is read, the median of 101."""
    with Database.open(settings) as database, database.transaction(tenant_id) as uow:
        metric = find_metrics(uow)["tokens"]
        customer = customer_ids(uow, ["customer-7"])["customer-7"]
        took = []
        for n in range(101):
            span = Span(Period(OPENING, NOW - timedelta(minutes=n)))
            begun = time.perf_counter()
            usage_totals(
                uow, [UsageWindow(customer, metric, span, dimensions=("model",))], Terms(profile("tenor").metering)
            )
            took.append(time.perf_counter() - begun)
    return sorted(took)[50] * 1_000


def main() -> None:
    """Measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(prog="ingest", description="Measure how fast usage gets in, beside its floor.")
    parser.add_argument("--events", type=int, default=200_000, help="events of each measurement")
    parser.add_argument("--stored", type=int, nargs="*", default=[], help="measure again with so many events stored")
    parser.add_argument("--folder", type=Path, help="where to keep the data meanwhile (default: the system's)")
    options = parser.parse_args()

    def tell(**figures: object) -> None:
        shown = {name: round(figure, 2) if isinstance(figure, float) else figure for name, figure in figures.items()}
        sys.stdout.write(json.dumps({**shown, "load": round(os.getloadavg()[0], 1)}) + "\n")
        sys.stdout.flush()

    with private_server(options.folder, is_synced=True) as server:
        tenant_id = found_company(server.base)
        with server.clone() as measured:
            speed = measure_ingest(measured, tenant_id, 0, options.events)
            tell(stored=0, ingested_per_second=speed)
            batches = encoded_batches(measured, options.events)
            with server.clone() as empty:
                floor = measure_floor(empty, batches)
            tell(floor_per_second=floor, share_percent=100 * speed / floor)
            stored = options.events
            for size in options.stored:
                store(measured, tenant_id, stored, size)
                reading = measure_reading(measured, tenant_id)
                again = measure_ingest(measured, tenant_id, size, options.events)
                tell(stored=size, ingested_per_second=again, reading_milliseconds=reading)
                stored = size + options.events


if __name__ == "__main__":
    main()
