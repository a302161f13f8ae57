"""`tenor work`: every tenant gets what is due, once, and one that cannot be billed keeps nobody waiting."""

import os
import signal
import subprocess
import sys

from tenor.platform.database import Database
from tests.integration.cli.conftest import BOOK, Shell


def test_what_is_due_is_done_for_every_tenant_and_only_once(tenor: Shell) -> None:
    for slug, options in (("acme", ()), ("broken", ()), ("lab", ("--sandbox", "--clock", "2026-01-01T00:00:00Z"))):
        tenor.done("tenant", "create", slug, *options)
        tenor.done("catalog", "apply", tenor.file("acme.yaml", BOOK), "-t", slug)
        tenor.done("customer", "add", "globex", "-t", slug)
        tenor.done("subscription", "create", "one", "--customer", "globex", "--plan", "team", "-t", slug)
    with Database.open(tenor.server.settings(tenor.database)) as database, database.auditor() as connection:
        (broken,) = connection.execute("select tenant_id from tenants where slug = 'broken'").fetchone() or (None,)
    with tenor.server.superuser(tenor.database) as connection:  # somebody changes a price behind the engine's back
        connection.execute("alter table tenor.plan_versions disable trigger all")
        connection.execute("update tenor.plan_versions set name = 'Cheaper' where tenant_id = %s", [broken])

        connection.execute(
            "insert into tenor.idempotency_answers (tenant_id, key, fingerprint, status, body, answered_at, expires_at)"
            " select tenant_id, 'k' || days, sha256(''), 200, '', now() - days * interval '25 h',"
            " now() - days * interval '25 h' + interval '24 h' from tenor.tenants cross join generate_series(0, 1) days"
        )

    first = tenor("work", "--once", "--json")
    assert first.json == {"passes": 1, "runs": 1, "documents": 1, "refusals": 1}
    assert first.err.startswith("broken:")
    assert first.err.rstrip().endswith("(tampered_plan_version)")
    with Database.open(tenor.server.settings(tenor.database)) as database, database.auditor() as connection:
        kept = connection.execute("select key, count(*) from idempotency_answers group by key").fetchall()
    assert kept == [("k0", 3)]  # what has expired is gone, of a tenant with a clock of its own too
    second = tenor("work", "--once", "--json")
    assert second.json == {"passes": 1, "runs": 1, "documents": 0, "refusals": 1}
    assert tenor.done("invoice", "list", "--json", "-t", "lab").json["documents"] == []  # it has a clock of its own


def test_it_ends_after_what_it_has_begun_when_told_to(tenor: Shell) -> None:
    tenor.done("tenant", "create", "acme")
    settings = tenor.server.settings(tenor.database)
    environment = {
        **os.environ,
        "TENOR_DATABASE_URL": settings.database_url or "",
        "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
        "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
    }
    command = [
        sys.executable,
        "-c",
        "import tenor.cli; raise SystemExit(tenor.cli.main())",
        "work",
        "--every",
        "1",
        "--json",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as worker:
        with Database.open(settings) as database:
            while not _has_run(database):
                assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        output, _ = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert '"refusals": 0' in output


def _has_run(database: Database) -> bool:
    with database.auditor() as connection:
        return bool(connection.execute("select 1 from bill_runs where finished_at is not null").fetchone())
