"""The HTTP API beside a bare endpoint; on its own: `python -m tools.benchmark.api [--seconds N]`.

Both are served by uvicorn in a process of their own, with the same framework, driver and database server. The bare
endpoint does one INSERT. The API looks its key up, does the operation with its audit record and its event, and keeps
its answer for a repetition.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from tenor.access import create_key
from tenor.customers import CustomerDetails, register_customers
from tenor.kernel.period import Period
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.partitions import prepare_partitions
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant
from tenor.pricing import apply_price_book, read_price_book
from tenor.subscriptions import NewSubscription, subscribe
from tools.benchmark.ingest import CUSTOMERS, NOW, OPENING
from tools.benchmark.load import Load, Request, measure_load
from tools.benchmark.server import private_server

SECONDS: Final = 5.0
CALLERS: Final = 8
SENDERS: Final = 4
BATCHES: Final = (100, 1_000)
START_SECONDS_MAX: Final = 60
_ROOT: Final = Path(__file__).resolve().parents[2]
_BOOK: Final = b"""\
price_book: bench
currency: EUR
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: api, name: API}
metrics:
  - {code: tokens, name: Tokens, aggregation: sum, field: n, unit: token}
features:
  - {code: export, name: Export}
plans:
  - code: team
    name: Team
    product: api
    interval: month
    features: [export: 10]
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 8.00, quantity: 3}
      - {code: tokens, name: Tokens, kind: usage, metric: tokens, unit_amount: "0.00001"}
"""


@dataclass(frozen=True, slots=True)
class ApiFigures:
    """The bare endpoint, and what was asked of the API."""

    bare: Load
    loads: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class _Served:
    """A process that answers on a port of loopback."""

    port: int
    pid: int

    def load(self, name: str, requests: Callable[[int], Request], *, seconds: float, events_per_call: int = 0) -> Load:
        """Return what callers come to."""
        callers = SENDERS if events_per_call else CALLERS
        return measure_load(
            name,
            requests,
            port=self.port,
            pid=self.pid,
            callers=callers,
            seconds=seconds,
            events_per_call=events_per_call,
        )


def measure_api(parent: Path | None, *, seconds: float, is_synced: bool) -> ApiFigures:
    """Measure each kind of call for so many seconds on a private server inside `parent` (None: the system's folder)."""
    with private_server(parent, is_synced=is_synced) as server:
        secret = _found_company(server.base)
        with server.clone() as settings:
            environment = _environment(settings, server.folder)
            with _served([sys.executable, "-m", "tools.benchmark.bare"], environment) as bare:
                floor = bare.load("bare endpoint, one INSERT", _bare_call, seconds=seconds)
            tenor = [str(Path(sys.executable).parent / "tenor"), "serve", "--calls-per-minute", "100000000", "--port"]
            with _served(tenor, environment) as api:
                calls = _Calls(secret)
                loads = [
                    api.load("create customer", calls.create_customer, seconds=seconds),
                    api.load("check entitlement", calls.check_entitlement, seconds=seconds),
                ]
                loads += [
                    api.load(f"usage, {size:,} events", calls.usage_of(size), seconds=seconds, events_per_call=size)
                    for size in BATCHES
                ]
                # Last, for it gives the customers more subscriptions than the one that their usage is charged to.
                loads.append(api.load("create subscription", calls.create_subscription, seconds=seconds))
    return ApiFigures(floor, tuple(loads))


def _bare_call(number: int) -> Request:
    return _post("/bare", {"name": f"customer {number}"}, {})


def _post(path: str, body: object, headers: Mapping[str, str]) -> Request:
    return Request("POST", path, json.dumps(body).encode(), {**headers, "Content-Type": "application/json"})


class _Calls:
    """What is asked of the API, by the number of the call; no number is asked twice."""

    def __init__(self, secret: str) -> None:
        self._key = {"Authorization": f"Bearer {secret}"}

    def create_customer(self, number: int) -> Request:
        """Return the call that creates a customer with personal data, which is sealed."""
        body = {"external_id": f"new-{number}", "name": f"Customer {number}", "email": f"{number}@example.com"}
        return _post("/v1/customers", body, self._once())

    def create_subscription(self, number: int) -> Request:
        """Return the call that subscribes one of the customers."""
        body = {"customer": f"customer-{number % CUSTOMERS}", "plan": "team", "external_id": f"more-{number}"}
        return _post("/v1/subscriptions", body, self._once())

    def check_entitlement(self, number: int) -> Request:
        """Return the call that asks whether a customer may use a feature."""
        path = f"/v1/customers/customer-{number % CUSTOMERS}/entitlements/export"
        return Request("GET", path, None, self._key)

    def usage_of(self, size: int) -> Callable[[int], Request]:
        """Return what sends usage events in batches of a size; each event is another one.

        The text is put together by hand: what the sender takes of the two cores, the API does not have.
        """
        first, headers = size * 10_000_000, {**self._key, "Content-Type": "application/json"}

        def batch(number: int) -> Request:
            begin = first + number * size
            told = ",".join(_event(n) for n in range(begin, begin + size))
            return Request("POST", "/v1/usage/events", f"[{told}]".encode(), headers)

        return batch

    def _once(self) -> dict[str, str]:
        return {**self._key, "Idempotency-Key": uuid4().hex}


def _event(n: int) -> str:
    """Return the event of a number: forty in a second, in the order of their numbers; ids are spread over the guard."""
    second = n // 40
    at = f"2026-06-{1 + second // 86_400 % 28:02}T{second // 3_600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    name, model = f"{n * 0x9E3779B97F4A7C15 % 2**64:016x}", ("small", "large")[n % 2]
    return (
        f'{{"event_id":"{name}","customer":"customer-{n % CUSTOMERS}","metric":"tokens","occurred_at":"{at}",'
        f'"properties":{{"n":{n % 9_973},"model":"{model}"}}}}'
    )


def _found_company(settings: Settings) -> str:
    """Migrate the database and make a tenant with customers that hold a plan; return the text of its key."""
    with Database.open(settings) as database:
        migrate(database)
        tenant_id = create_tenant(database, slug="bench", name="Bench", is_sandbox=True, clock_at=NOW)
        with database.transaction(tenant_id) as uow:
            apply_price_book(uow, read_price_book(_BOOK), actor="bench", now=OPENING)
            details = [CustomerDetails(external_id=f"customer-{n}", name=f"Customer {n}") for n in range(CUSTOMERS)]
            ids = register_customers(uow, details, now=OPENING, actor="benchmark", reason="made for it")
            held = [
                NewSubscription(external_id=f"held-{name}", customer_id=customer_id, plan="team", starts_at=OPENING)
                for name, customer_id in ids.items()
            ]
            subscribe(uow, held, now=OPENING, actor="bench", reason="benchmark")
            prepare_partitions(uow, "usage_events", Period(OPENING, NOW))
            issued = create_key(uow, name="bench", now=OPENING, actor="bench", reason="benchmark")
        with database.setup() as connection:
            connection.execute("vacuum (analyze)")
    return issued.text


def _environment(settings: Settings, folder: Path) -> dict[str, str]:
    """Return the variables that lead a process to the database."""
    return os.environ | {
        "TENOR_DATABASE_URL": settings.database_url or "",
        "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
        "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
        "TENOR_KEYS_FILE": str(folder / "keys"),
    }


@contextmanager
def _served(command: list[str], environment: Mapping[str, str]) -> Iterator[_Served]:
    """Run a command, with a free port as its last word, until the end of the block; yield once it answers.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with subprocess.Popen([*command, str(port)], env=environment, cwd=_ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(process, port)
            yield _Served(port, process.pid)
        finally:
            process.terminate()


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not answer")


def main() -> None:
    """Measure and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="api", description="Measure the HTTP API beside a bare endpoint.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"of each kind of call (default {SECONDS:g})")
    parser.add_argument("--folder", type=Path, help="where to keep the data meanwhile (default: the system's)")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    figures = measure_api(options.folder, seconds=options.seconds, is_synced=True)
    told = [
        {**asdict(one), "per_second": round(one.per_second), "events_per_second": round(one.events_per_second)}
        for one in (figures.bare, *figures.loads)
    ]
    sys.stdout.write(json.dumps({"loads": told, "load_average": load}, indent=2) + "\n")


if __name__ == "__main__":
    main()
