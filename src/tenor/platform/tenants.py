"""Tenants: who is billed for, and whose clock a sandbox follows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg

from tenor.kernel.errors import Conflict, Malformed, NotFound, Refusal
from tenor.kernel.ids import TenantId, new_id, to_wire
from tenor.kernel.period import format_instant
from tenor.platform.database import Connection, Database
from tenor.platform.unit_of_work import Row, UnitOfWork

_BROKEN: Final = {
    "tenants_slug_is_plain": "a slug is a letter a–z and up to 62 more of a–z, 0–9 and '-'",
    "tenants_only_a_sandbox_has_a_clock": "only a sandbox has a clock of its own",
}
"""What the checks of the table mean, for people."""
END_OF_BOOKS: Final = datetime(2099, 1, 1, tzinfo=UTC)
"""Partitions are made for the months before it (tenor.ensure_month_partitions), with one in hand for what is ahead."""
TENANT_FACTS: Final = "tenant_id, slug, name, is_sandbox, clock_at, timezone, profile"
"""The columns that a `Tenant` is made of."""


class SlugTaken(Conflict):
    """Another tenant has this slug."""

    code = "slug_taken"


class BeyondClock(Refusal):
    """An instant that lies ahead of the tenant's clock."""

    code = "beyond_clock"


class NotASandbox(Refusal):
    """A clock that is to be moved, of a tenant that lives by the wall clock."""

    code = "not_a_sandbox"


@dataclass(frozen=True, slots=True)
class Tenant:
    """What is known of a tenant. `clock_at` is a sandbox's own time; None means the wall clock."""

    tenant_id: TenantId
    slug: str
    name: str
    is_sandbox: bool
    clock_at: datetime | None
    timezone: str
    profile: str


def create_tenant(
    database: Database,
    *,
    slug: str,
    name: str,
    is_sandbox: bool = False,
    clock_at: datetime | None = None,
    timezone: str = "UTC",
    profile: str = "tenor",
    furnish: Callable[[UnitOfWork], None] | None = None,
) -> TenantId:
    """Create a tenant as the owner of the database, and return its id.

    `furnish` is called in the same transaction, as the owner: what it writes is there with the tenant or not at all.

    Raises:
        Malformed: the slug is not of a–z, 0–9 and '-', the zone is not an IANA name, or a tenant
            that is no sandbox is given a clock.
        SlugTaken: another tenant has the slug.
    """
    _require_zone(timezone)
    tenant_id = TenantId(new_id(datetime.now(UTC)))
    try:
        with _owner_transaction(database, tenant_id) as connection:
            connection.execute(
                "insert into tenants (tenant_id, slug, name, is_sandbox, clock_at, timezone, profile)"
                " values (%s, %s, %s, %s, %s, %s, %s)",
                [tenant_id, slug, name, is_sandbox, clock_at, timezone, profile],
            )
            if furnish is not None:
                furnish(UnitOfWork(connection, tenant_id, database.keyring, database.settings, database.subscribers))
    except psycopg.errors.UniqueViolation:
        raise SlugTaken(f"there is a tenant {slug!r} already", slug=slug) from None
    except psycopg.errors.CheckViolation as error:
        reason = _BROKEN.get(error.diag.constraint_name or "", error.diag.constraint_name)
        raise Malformed(f"tenant {slug[:60]!r}: {reason}", slug=slug) from None
    return tenant_id


def find_tenant(database: Database, slug: str) -> Tenant:
    """Return the tenant whose slug is `slug`.

    Raises:
        NotFound: there is none.
    """
    with database.auditor() as connection:
        row = connection.execute(f"select {TENANT_FACTS} from tenants where slug = %s", [slug]).fetchone()
    if row is None:
        raise NotFound(f"there is no tenant {slug!r}", slug=slug)
    return _tenant(row)


def list_tenants(database: Database) -> list[Tenant]:
    """Return every tenant, by slug."""
    with database.auditor() as connection:
        return [_tenant(row) for row in connection.execute(f"select {TENANT_FACTS} from tenants order by slug")]


def current_tenant(uow: UnitOfWork) -> Tenant:
    """Return the facts of the tenant whose transaction this is.

    Raises:
        NotFound: the transaction was opened for an id that is no tenant's.
    """
    row = uow.fetch_one(f"select {TENANT_FACTS} from tenants")
    if row is None:
        raise NotFound(f"there is no tenant {to_wire('ten', uow.tenant_id)}")
    return _tenant(row)


def set_clock(database: Database, tenant_id: TenantId, clock_at: datetime) -> None:
    """Move the clock of a sandbox, forward or back.

    Raises:
        NotFound: no sandbox has this id.
    """
    with _owner_transaction(database, tenant_id) as connection:
        moved = connection.execute("update tenants set clock_at = %s where is_sandbox", [clock_at]).rowcount
    if not moved:
        raise NotFound(f"there is no sandbox tenant {to_wire('ten', tenant_id)}")


def require_reached(tenant: Tenant, instant: datetime, *, wall_now: datetime) -> None:
    """Refuse an instant ahead of a live tenant's clock; a sandbox may be moved anywhere before the year 2099.

    Raises:
        BeyondClock: nobody can be billed as of tomorrow, nor where no table has partitions.
    """
    if not tenant.is_sandbox and instant > wall_now:
        raise BeyondClock(f"{format_instant(instant)} has not come yet for {tenant.slug!r}, which is no sandbox")
    if instant >= END_OF_BOOKS:
        raise BeyondClock(f"{format_instant(instant)} lies beyond the books, which end before {END_OF_BOOKS:%Y}")


@contextmanager
def _owner_transaction(database: Database, tenant_id: TenantId) -> Iterator[Connection]:
    with database.owner() as connection, connection.transaction():
        connection.execute("select set_config('tenor.tenant_id', %s, true)", [str(tenant_id)])
        yield connection


def _tenant(row: Row) -> Tenant:
    return Tenant(*row)


def _require_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Malformed(f"{name!r} is not a time zone such as 'Europe/Berlin'", timezone=name) from None
