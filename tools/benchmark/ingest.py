"""Usage ingested beside its floor; on its own: `python -m tools.benchmark.ingest [--events N] [--stored N N]`.

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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Final, NamedTuple

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
from tools.benchmark.process import cpu_seconds, step
from tools.benchmark.server import private_server

EVENTS: Final = 200_000
STORED: Final = (1_000_000, 10_000_000)
BATCH: Final = 1_000
STORING_BATCH: Final = 10_000
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
            register_customers(uow, details, now=OPENING, actor="benchmark", reason="made for it")
            prepare_partitions(uow, "usage_events", Period(OPENING, NOW))
    return tenant_id


class Effort(NamedTuple):
    """What one sender or connection took: from when until when, and how long it and its server process had a core.

    In seconds; times are of a clock that all processes share. None where the system does not tell.
    """

    begun: float
    ended: float
    client_cpu: float | None
    server_cpu: float | None


@dataclass(frozen=True, slots=True)
class UsageRun:
    """Events written by all senders together, with `stored` events there before. `seconds` is wall-clock time.

    The microseconds are those that the senders, or the server's processes, had a core for one event.
    `reading_milliseconds` is how long it takes to read the current usage of a customer at that size.
    """

    stored: int
    events: int
    seconds: float
    client_microseconds: float | None
    server_microseconds: float | None
    reading_milliseconds: float | None = None

    @property
    def per_second(self) -> float:
        """Events per second."""
        return self.events / self.seconds


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """The floor, and ingest into the empty table and at each size."""

    floor: UsageRun
    runs: tuple[UsageRun, ...]


def measure_usage(parent: Path | None, *, events: int, sizes: Sequence[int], is_synced: bool) -> UsageFigures:
    """Measure floor and ingest on a private server inside `parent` (None: the system's temporary folder).

    `sizes` are how many events are stored before each further run, ascending and each far above `events`.
    """
    with private_server(parent, is_synced=is_synced) as server:
        tenant_id = found_company(server.base)
        with server.clone() as measured:
            runs = [measure_ingest(measured, tenant_id, stored=0, count=events)]
            batches = encoded_batches(measured, runs[0].events)
            with server.clone() as empty:
                floor = measure_floor(empty, batches)
            del batches
            for size in sizes:
                store(measured, tenant_id, runs[-1].stored + runs[-1].events, size)
                reading = measure_reading(measured, tenant_id)
                run = measure_ingest(measured, tenant_id, stored=size, count=events)
                runs.append(replace(run, reading_milliseconds=reading))
    return UsageFigures(floor, tuple(runs))


def measure_ingest(settings: Settings, tenant_id: TenantId, *, stored: int, count: int) -> UsageRun:
    """Return what the senders do together, each in a process of its own."""
    efforts = _send_all(settings, tenant_id, stored, count, BATCH)
    return _together(efforts, stored=stored, events=count // SENDERS * SENDERS)


def _send_all(settings: Settings, tenant_id: TenantId, first: int, count: int, size: int) -> list[Effort]:
    context = get_context("spawn")
    start, efforts = context.Barrier(SENDERS), context.SimpleQueue()
    share = count // SENDERS
    senders = [
        context.Process(target=_send, args=(settings, tenant_id, first + share * number, share, size, start, efforts))
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
        if sender.exitcode != 0:
            raise RuntimeError(f"a sender ended with {sender.exitcode}")
    return [efforts.get() for _ in senders]


def _send(
    settings: Settings,
    tenant_id: TenantId,
    first: int,
    count: int,
    size: int,
    start: threading.Barrier,
    efforts: "SimpleQueue[Effort]",
) -> None:
    with Database.open(settings) as database:
        with database.transaction(tenant_id) as uow:
            backend = uow.connection.info.backend_pid
        starts = range(first, first + count, size)
        # Those of a measured run are made before it; of what is only stored there may be too many.
        batches = (events(begin, min(size, first + count - begin)) for begin in starts)
        prepared = list(batches) if size == BATCH else batches
        start.wait()
        server_cpu, client_cpu, begun = cpu_seconds(backend), time.process_time(), time.monotonic()
        for batch in prepared:
            with database.transaction(tenant_id) as uow:
                record_usage(uow, batch, now=NOW, strict=True)
        efforts.put(_effort(begun, client_cpu, server_cpu, backend))


def _effort(begun: float, client_cpu: float, server_cpu: float | None, backend: int) -> Effort:
    ended, after = time.monotonic(), cpu_seconds(backend)
    spent = None if server_cpu is None or after is None else after - server_cpu
    return Effort(begun, ended, time.process_time() - client_cpu, spent)


def _together(efforts: Sequence[Effort], *, stored: int, events: int) -> UsageRun:
    seconds = max(effort.ended for effort in efforts) - min(effort.begun for effort in efforts)

    def each(parts: Sequence[float | None]) -> float | None:
        return None if None in parts else sum(part or 0 for part in parts) / events * 1e6

    client, server = [effort.client_cpu for effort in efforts], [effort.server_cpu for effort in efforts]
    return UsageRun(stored, events, seconds, each(client), each(server))


def store(settings: Settings, tenant_id: TenantId, first: int, last: int) -> None:
    """Store events of these numbers in large batches, then have the tables vacuumed as in a system that has run."""
    with step(f"Storing usage up to {last:,} events", 1):
        _send_all(settings, tenant_id, first, last - first, STORING_BATCH)
        with Database.open(settings) as database, database.setup() as connection:
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


def measure_floor(settings: Settings, batches: list[dict[str, bytes]]) -> UsageRun:
    """Return what COPY does, a transaction for each batch, over as many connections as there are senders."""
    with Database.open(settings) as database, ExitStack() as stack:
        with database.owner() as owner:
            switch_row_level_security_off(owner)
        connections = [stack.enter_context(database.owner()) for _ in range(SENDERS)]

        def load(number: int) -> Effort:
            connection = connections[number]
            backend = connection.info.backend_pid
            server_cpu, client_cpu, begun = cpu_seconds(backend), time.thread_time(), time.monotonic()
            for batch in batches[number::SENDERS]:
                with connection.transaction(), connection.cursor() as cursor:
                    for table, rows in batch.items():
                        with cursor.copy(f"copy tenor.{table} from stdin (format binary)".encode()) as copy:
                            copy.write(rows)
            effort = _effort(begun, client_cpu, server_cpu, backend)
            return effort._replace(client_cpu=time.thread_time() - client_cpu)

        with ThreadPoolExecutor(SENDERS) as pool:
            efforts = list(pool.map(load, range(SENDERS)))
        return _together(efforts, stored=0, events=len(batches) * BATCH)


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
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="ingest", description="Measure how fast usage gets in, beside its floor.")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"events of each measurement (default {EVENTS:,})")
    parser.add_argument(
        "--stored", type=int, nargs="*", default=STORED, help="measure again with so many events stored"
    )
    parser.add_argument("--folder", type=Path, help="where to keep the data meanwhile (default: the system's)")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    figures = measure_usage(options.folder, events=options.events, sizes=options.stored, is_synced=True)
    shares = [round(100 * run.per_second / figures.floor.per_second, 1) for run in figures.runs]
    sys.stdout.write(json.dumps({**asdict(figures), "shares_of_floor_percent": shares, "load": load}, indent=2) + "\n")


if __name__ == "__main__":
    main()
