"""Usage is counted once: sent by many at the same time, and by a process that is killed in the middle."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tenor.kernel.ids import TenantId
from tenor.metering import UsageEvent, UsageReceipt, record_usage
from tenor.metering.rules.acceptance import identity_of
from tenor.platform.database import Database
from tests.integration.metering.conftest import NOW, Furnish
from tests.support.postgres import Server

SENDERS: Final = 50
START: Final = datetime(2026, 5, 4, 8, 59, 30, tzinfo=UTC)


def batch(size: int) -> list[UsageEvent]:
    """Return events of two hours, customers and metrics: 1 + 2 + … units."""
    return [
        UsageEvent(
            f"e{n}",
            START + timedelta(seconds=n),
            {"n": n + 1, "user": str(n % 7)},
            "gw",
            ("tokens", "seats", "level")[n % 3],
            ("acme", "blue")[n % 2],
        )
        for n in range(size)
    ]


def test_one_batch_sent_fifty_times_at_once_counts_once(database: Database, tenant: TenantId, furnish: Furnish) -> None:
    with database.transaction(tenant) as uow:
        furnish(uow)
    events, taken, failures = batch(60), list[int](), list[BaseException]()
    start = threading.Barrier(SENDERS)

    def send(number: int) -> None:
        mine = events if number % 2 else events[::-1]  # half of them in the other order
        try:
            start.wait()
            with database.transaction(tenant) as uow:
                taken.append(len(record_usage(uow, mine, now=NOW, strict=True).accepted))
        except BaseException as error:  # noqa: BLE001  # told below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(taken) == [0] * (SENDERS - 1) + [60]
    with database.transaction(tenant) as uow:
        assert uow.fetch_all("select count(*), sum(value) from usage_events where metric_code = 'tokens'") == [
            (20, sum(range(1, 60, 3)))  # 1 + 4 + … + 58
        ]
        assert uow.fetch_all(
            "select sum(event_count), sum(total) from usage_hours h join usage_series s on s.id = h.series_id"
            " where s.metric_code = 'tokens'"
        ) == [(20, sum(range(1, 60, 3)))]


def test_batches_that_overlap_wait_for_each_other_and_count_each_event_once(
    database: Database, tenant: TenantId, furnish: Furnish
) -> None:
    """Eight senders, each with batches of which half were sent by the one before, all of the same two hours.

    Some find nothing in their way and some do, so that both ways of writing meet on the same keys and hours.
    """
    with database.transaction(tenant) as uow:
        furnish(uow)
        record_usage(uow, [UsageEvent("first", START, metric_code="calls", customer="acme")], now=NOW, strict=True)
    events, failures = batch(360), list[BaseException]()
    start = threading.Barrier(8)

    def send(number: int) -> None:
        try:
            start.wait()
            for first in range(0, 320, 20):
                shifted = (first + 40 * number) % 320
                mine = events[shifted : shifted + 40]
                with database.transaction(tenant) as uow:
                    record_usage(uow, mine[::-1] if number % 2 else mine, now=NOW, strict=True)
        except BaseException as error:  # noqa: BLE001  told below, in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with database.transaction(tenant) as uow:
        assert uow.fetch_all("select count(*), sum(value) from usage_events where metric_code = 'tokens'") == [
            (114, sum(range(1, 341, 3)))  # the last batch ends with event 339: 1 + 4 + … + 340
        ]
        assert uow.fetch_all(
            "select s.metric_code, sum(event_count), sum(total) from usage_hours h join usage_series s"
            " on s.id = h.series_id where s.metric_code in ('tokens', 'level') group by 1 order by 1"
        ) == [
            ("level", 113, sum(range(3, 340, 3))),  # 3 + 6 + … + 339
            ("tokens", 114, sum(range(1, 341, 3))),
        ]


def test_a_batch_waits_for_the_first_key_that_another_holds_and_holds_nothing_that_comes_after_it(
    database: Database, tenant: TenantId, furnish: Furnish
) -> None:
    """One transaction takes `held`, and while a batch waits for it, a later key and an hour that the batch has too.

    Usage has come before, so that nothing has to be made first and nobody waits for that.
    """
    with database.transaction(tenant) as uow:
        furnish(uow)
        record_usage(uow, [UsageEvent("first", START, metric_code="calls", customer="acme")], now=NOW, strict=True)
    early, held, late = sorted((f"e{n}" for n in range(3)), key=lambda event_id: identity_of("gw", event_id))
    receipts: list[UsageReceipt] = []

    def used(event_id: str, customer: str) -> UsageEvent:
        return UsageEvent(event_id, START, {"n": 1}, "gw", "tokens", customer)

    def send() -> None:
        with database.transaction(tenant) as uow:
            mine = [used(late, "blue"), used(held, "acme"), used(early, "blue")]
            receipts.append(record_usage(uow, mine, now=NOW, strict=True))

    with database.transaction(tenant) as uow:
        record_usage(uow, [used(held, "acme")], now=NOW, strict=True)
        other = threading.Thread(target=send)
        other.start()
        while other.is_alive() and uow.fetch_one("select from pg_locks where not granted") is None:
            time.sleep(0.01)
        assert record_usage(uow, [used(late, "blue")], now=NOW, strict=True).accepted == (0,)
    other.join()

    assert [(one.accepted, one.duplicates) for one in receipts] == [((2,), (0, 1))]
    with database.transaction(tenant) as uow:
        assert uow.fetch_all(
            "select c.external_id, h.event_count, h.total from usage_hours h join usage_series s on s.id = h.series_id"
            " join customers c on c.id = s.customer_id where s.metric_code = 'tokens' order by 1"
        ) == [("acme", 1, 1), ("blue", 2, 2)]


_SENDER: Final = """
import sys
from datetime import datetime, timedelta, UTC
from uuid import UUID
from tenor.kernel.ids import TenantId
from tenor.metering import UsageEvent, UsageReceipt, record_usage
from tenor.metering.rules.acceptance import identity_of
from tenor.platform.database import Database
from tenor.platform.settings import Settings

now = datetime(2026, 6, 1, tzinfo=UTC)
with Database.open(Settings.from_environment()) as database:
    for number in range(10_000):
        events = [
            UsageEvent(f"{number}-{n}", now - timedelta(minutes=number), {"n": 1}, "gw", "tokens", "acme")
            for n in range(20)
        ]
        with database.transaction(TenantId(UUID(sys.argv[1]))) as uow:
            record_usage(uow, events, now=now, strict=True)
        print(number, flush=True)
"""


def test_a_sender_that_is_killed_has_lost_nothing_that_was_acknowledged(
    server: Server, database: Database, tenant: TenantId, furnish: Furnish, tmp_path: Path
) -> None:
    with database.transaction(tenant) as uow:
        furnish(uow)
        (name,) = uow.fetch_all("select current_database()")[0]
    settings = server.settings(name)
    environment = {
        **os.environ,
        "TENOR_DATABASE_URL": settings.database_url or "",
        "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
        "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
    }
    log = tmp_path / "acknowledged"
    with log.open("w") as told:
        sender = subprocess.Popen([sys.executable, "-c", _SENDER, str(tenant)], stdout=told, env=environment)
    deadline = time.monotonic() + 60
    while len(log.read_text().splitlines()) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    sender.kill()
    sender.wait()
    acknowledged = len(log.read_text().splitlines())

    with database.transaction(tenant) as uow:
        ((batches, least, most),) = uow.fetch_all(
            "select count(*), min(n), max(n) from ("
            " select count(*) as n from usage_events group by split_part(event_id, '-', 1)) b"
        )
        ((added,),) = uow.fetch_all("select sum(total) from usage_hours")
    assert acknowledged >= 5
    assert batches in (acknowledged, acknowledged + 1)  # the last commit may not have been told any more
    assert (least, most) == (20, 20)  # never half a batch
    assert added == 20 * batches
