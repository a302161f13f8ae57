"""The connection of a bill run is cut before its first statement, before its second, and so on to the last."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tenor.platform.database import Database
from tests.integration.invoicing.conftest import EVE, Copy, written
from tests.support.company import Company, instant
from tests.support.postgres import Server

WRITTEN_BY_A_BATCH = (
    "invoices",
    "invoice_lines",
    "transfers",
    "claims",
    "customer_credits",
    "document_series",
    "billing_positions",
    "bill_run_items",
)
STATEMENTS = ("execute", "executemany", "copy")


def test_a_connection_cut_before_any_statement_leaves_all_of_the_batch_or_nothing(
    copy: Copy, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt goes on where the one before it was cut, one statement further; in the end nothing is amiss."""
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 100)  # a single batch, swept whole
    company, undisturbed = copy(), copy()
    nothing = written(company, *WRITTEN_BY_A_BATCH)
    undisturbed.run(EVE)
    everything = written(undisturbed, *WRITTEN_BY_A_BATCH)
    is_done = []
    for number in count(1):
        with server.superuser() as superuser, _cut_before(number, superuser) as cut:
            try:
                _attempt(company)
            except psycopg.OperationalError:
                assert cut.has_happened
        now = written(company, *WRITTEN_BY_A_BATCH)
        assert now in (nothing, everything)
        is_done.append(now == everything)
        if not cut.has_happened:
            break

    assert is_done == sorted(is_done)
    assert is_done.count(False) > 50, "the sweep went through the whole batch"
    assert len(company.rows("select id from bill_runs where as_of = %s", instant(EVE))) == 1
    company.assert_proven()


@dataclass(slots=True)
class Cut:
    """Whether the connection was cut, and how many statements have begun."""

    has_happened: bool = False
    begun: int = 0


@contextmanager
def _cut_before(number: int, superuser: psycopg.Connection[Any]) -> Iterator[Cut]:
    """Have the server end the session that begins statement `number` of this block, just before it does."""
    cut = Cut()

    def counting(name: str) -> Any:
        real = getattr(psycopg.Cursor, name)

        def begin(cursor: psycopg.Cursor[Any], *args: Any, **options: Any) -> Any:
            if cursor.connection is not superuser and not _opens_transaction(args):
                cut.begun += 1
                if cut.begun == number:
                    cut.has_happened = True
                    superuser.execute("select pg_terminate_backend(%s, 5000)", [cursor.connection.info.backend_pid])
            return real(cursor, *args, **options)

        return begin

    with pytest.MonkeyPatch.context() as patch:
        for name in STATEMENTS:
            patch.setattr(psycopg.Cursor, name, counting(name))
        yield cut


def _opens_transaction(args: tuple[Any, ...]) -> bool:
    """Whether a statement opens a transaction: a connection that is lost before it is replaced, and nobody notices."""
    return bool(args) and isinstance(args[0], sql.Composed) and "begin isolation" in args[0].as_string()


def _attempt(company: Company) -> None:
    with Database.open(company.settings) as database:
        Company(database, company.settings, company.tenant_id).run(EVE)
