"""Sign in, be known by a session, see where else one is signed in, sign out."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from tenor.access.credentials import SECRET_BYTES, Credential, Mode, digest_of, write_credential
from tenor.access.model import Unauthenticated
from tenor.access.scopes import require_scope
from tenor.access.users.model import OpenedSession, Session, User
from tenor.access.users.passwords import is_right
from tenor.access.users.store import (
    begin_attempt,
    end_attempts,
    end_session_of,
    end_session_with,
    lock_session,
    lock_user,
    open_sessions,
    user_of_session,
    write_session,
)
from tenor.kernel.ids import SessionId, UserId, new_id
from tenor.platform.audit import Deed, record
from tenor.platform.unit_of_work import UnitOfWork

SESSION_LASTS: Final = timedelta(hours=12)
ATTEMPTS_MAX: Final = 5
"""Failed attempts after which nobody may try to be this user for `LOCK_LASTS`."""
LOCK_LASTS: Final = timedelta(minutes=15)


def sign_in(uow: UnitOfWork, email: str, password: str, *, now: datetime) -> OpenedSession | None:
    """Open a session for who knows the password; None where anything is not so, and nobody is told what.

    Commit the transaction in either case: it holds the count of failed attempts. A wrong password, an unknown or
    disabled user and one who is locked take the same time. `now` is of the wall clock.
    """
    if (user_id := knows_password(uow, email.lower(), password, now=now)) is None:
        return None
    user = lock_user(uow, user_id)
    end_attempts(uow, user.id)
    text = write_credential(Mode.SESSION, uow.tenant_id, secrets.token_bytes(SECRET_BYTES))
    session_id, expires_at = SessionId(new_id(now)), now + SESSION_LASTS
    write_session(uow, session_id, user.id, digest_of(text), created_at=now, expires_at=expires_at)
    record(uow, [Deed(user.email, "session.opened", "session", session_id, "signed in", now)])
    return OpenedSession(session_id, user, text, expires_at)


def knows_password(uow: UnitOfWork, email: str, password: str, *, now: datetime) -> UserId | None:
    """Return the user of an email address in small letters whose password this is; None where anything is not so.

    Counts as an attempt before it is looked at, and takes the same time in any case.
    """
    attempt = begin_attempt(uow, email, at=now, locks_after=ATTEMPTS_MAX, until=now + LOCK_LASTS)
    user_id, password_hash = (None, None) if attempt is None else attempt
    return UserId(user_id) if is_right(password, password_hash) and user_id is not None else None


def authenticate_session(uow: UnitOfWork, credential: Credential, *, needs: str | None, at: datetime) -> User:
    """Return whose session it is. `uow` is a transaction of the tenant that the credential names.

    `needs` is a scope; None where it is enough to be known.

    Raises:
        Unauthenticated: there is no such session, or it has ended.
        ScopeMissing: the user's role does not let do what `needs` says.
    """
    user = user_of_session(uow, credential.digest, at=at)
    if user is None:
        raise Unauthenticated("this session is not, or no longer, open")
    if needs is not None:
        require_scope(user.scopes, needs)
    return user


def end_session(uow: UnitOfWork, credential: Credential, *, now: datetime) -> None:
    """Sign out. Repeatable."""
    end_session_of(uow, credential.digest, at=now)


def list_sessions(
    uow: UnitOfWork, user: User, credential: Credential, *, now: datetime, limit: int, after: SessionId | None = None
) -> list[Session]:
    """Return the open sessions of a user, the newest first; the one of `credential` is marked as current."""
    return open_sessions(uow, user.id, digest=credential.digest, at=now, limit=limit, after=after)


def end_own_session(uow: UnitOfWork, user: User, session_id: SessionId, *, now: datetime, actor: str) -> None:
    """Sign a user out elsewhere. Repeatable.

    Raises:
        NotFound: it is no session of this user.
    """
    if lock_session(uow, user.id, session_id):
        end_session_with(uow, session_id, at=now)
        record(uow, [Deed(actor, "session.ended", "session", session_id, "signed out elsewhere", now)])
