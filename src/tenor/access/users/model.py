"""Users, their roles, and the sessions that they open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from tenor.access.scopes import AREAS, EVERYTHING
from tenor.kernel.ids import SessionId, UserId


class Role(StrEnum):
    """What somebody is there for."""

    OWNER = "owner"  # everything, and there is always one
    ADMIN = "admin"  # everything
    FINANCE = "finance"  # documents, money, runs; reads the rest
    SUPPORT = "support"  # customers and their subscriptions; reads the rest
    VIEWER = "viewer"  # reads


_SECRETS: Final = frozenset({"audit", "keys", "users", "webhooks"})
"""Areas that only owners and admins see."""


def _reading_and(*written: str) -> tuple[str, ...]:
    read = [f"{area}:read" for area in AREAS if area not in _SECRETS]
    return (*read, *(f"{area}:write" for area in written))


SCOPES: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.OWNER: EVERYTHING,
    Role.ADMIN: EVERYTHING,
    Role.FINANCE: _reading_and("customers", "invoices", "runs", "wallets"),
    Role.SUPPORT: _reading_and("customers", "subscriptions", "usage", "wallets"),
    Role.VIEWER: _reading_and(),
}
"""What each role may do."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody of the tenant. Instants are of the wall clock."""

    id: UserId
    email: str
    name: str
    role: Role
    has_password: bool
    locked_until: datetime | None
    created_at: datetime
    disabled_at: datetime | None

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the user may do."""
        return SCOPES[self.role]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Somebody to be let in. `email` is compared in small letters; without a `password` nobody can sign in yet."""

    email: str
    name: str
    role: Role
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open, without its text. Instants are of the wall clock."""

    id: SessionId
    created_at: datetime
    expires_at: datetime
    is_current: bool


class OpenedSession(NamedTuple):
    """A fresh session with its text, which is told once and kept nowhere."""

    id: SessionId
    user: User
    text: str
    expires_at: datetime
