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
from tests.support.eventful import EVE as EVE_OF_EVERYTHING
from tests.support.postgres import Server

WRITTEN_BY_A_BATCH = (
    "invoices",
    "invoice_lines",
    "transfers",
    "claims",
    "adjustment_claims",
    "refund_requests",
    "customer_credits",
    "credit_grants",
    "wallet_uses",
    "wallet_entries",
    "wallet_payments",
    "document_series",
    "billing_positions",
    "bill_run_items",
)
STATEMENTS = ("execute", "executemany", "copy")


@pytest.fixture(autouse=True)
def _one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A single batch, swept whole."""
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 100)


def test_a_connection_cut_before_any_statement_leaves_all_of_the_batch_or_nothing(copy: Copy, server: Server) -> None:
    begun = _sweep(copy(), copy(), server, as_of=EVE)

    assert begun > 50, "the sweep went through the whole batch"


def test_so_it_does_with_everything_that_can_be_due(eventful_copy: Copy, server: Server) -> None:
    """Discounts, pauses, add-ons, caps, several taxes, consolidation, waiting adjustments, refunds and grace."""
    company = eventful_copy()

    _sweep(company, eventful_copy(), server, as_of=EVE_OF_EVERYTHING, step=5)

    ((claims, refunds),) = company.rows(
        "select (select count(*) from adjustment_claims), (select count(*) from refund_requests)"
    )
    assert (claims, refunds) == (6, 1)  # all that waited; what went back to ref


def _sweep(company: Company, undisturbed: Company, server: Server, *, as_of: str, step: int = 1) -> int:
    """Cut each attempt `step` statements later than the one before; each goes on, and in the end nothing is amiss.

    Return about how many statements there are before the batch is committed.
    """
    nothing = written(company, *WRITTEN_BY_A_BATCH)
    undisturbed.run(as_of)
    everything = written(undisturbed, *WRITTEN_BY_A_BATCH)
    is_done = []
    for number in count(1, step):
        with server.superuser() as superuser, _cut_before(number, superuser) as cut:
            try:
                _attempt(company, as_of)
            except psycopg.OperationalError:
                assert cut.has_happened
        now = written(company, *WRITTEN_BY_A_BATCH)
        assert now in (nothing, everything)
        is_done.append(now == everything)
        if not cut.has_happened:
            break

    assert is_done == sorted(is_done)
    assert len(company.rows("select id from bill_runs where as_of = %s", instant(as_of))) == 1
    company.assert_proven()
    return step * is_done.count(False)


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


def _attempt(company: Company, as_of: str) -> None:
    with Database.open(company.settings) as database:
        Company(database, company.settings, company.tenant_id).run(as_of)
