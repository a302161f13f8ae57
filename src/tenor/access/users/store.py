"""Rows of `users` and `sessions`."""

from datetime import datetime
from typing import Final

from tenor.access.users.model import Role, Session, User
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import SessionId, UserId
from tenor.platform.unit_of_work import Row, UnitOfWork

_FIELDS: Final = (
    "u.id, u.email, u.name, u.role, u.password_hash is not null, u.locked_until, u.created_at, u.disabled_at"
)


def write_user(uow: UnitOfWork, user: User, password_hash: str | None) -> None:
    """Write a new user."""
    uow.execute(
        """
        insert into users (tenant_id, id, email, name, role, password_hash, created_at)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [uow.tenant_id, user.id, user.email, user.name, user.role.value, password_hash, user.created_at],
    )


def list_users(uow: UnitOfWork) -> list[User]:
    """Return all users, by email."""
    return [_user_from(row) for row in uow.fetch_all(f"select {_FIELDS} from users u order by u.email")]


def find_user(uow: UnitOfWork, user_id: UserId) -> User:
    """Return the user with this id.

    Raises:
        NotFound: there is none.
    """
    row = uow.fetch_one(f"select {_FIELDS} from users u where u.id = %s", [user_id])
    if row is None:
        raise NotFound("there is no user with this id")
    return _user_from(row)


def find_user_by_email(uow: UnitOfWork, email: str) -> User:
    """Return the user with this email address, in letters of any case.

    Raises:
        NotFound: there is none.
    """
    row = uow.fetch_one(f"select {_FIELDS} from users u where u.email = %s", [email.lower()])
    if row is None:
        raise NotFound("there is no user with this email address")
    return _user_from(row)


def lock_user(uow: UnitOfWork, user_id: UserId) -> User:
    """Return a user, locked until the transaction ends.

    Raises:
        NotFound: there is none with the id.
    """
    uow.execute("select from users where id = %s for update", [user_id])
    return find_user(uow, user_id)


def is_email_taken(uow: UnitOfWork, email: str) -> bool:
    """Whether a user has this email address."""
    return uow.fetch_one("select 1 from users where email = %s", [email]) is not None


def lock_owners(uow: UnitOfWork) -> list[UserId]:
    """Return the owners who are not disabled, locked until the transaction ends."""
    rows = uow.fetch_all("select id from users where role = 'owner' and disabled_at is null order by id for update")
    return [UserId(user_id) for (user_id,) in rows]


def rewrite_user(uow: UnitOfWork, user_id: UserId, *, role: Role, disabled_at: datetime | None) -> None:
    """Write what a user is there for, and since when no longer."""
    uow.execute("update users set role = %s, disabled_at = %s where id = %s", [role.value, disabled_at, user_id])


def write_password(uow: UnitOfWork, user_id: UserId, password_hash: str) -> None:
    """Write a new password; failed attempts with the old one are forgotten."""
    uow.execute(
        "update users set password_hash = %s, failures = 0, locked_until = null where id = %s",
        [password_hash, user_id],
    )


def begin_attempt(uow: UnitOfWork, email: str, *, at: datetime, locks_after: int, until: datetime) -> Row | None:
    """Count an attempt to sign in before it is looked at, so that parallel guesses count too.

    Returns the user's id and password hash; None: there is no such user who may try now.
    """
    return uow.fetch_one(
        """
        update users set failures = failures + 1,
               locked_until = case when failures + 1 >= %(after)s then %(until)s::timestamptz end
        where email = %(email)s and disabled_at is null and (locked_until is null or locked_until <= %(at)s)
        returning id, password_hash
        """,
        {"email": email, "at": at, "after": locks_after, "until": until},
    )


def end_attempts(uow: UnitOfWork, user_id: UserId) -> None:
    """Forget failed attempts: the user has signed in."""
    uow.execute("update users set failures = 0, locked_until = null where id = %s", [user_id])


def write_session(
    uow: UnitOfWork,
    session_id: SessionId,
    user_id: UserId,
    digest: bytes,
    *,
    created_at: datetime,
    expires_at: datetime,
) -> None:
    """Write a new session."""
    uow.execute(
        "insert into sessions (tenant_id, id, user_id, digest, created_at, expires_at) values (%s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, session_id, user_id, digest, created_at, expires_at],
    )


def user_of_session(uow: UnitOfWork, digest: bytes, *, at: datetime) -> User | None:
    """Return the user of a session that is open at an instant; None where there is none."""
    row = uow.fetch_one(
        f"""
        select {_FIELDS} from sessions s join users u on u.id = s.user_id
        where s.digest = %s and s.ended_at is null and s.expires_at > %s and u.disabled_at is null
        """,
        [digest, at],
    )
    return None if row is None else _user_from(row)


def open_sessions(
    uow: UnitOfWork, user_id: UserId, *, digest: bytes, at: datetime, limit: int, after: SessionId | None
) -> list[Session]:
    """Return the sessions of a user that are open at an instant, the newest first; `digest` is of the one that asks."""
    rows = uow.fetch_all(
        """
        select id, created_at, expires_at, digest = %(digest)s from sessions
        where user_id = %(user)s and ended_at is null and expires_at > %(at)s
          and (%(after)s::uuid is null or id < %(after)s)
        order by id desc limit %(limit)s
        """,
        {"user": user_id, "digest": digest, "at": at, "limit": limit, "after": after},
    )
    return [Session(SessionId(session_id), *rest) for session_id, *rest in rows]


def lock_session(uow: UnitOfWork, user_id: UserId, session_id: SessionId) -> bool:
    """Lock a session of a user until the transaction ends; return whether it has not been ended.

    Raises:
        NotFound: the user has none with the id.
    """
    row = uow.fetch_one(
        "select ended_at is null from sessions where id = %s and user_id = %s for update", [session_id, user_id]
    )
    if row is None:
        raise NotFound("you have no session with this id")
    return bool(row[0])


def end_session_with(uow: UnitOfWork, session_id: SessionId, *, at: datetime) -> None:
    """End the session with this id."""
    uow.execute("update sessions set ended_at = %s where id = %s", [at, session_id])


def end_session_of(uow: UnitOfWork, digest: bytes, *, at: datetime) -> None:
    """End the session of a text, unless it has ended."""
    uow.execute("update sessions set ended_at = %s where ended_at is null and digest = %s", [at, digest])


def end_sessions(uow: UnitOfWork, user_id: UserId, *, at: datetime, but: bytes | None = None) -> None:
    """End the sessions of a user, all but the one whose text has the digest `but`."""
    uow.execute(
        "update sessions set ended_at = %s where ended_at is null and user_id = %s and digest is distinct from %s",
        [at, user_id, but],
    )


def _user_from(row: Row) -> User:
    user_id, email, name, role, *rest = row
    return User(UserId(user_id), email, name, Role(role), *rest)
