"""Rows of `api_keys`."""

from datetime import datetime
from typing import Final

from tenor.access.credentials import Mode
from tenor.access.model import ApiKey
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import KeyId
from tenor.platform.tenants import TENANT_FACTS, Tenant
from tenor.platform.unit_of_work import Row, UnitOfWork

_FIELDS: Final = "id, name, mode, hint, scopes, created_at, expires_at, revoked_at, rotates_id"
_WIDTH: Final = 9
_KEY_AND_TENANT: Final = f"""
    select k.*, t.*, set_config('tenor.request_id', %s, true)
    from (select {_FIELDS} from api_keys where digest = %s) k, (select {TENANT_FACTS} from tenants) t
"""


def write_key(uow: UnitOfWork, key: ApiKey, digest: bytes) -> None:
    """Write a new key."""
    uow.execute(
        f"insert into api_keys (tenant_id, digest, {_FIELDS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            uow.tenant_id,
            digest,
            key.id,
            key.name,
            key.mode.value,
            key.hint,
            list(key.scopes),
            key.created_at,
            key.expires_at,
            key.revoked_at,
            key.rotates,
        ],
    )


def key_by_digest(uow: UnitOfWork, digest: bytes, *, request_id: str) -> tuple[ApiKey, Tenant] | None:
    """Return the tenant's key whose text has this digest, whatever its status, and the tenant.

    In one statement, for every call does it: records of this transaction name the request from here on.
    """
    row = uow.fetch_one(_KEY_AND_TENANT, [request_id, digest])
    return None if row is None else (_key_from(row[:_WIDTH]), Tenant(*row[_WIDTH:-1]))


def list_keys(uow: UnitOfWork, *, limit: int, after: KeyId | None = None) -> list[ApiKey]:
    """Return the keys, the newest first; those older than `after` where it is given."""
    rows = uow.fetch_all(
        f"select {_FIELDS} from api_keys where %(after)s::uuid is null or id < %(after)s order by id desc"
        " limit %(limit)s",
        {"after": after, "limit": limit},
    )
    return [_key_from(row) for row in rows]


def find_key(uow: UnitOfWork, key_id: KeyId) -> ApiKey:
    """Return the key with this id.

    Raises:
        NotFound: there is none.
    """
    row = uow.fetch_one(f"select {_FIELDS} from api_keys where id = %s", [key_id])
    if row is None:
        raise NotFound("there is no API key with this id")
    return _key_from(row)


def lock_key(uow: UnitOfWork, key_id: KeyId) -> ApiKey:
    """Return the key with this id, locked until the transaction ends; refuse an unknown one, as `find_key` does."""
    uow.execute("select from api_keys where id = %s for update", [key_id])
    return find_key(uow, key_id)


def has_successor(uow: UnitOfWork, key_id: KeyId) -> bool:
    """Whether a key has been rotated already."""
    return uow.fetch_one("select 1 from api_keys where rotates_id = %s", [key_id]) is not None


def end_key(uow: UnitOfWork, key_id: KeyId, *, expires_at: datetime | None, revoked_at: datetime | None) -> None:
    """Set when a key ends."""
    uow.execute("update api_keys set expires_at = %s, revoked_at = %s where id = %s", [expires_at, revoked_at, key_id])


def _key_from(row: Row) -> ApiKey:
    key_id, name, mode, hint, scopes, created_at, expires_at, revoked_at, rotates = row
    return ApiKey(
        KeyId(key_id),
        name,
        Mode(mode),
        hint,
        tuple(scopes),
        created_at,
        expires_at,
        revoked_at,
        None if rotates is None else KeyId(rotates),
    )
