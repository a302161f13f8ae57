"""`tenor serve` as a process: ready, answering, and ended by a signal after what has begun."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx

from tenor.platform.database import Database
from tenor.platform.tenants import create_tenant
from tests.support.api import Caller, new_secret
from tests.support.postgres import Server
from tests.support.processes import wait_until

TENOR = Path(sys.executable).parent / "tenor"


def is_ready(client: httpx.Client) -> bool:
    """Whether the process answers, and its database too."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.ConnectError:
        return False


def test_a_signal_ends_the_process_after_what_has_begun(server: Server, template: str, tmp_path: Path) -> None:
    with server.fresh_database(template) as name, Database.open(server.settings(name)) as database:
        tenant = create_tenant(database, slug="acme", name="Acme")
        secret = new_secret(database, tenant)
        settings = server.settings(name)
        environment = os.environ | {
            "TENOR_DATABASE_URL": settings.database_url or "",
            "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
            "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
            "TENOR_KEYS_FILE": str(settings.keys_file or tmp_path / "keys"),
        }
        port = 20_000 + os.getpid() % 20_000
        with (
            (tmp_path / "log").open("w") as log,
            subprocess.Popen([str(TENOR), "serve", "--port", str(port)], env=environment, stderr=log) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
        ):
            wait_until(lambda: is_ready(client), seconds=30)
            caller = Caller(client, secret)
            assert caller.get("/customers/nobody").status_code == 404
            slow: list[httpx.Response] = []
            with database.transaction(tenant) as uow:  # holds the turn of the call, so that it waits
                uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"idempotency {tenant} k"])
                waiting = threading.Thread(
                    target=lambda: slow.append(caller.post("/customers", {"external_id": "acme"}, key="k"))
                )
                waiting.start()
                wait_until(lambda: is_waiting(server, name))
                process.send_signal(signal.SIGTERM)
            waiting.join(30)
            assert process.wait(30) == 0
        assert [one.status_code for one in slow] == [201]
        told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
        assert told[-1]["route"] == "/v1/customers"
        assert ("/v1/customers/{customer}", "customer_not_found") in {(one["route"], one.get("code")) for one in told}
        assert told[-1]["tenant"] == "acme"
        assert secret not in (tmp_path / "log").read_text()


def is_waiting(server: Server, name: str) -> bool:
    """Whether somebody waits for a turn."""
    with server.superuser(name) as connection:
        row = connection.execute("select count(*) from pg_locks where locktype = 'advisory' and not granted").fetchone()
    return row is not None and row[0] > 0
