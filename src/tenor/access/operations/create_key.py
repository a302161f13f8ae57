"""Create an API key."""

import secrets
from datetime import datetime

from tenor.access.authenticating import mode_of
from tenor.access.credentials import HINT_LENGTH, SECRET_BYTES, digest_of, write_credential
from tenor.access.model import NAME_LENGTH_MAX, SCOPES_MAX, ApiKey, IssuedKey, MalformedKey, NewKey
from tenor.access.scopes import EVERYTHING, require_known
from tenor.access.store import write_key
from tenor.kernel.ids import KeyId, new_id, to_wire
from tenor.kernel.period import format_instant
from tenor.platform.telling import tell
from tenor.platform.tenants import current_tenant
from tenor.platform.unit_of_work import UnitOfWork


def create_key(
    uow: UnitOfWork,
    *,
    name: str,
    scopes: tuple[str, ...] = EVERYTHING,
    expires_at: datetime | None = None,
    now: datetime,
    actor: str,
    reason: str,
) -> IssuedKey:
    """Create a key of the tenant, of its mode; its text is returned this once. `now` is of the wall clock.

    Raises:
        MalformedKey: no name, no scope, or an expiry that is past.
        UnknownScope: as said.
    """
    return issue(uow, NewKey(name=name, scopes=scopes, expires_at=expires_at), now=now, actor=actor, reason=reason)


def issue(uow: UnitOfWork, asked: NewKey, *, now: datetime, actor: str, reason: str) -> IssuedKey:
    """Create a key as `create_key` does, perhaps in the place of another one."""
    _require_sound(asked, now)
    mode = mode_of(current_tenant(uow))
    text = write_credential(mode, uow.tenant_id, secrets.token_bytes(SECRET_BYTES))
    key = ApiKey(
        KeyId(new_id(now)),
        asked.name,
        mode,
        text[:HINT_LENGTH],
        tuple(dict.fromkeys(asked.scopes)),
        now,
        asked.expires_at,
        None,
        asked.rotates,
    )
    write_key(uow, key, digest_of(text))
    facts = {
        "name": key.name,
        "hint": key.hint,
        "scopes": list(key.scopes),
        "expires_at": None if key.expires_at is None else format_instant(key.expires_at),
        "rotates": None if key.rotates is None else to_wire("key", key.rotates),
    }
    tell(uow, "api_key.created", key.id, facts, now=now, actor=actor, reason=reason)
    return IssuedKey(key, text)


def _require_sound(asked: NewKey, now: datetime) -> None:
    if not 0 < len(asked.name) <= NAME_LENGTH_MAX or not asked.name.isprintable():
        raise MalformedKey(f"the name of a key has 1 to {NAME_LENGTH_MAX} printable characters")
    if not 0 < len(asked.scopes) <= SCOPES_MAX:
        raise MalformedKey(f"a key has 1 to {SCOPES_MAX} scopes")
    if asked.expires_at is not None and asked.expires_at <= now:
        raise MalformedKey(f"a key cannot expire at {format_instant(asked.expires_at)}, which is past")
    require_known(asked.scopes)
