"""Rotate an API key: a new one takes its place, and both may be used for a while."""

from datetime import datetime, timedelta

from tenor.access.model import IssuedKey, MalformedKey, NewKey
from tenor.access.operations.create_key import issue
from tenor.access.store import end_key, has_successor, lock_key
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import KeyId
from tenor.platform.unit_of_work import UnitOfWork

OVERLAP_MAX = timedelta(days=30)


class KeyNotRotatable(Conflict):
    """A key that has ended, or that another one takes the place of already."""

    code = "key_not_rotatable"


def rotate_key(
    uow: UnitOfWork, key_id: KeyId, *, overlap: timedelta, now: datetime, actor: str, reason: str
) -> IssuedKey:
    """Create a key with the name and the scopes of another one, which ends after `overlap`; its own end, if any, stays.

    The new key has no expiry. Never more than the two of them are live.

    Raises:
        NotFound: there is no such key.
        KeyNotRotatable: it has ended, or was rotated before.
        MalformedKey: an overlap below zero or above thirty days.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise MalformedKey("two keys are live for 0 to 30 days")
    key = lock_key(uow, key_id)
    if key.status(now) != "live" or has_successor(uow, key_id):
        raise KeyNotRotatable("this key has ended or was rotated before; create another one")
    ends_at = now + overlap if key.expires_at is None else min(key.expires_at, now + overlap)
    end_key(uow, key_id, expires_at=ends_at, revoked_at=None)
    asked = NewKey(name=key.name, scopes=key.scopes, rotates=key_id)
    return issue(uow, asked, now=now, actor=actor, reason=reason)
