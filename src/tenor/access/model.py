"""API keys: what is kept of them, and the one moment in which their text is known."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

from tenor.access.credentials import Mode
from tenor.kernel.errors import Malformed, Refusal
from tenor.kernel.ids import KeyId

NAME_LENGTH_MAX: Final = 200
SCOPES_MAX: Final = 100


class Unauthenticated(Refusal):
    """A call without a credential, or with one that is not, or no longer, a key or an open session."""

    code = "unauthenticated"


class NotASession(Refusal):
    """What only somebody who has signed in can do, asked for with an API key."""

    code = "not_a_session"


class PasswordWrong(Refusal):
    """A password that is not the one of who has signed in, or one attempt too many to tell it."""

    code = "password_wrong"


class KeyOutlivesCaller(Refusal):
    """A key that would be there longer than the key that asks for it."""

    code = "key_outlives_caller"


class MalformedKey(Malformed):
    """Details that no API key can have."""

    code = "malformed_key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. All instants are of the wall clock, in a sandbox too: access does not travel in time."""

    id: KeyId
    name: str
    mode: Mode
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotates: KeyId | None

    def status(self, at: datetime) -> Literal["live", "expired", "revoked"]:
        """Return whether it may be used at an instant, or why not."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "live"


class IssuedKey(NamedTuple):
    """A fresh key with its text, which is told once and kept nowhere."""

    key: ApiKey
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What is asked for: its name for people, its scopes, and until when it may be used (None: until revoked)."""

    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None = None
    rotates: KeyId | None = field(default=None)
