"""The audit trail: whoever changes, takes out, adds or cuts off a record is found out, and at which place."""

from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import uuid4

import pytest
from psycopg import sql

from tenor.kernel.ids import TenantId
from tenor.platform.audit import Deed, name_request, record
from tenor.platform.audit_chain import ChainReport, Head, audit_records, chain_audit, tenants_to_chain, verify_audit
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.postgres import Server

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def do(database: Database, tenant: TenantId, *actions: str) -> None:
    with database.transaction(tenant) as uow:
        name_request(uow, "req_1")
        record(uow, [Deed("eve", action, "invoice", uuid4(), "why", NOON, None, {"n": 1.5}) for action in actions])


def chain(database: Database, tenant: TenantId, limit: int = 2_000) -> int:
    with database.transaction(tenant) as uow:
        return chain_audit(uow, limit=limit)


def verified(database: Database, tenant: TenantId, known: Head | None = None) -> ChainReport:
    with database.transaction(tenant, is_snapshot=True) as uow:
        uow.execute("set local timezone = 'Asia/Kathmandu'")  # the hashes do not depend on who looks
        return verify_audit(uow, known=known)


@pytest.fixture
def trail(database: Database, tenant: TenantId) -> Database:
    """Seven records in the chain, made in three transactions and chained in three batches."""
    do(database, tenant, "a", "b")
    with database.transaction(tenant) as slow:
        record(slow, [Deed("adam", "c", "invoice", uuid4(), "slow", NOON)])
        do(database, tenant, "d", "e", "f", "g")
        assert tenants_to_chain(database) == [tenant]
        assert [chain(database, tenant, 4) for _ in range(3)] == [4, 2, 0]
    assert chain(database, tenant) == 1
    return database


def test_a_chain_that_nobody_touched_is_whole(trail: Database, tenant: TenantId, other_tenant: TenantId) -> None:
    report = verified(trail, tenant)
    assert (report.head.position, report.broken_at) == (7, None)
    assert tenants_to_chain(trail) == []
    with trail.transaction(tenant) as uow:
        found = audit_records(uow, after=0, limit=100)
        assert [(one.position, one.action) for one in found] == list(enumerate("abdefgc", start=1))
        assert [(one.actor, one.request_id, one.after) for one in found[5:]] == [
            ("eve", "req_1", '{"n": 1.5}'),
            ("adam", None, None),
        ]
        assert audit_records(uow, after=5, limit=1) == found[5:6]
    do(trail, tenant, "h")  # not chained yet
    assert verified(trail, tenant, known=report.head) == report
    chain(trail, tenant)
    assert verified(trail, tenant, known=report.head).head.position == 8
    assert verified(trail, other_tenant).head.position == 0


TAMPERING: Final[list[tuple[LiteralString, int, str]]] = [
    ("update audit_records set reason = 'other' where action = 'b'", 2, "was changed"),
    ("""update audit_records set after = '{"n": 2}' where action = 'e'""", 4, "was changed"),
    ("update audit_records set request_id = null where action = 'd'", 3, "was changed"),
    ("update audit_records set occurred_at = 'infinity' where action = 'e'", 4, "the record is gone"),
    ("update audit_records set recorded_at = recorded_at + interval '1 s' where action = 'e'", 4, "the record is gone"),
    ("delete from audit_records where action = 'f'", 5, "the record is gone"),
    ("delete from audit_links where position = 3", 3, "a link is missing"),
    ("delete from audit_links where position = 7", 7, "missing at the end"),
    ("update audit_links set hash = sha256('x') where position = 6", 6, "was changed"),
    (
        """
        insert into audit_records (tenant_id, id, actor, action, object_type, object_id, reason, occurred_at,
                                   transaction_id)
        select tenant_id, gen_random_uuid(), actor, 'x', object_type, object_id, reason, occurred_at, transaction_id
        from audit_records where action = 'a'
        """,
        8,
        "1 records that should be chained are not",
    ),
]
"""What who may do anything in the database does to the trail of seven, and where it is found."""


def test_tampering_is_found_at_its_place(server: Server, trail: Database, tenant: TenantId) -> None:
    with trail.auditor() as connection:
        name = connection.info.dbname
    with server.superuser(name) as connection:
        connection.execute("set search_path = tenor")
        for deed, broken_at, what in TAMPERING:
            with connection.transaction(force_rollback=True):
                for table in ("audit_records", "audit_links"):
                    connection.execute(sql.SQL("alter table {} disable trigger all").format(sql.Identifier(table)))
                assert connection.execute(deed).rowcount == 1
                report = verify_audit(UnitOfWork(connection, tenant, trail.keyring, Settings()))
                assert (report.broken_at, what in report.what) == (broken_at, True), (deed, report)
    assert verified(trail, tenant).broken_at is None


def test_a_head_that_was_kept_shows_a_chain_forged_anew(trail: Database, tenant: TenantId) -> None:
    head = verified(trail, tenant).head
    assert verified(trail, tenant, known=head).broken_at is None
    assert verified(trail, tenant, known=Head(7, "0" * 64)).broken_at == 7
    assert verified(trail, tenant, known=Head(9, head.hash)).broken_at == 8
