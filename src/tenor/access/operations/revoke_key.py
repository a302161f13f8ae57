"""Revoke an API key."""

from dataclasses import replace
from datetime import datetime

from tenor.access.model import ApiKey
from tenor.access.store import end_key, lock_key
from tenor.kernel.ids import KeyId
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork


def revoke_key(uow: UnitOfWork, key_id: KeyId, *, now: datetime, actor: str, reason: str) -> ApiKey:
    """End a key at once: no transaction that begins after this one has committed is let in by it. Repeatable.

    Raises:
        NotFound: there is no such key.
    """
    key = lock_key(uow, key_id)
    if key.revoked_at is not None:
        return key
    end_key(uow, key_id, expires_at=key.expires_at, revoked_at=now)
    tell(uow, "api_key.revoked", key_id, {"name": key.name, "hint": key.hint}, now=now, actor=actor, reason=reason)
    return replace(key, revoked_at=now)
