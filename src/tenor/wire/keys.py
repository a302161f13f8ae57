"""API keys as JSON."""

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from tenor.access import ApiKey, IssuedKey, Mode
from tenor.kernel.ids import to_wire
from tenor.wire.forms import Instant, instant


class KeyJson(TypedDict):
    """An API key, without its text."""

    id: str
    name: str
    mode: Literal["live", "test"]
    begins_with: str
    scopes: list[str]
    status: Literal["live", "expired", "revoked"]
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    rotates: str | None


class IssuedKeyJson(KeyJson):
    """A fresh API key with its text, `secret`, which is told this once."""

    secret: str


def key_json(key: ApiKey, *, at: datetime) -> KeyJson:
    """Return a key with its status at an instant."""
    return KeyJson(
        id=to_wire("key", key.id),
        name=key.name,
        mode="test" if key.mode is Mode.TEST else "live",
        begins_with=key.hint,
        scopes=list(key.scopes),
        status=key.status(at),
        created_at=instant(key.created_at),
        expires_at=instant(key.expires_at),
        revoked_at=instant(key.revoked_at),
        rotates=None if key.rotates is None else to_wire("key", key.rotates),
    )


def issued_key_json(issued: IssuedKey) -> IssuedKeyJson:
    """Return a fresh key with its text."""
    return IssuedKeyJson(**key_json(issued.key, at=issued.key.created_at), secret=issued.text)
