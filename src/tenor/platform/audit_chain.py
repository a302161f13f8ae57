"""The chain over the audit trail: each link holds the hash of its record and of the link before.

Links are forged after the commit, by whoever comes by, in the order of the records' numbers: a chain that deeds wrote
themselves would make the transactions of a tenant wait for each other. What is not chained yet can still be changed
unseen by who may change anything in the database; after that it shows, unless all links from there on are forged
anew. Against that, keep the head (`ChainReport.head`) where the database cannot reach it, and verify with it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.newly_visible import IS_NEW, begin_look, end_look, tenants_with_new
from tenor.platform.unit_of_work import Row, UnitOfWork

BATCH_RECORDS: Final = 2_000

_FACTS: Final[LiteralString] = (
    "r.id, r.recorded_at, r.actor, r.action, r.object_type, r.object_id, r.reason, r.before::text, r.after::text,"
    " r.occurred_at, r.request_id"
)
_START: Final = hashlib.sha256(b"").digest()
"""What the first link holds in place of the hash of the link before."""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A record with its position in the chain. `before` and `after` are JSON text."""

    position: int
    id: UUID
    recorded_at: datetime
    actor: str
    action: str
    object_type: str
    object_id: UUID
    reason: str
    before: str | None
    after: str | None
    occurred_at: datetime
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: so many links, and the hash of the last one in hexadecimal."""

    position: int
    hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What came of verifying: the head, and the first broken place with what is wrong there; None where none is."""

    head: Head
    broken_at: int | None = None
    what: str = ""


def chain_audit(uow: UnitOfWork, *, limit: int = BATCH_RECORDS) -> int:
    """Chain at most `limit` committed records that are not chained yet; return how many.

    Does nothing while another process is at it.

    Raises:
        TransactionsRenumbered: the database was restored from a dump.
    """
    look = begin_look(uow, "audit_chains")
    if look is None:
        return 0
    rows = uow.fetch_all(
        f"select {_FACTS}, r.record_no from audit_records r where {IS_NEW} and r.record_no > %(after)s"
        " order by r.record_no limit %(limit)s",
        {**look._asdict(), "limit": limit},
    )
    if rows:
        _forge(uow, [row[:-1] for row in rows])
    end_look(uow, "audit_chains", look, left_after=rows[-1][-1] if len(rows) == limit else None)
    return len(rows)


def tenants_to_chain(database: Database) -> list[TenantId]:
    """Return the tenants that have committed records which are not chained."""
    return tenants_with_new(database, "audit_records", "audit_chains")


def audit_records(uow: UnitOfWork, *, after: int, limit: int, object_id: UUID | None = None) -> list[AuditRecord]:
    """Return records in the order of the chain, after a position; those of one object where that is asked."""
    rows = uow.fetch_all(
        f"""
        select l.position, {_FACTS} from audit_links l
        join audit_records r on r.tenant_id = l.tenant_id and r.recorded_at = l.recorded_at and r.id = l.record_id
        where l.position > %(after)s {"" if object_id is None else "and r.object_id = %(object)s"}
        order by l.position limit %(limit)s
        """,
        {"after": after, "limit": limit, "object": object_id},
    )
    return [AuditRecord(*row) for row in rows]


def verify_audit(uow: UnitOfWork, *, known: Head | None = None) -> ChainReport:
    """Derive every link again; report the first that is not what its record says.

    `known` is a head that was kept elsewhere: the chain must still have it. Open the transaction with `is_snapshot`.
    """
    head = _head(uow)
    position, last_hash = 0, _START
    for link in _links(uow):
        found_position, stored, *facts = link
        what = _what_is_wrong(position + 1, found_position, last_hash, stored, facts)
        if known is not None and found_position == known.position and stored.hex() != known.hash:
            what = what or "the link is not the one that was kept elsewhere"
        if what:
            return ChainReport(head, position + 1, what)
        position, last_hash = found_position, stored
    if (position, last_hash.hex()) != (head.position, head.hash) or (known and known.position > position):
        return ChainReport(head, position + 1, "links are missing at the end of the chain")
    strays = _records_outside(uow)
    if strays:
        return ChainReport(head, position + 1, f"{strays:,} records that should be chained are not")
    return ChainReport(head)


def _forge(uow: UnitOfWork, records: Sequence[Sequence[Any]]) -> None:
    """Add links for records, and move the head."""
    (row,) = uow.fetch_all("select last_position, last_hash from audit_chains")
    position, last_hash = row
    links = []
    for place, facts in enumerate(records, start=position + 1):
        last_hash = _hash(last_hash, place, facts)
        links.append((place, facts[0], facts[1], last_hash))
    uow.execute("select tenor.ensure_month_partitions('tenor.audit_links', current_date, current_date)")
    uow.execute(
        """
        insert into audit_links (tenant_id, position, record_id, recorded_at, hash)
        select %s, * from unnest(%b::bigint[], %b::uuid[], %b::timestamptz[], %b::bytea[])
        """,
        [uow.tenant_id, *[list(column) for column in zip(*links, strict=True)]],
    )
    uow.execute("update audit_chains set last_position = %s, last_hash = %s", [links[-1][0], last_hash])


def _hash(before: bytes, position: int, facts: Iterable[Any]) -> bytes:
    """Return the hash of a link: over the hash before and, as a JSON array, the position and the record's facts."""
    told = [fact.astimezone(UTC) if isinstance(fact, datetime) else fact for fact in facts]
    return hashlib.sha256(before + msgspec.json.encode([position, *told])).digest()


def _what_is_wrong(expected: int, position: int, before: bytes, stored: bytes, facts: Sequence[Any]) -> str:
    if position != expected:
        return "a link is missing"
    if facts[0] is None:
        return "the record is gone"
    return "" if _hash(before, position, facts) == stored else "the record or its link was changed"


def _head(uow: UnitOfWork) -> Head:
    row = uow.fetch_one("select last_position, last_hash from audit_chains")
    return Head(0, _START.hex()) if row is None else Head(row[0], row[1].hex())


def _links(uow: UnitOfWork) -> Iterator[Row]:
    """Yield position and hash of every link in order, with the facts of its record; nulls where that is gone.

    A record at a time that Python has no word for (infinity) was not written by the engine: its own is gone.
    """
    after = 0
    while True:
        rows = uow.fetch_all(
            f"""
            with page as materialized (
                select * from audit_links where position > %(after)s order by position limit %(limit)s
            )
            select page.position, page.hash, {_FACTS} from page left join lateral (
                select * from audit_records a
                where a.tenant_id = page.tenant_id and a.recorded_at = page.recorded_at and a.id = page.record_id
                  and greatest(a.occurred_at, a.recorded_at) < %(last)s
                  and least(a.occurred_at, a.recorded_at) > %(first)s
                limit 1
            ) r on true
            order by page.position
            """,
            {
                "after": after,
                "limit": BATCH_RECORDS,
                "first": datetime.min.replace(tzinfo=UTC),
                "last": datetime.max.replace(tzinfo=UTC),
            },
        )
        yield from rows
        if len(rows) < BATCH_RECORDS:
            return
        after = rows[-1][0]


def _records_outside(uow: UnitOfWork) -> int:
    """Return how many records of transactions that have been chained have no link; 0 while a window is half done."""
    row = uow.fetch_one(
        """
        select (select count(*) from audit_records where pg_visible_in_snapshot(transaction_id, seen))
             - (select count(*) from audit_links)
        from audit_chains where open_window is null
        """
    )
    return 0 if row is None else int(row[0])
