"""The keys of endpoints, sealed: each is wrapped by the key-encryption key that personal data is wrapped by."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from tenor.kernel.ids import EndpointId
from tenor.platform.sealing import WrappedKey
from tenor.platform.unit_of_work import UnitOfWork


def add_secret(uow: UnitOfWork, endpoint_id: EndpointId, key: bytes, *, now: datetime, old_until: datetime) -> None:
    """Add a key of 32 bytes. The newest before it goes on until `old_until`, older ones end now.

    The caller has locked the endpoint, or has just made it.
    """
    rows = uow.fetch_all("select max(secret_no) from webhook_secrets where endpoint_id = %s", [endpoint_id])
    last_no = rows[0][0] or 0
    uow.execute(
        """
        update webhook_secrets set expires_at = case when secret_no = %(last)s then %(until)s else %(now)s end
        where endpoint_id = %(id)s and (expires_at is null or expires_at > %(now)s)
        """,
        {"id": endpoint_id, "last": last_no, "now": now, "until": old_until},
    )
    wrapped = uow.keyring().wrap(key, place=_place(uow, endpoint_id, last_no + 1))
    uow.execute(
        "insert into webhook_secrets (tenant_id, endpoint_id, secret_no, key_id, wrapped, created_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, endpoint_id, last_no + 1, *wrapped, now],
    )


def live_keys(uow: UnitOfWork, endpoint_ids: Collection[UUID], *, now: datetime) -> dict[UUID, Sequence[bytes]]:
    """Return the keys that sign for these endpoints now, the newest first."""
    rows = uow.fetch_all(
        """
        select endpoint_id, secret_no, key_id, wrapped from webhook_secrets
        where endpoint_id = any(%s) and (expires_at is null or expires_at > %s) order by secret_no desc
        """,
        [list(endpoint_ids), now],
    )
    found = defaultdict[UUID, list[bytes]](list)
    for endpoint_id, secret_no, *wrapped in rows:
        found[endpoint_id].append(_unwrapped(uow, endpoint_id, secret_no, WrappedKey(*wrapped)))
    return dict(found)


def rewrap_secrets(uow: UnitOfWork, *, limit: int) -> int:
    """Wrap webhook secrets under the newest key-encryption key, at most `limit` that are not; return how many.

    Raises:
        EncryptionKeyMissing: one is wrapped under a key that this machine does not have.
    """
    keyring = uow.keyring()
    rows = uow.fetch_all(
        "select endpoint_id, secret_no, key_id, wrapped from webhook_secrets where key_id <> %s"
        " order by endpoint_id, secret_no limit %s for update",
        [keyring.newest, limit],
    )
    new = [
        keyring.wrap(
            _unwrapped(uow, endpoint_id, secret_no, WrappedKey(*wrapped)), place=_place(uow, endpoint_id, secret_no)
        )
        for endpoint_id, secret_no, *wrapped in rows
    ]
    return uow.execute(
        """
        update webhook_secrets s set key_id = new.key_id, wrapped = new.wrapped
        from unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[]) as new (endpoint_id, secret_no, key_id, wrapped)
        where s.endpoint_id = new.endpoint_id and s.secret_no = new.secret_no
        """,
        [
            [row[0] for row in rows],
            [row[1] for row in rows],
            [one.key_id for one in new],
            [one.wrapped for one in new],
        ],
    )


def _unwrapped(uow: UnitOfWork, endpoint_id: UUID, secret_no: int, wrapped: WrappedKey) -> bytes:
    return uow.keyring().unwrap(wrapped, place=_place(uow, endpoint_id, secret_no))


def _place(uow: UnitOfWork, endpoint_id: UUID, secret_no: int) -> str:
    """What a sealed key belongs to: moved elsewhere it does not open."""
    return f"{uow.tenant_id}/{endpoint_id}/webhook secret {secret_no}"
