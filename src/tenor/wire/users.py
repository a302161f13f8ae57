"""Users and their sessions as JSON."""

from typing import Literal

from typing_extensions import TypedDict

from tenor.access import OpenedSession, Session, User
from tenor.kernel.ids import to_wire
from tenor.wire.forms import Instant, instant


class UserJson(TypedDict):
    """Somebody of the tenant; `locked_until` says how long nobody may sign in as this user after failed attempts."""

    id: str
    email: str
    name: str
    role: Literal["owner", "admin", "finance", "support", "viewer"]
    scopes: list[str]
    has_password: bool
    locked_until: Instant | None
    created_at: Instant
    disabled_at: Instant | None


class OpenedSessionJson(TypedDict):
    """A fresh session with its text, `secret`, which is told this once: a credential like an API key, until it ends."""

    id: str
    user: UserJson
    secret: str
    expires_at: Instant


class SessionJson(TypedDict):
    """A session that is open; `is_current` is the one that calls."""

    id: str
    created_at: Instant
    expires_at: Instant
    is_current: bool


def user_json(user: User) -> UserJson:
    """Return a user, and what the role lets do."""
    return UserJson(
        id=to_wire("usr", user.id),
        email=user.email,
        name=user.name,
        role=user.role.value,
        scopes=list(user.scopes),
        has_password=user.has_password,
        locked_until=instant(user.locked_until),
        created_at=instant(user.created_at),
        disabled_at=instant(user.disabled_at),
    )


def opened_session_json(opened: OpenedSession) -> OpenedSessionJson:
    """Return a fresh session with its text."""
    return OpenedSessionJson(
        id=to_wire("ses", opened.id),
        user=user_json(opened.user),
        secret=opened.text,
        expires_at=instant(opened.expires_at),
    )


def session_json(session: Session) -> SessionJson:
    """Return an open session."""
    return SessionJson(
        id=to_wire("ses", session.id),
        created_at=instant(session.created_at),
        expires_at=instant(session.expires_at),
        is_current=session.is_current,
    )
