"""What is sent and read in a way of our own is what the driver would have sent and read: lists, and ids."""

import copy
import pickle
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database

FIRST, SECOND = uuid.UUID(int=0), uuid.UUID(int=(1 << 128) - 1)
EARLY = datetime(1, 1, 1, tzinfo=UTC)
LATE = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("placeholder", ["%s", "%b"])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("uuid", [FIRST, SECOND]),
        ("uuid", [None, FIRST, None]),
        ("uuid", [None, None]),
        ("uuid", []),
        ("timestamptz", [EARLY, datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), LATE]),
        ("timestamptz", [None, EARLY]),
        ("bigint", [-(2**63), None, 2**63 - 1]),
        ("text", ["", "null", None, 'a"b\\c,{}']),
    ],
)
def test_a_list_arrives_as_it_was(
    database: Database, tenant: TenantId, placeholder: str, kind: str, values: list[Any]
) -> None:
    with database.transaction(tenant) as uow:
        row = uow.fetch_one(f"select {placeholder}::{kind}[]", [values])

    assert row == (values,)


def test_an_instant_of_another_zone_stays_the_same_instant(database: Database, tenant: TenantId) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))  # 10:00 UTC
    with database.transaction(tenant) as uow:
        row = uow.fetch_one("select (%s::timestamptz[])[1] at time zone 'UTC'", [[noon]])

    assert row == (datetime(2026, 7, 1, 10),)  # noqa: DTZ001  # the server was asked for a time without a zone


def test_a_list_finds_its_type_where_the_statement_names_none(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        ids = uow.fetch_one("select gen_random_uuid() = any(%(ids)s), pg_typeof(%(ids)s)", {"ids": [FIRST]})
        instants = uow.fetch_one("select pg_typeof(%s)", [[EARLY]])
        local = uow.fetch_one("select pg_typeof(%s)", [[datetime(2026, 1, 1)]])  # noqa: DTZ001  # one without a zone

    assert (ids, instants, local) == (
        (False, "uuid[]"),
        ("timestamp with time zone[]",),
        ("timestamp without time zone[]",),
    )


def test_a_list_is_written_into_a_statement_as_text(database: Database, tenant: TenantId) -> None:
    with database.transaction(tenant) as uow:
        row = uow.fetch_one(sql.SQL("select {}::uuid[], {}::timestamptz[]").format([FIRST, None], [LATE]))

    assert row == ([FIRST, None], [LATE])


def test_a_list_of_ids_and_texts_is_refused(database: Database, tenant: TenantId) -> None:
    with pytest.raises(psycopg.DataError, match="mixed types"), database.transaction(tenant) as uow:
        uow.fetch_one("select %s::uuid[]", [[FIRST, "second"]])


@pytest.mark.parametrize("is_binary", [False, True])
def test_an_id_is_read_as_it_was_written(database: Database, tenant: TenantId, *, is_binary: bool) -> None:
    other = uuid.UUID("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")
    query = "select %s::uuid, %s::uuid, array[%s::uuid, null], null::uuid"
    with database.transaction(tenant) as uow:
        row = uow.connection.execute(query, [FIRST, SECOND, other], binary=is_binary).fetchone()

    assert row == (FIRST, SECOND, [other, None], None)
    read = next(value for value in row[2] if value is not None)
    assert (str(read), read.version, hash(read), read.is_safe) == (str(other), 7, hash(other), uuid.SafeUUID.unknown)
    assert pickle.loads(pickle.dumps(read)) == copy.deepcopy(read) == other  # noqa: S301  # workers are handed ids
