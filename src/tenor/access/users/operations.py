"""Create users, change what they may do, set their passwords, disable them."""

import re
from datetime import datetime
from typing import Final

from tenor.access.credentials import Credential
from tenor.access.users.model import NewUser, Role, User
from tenor.access.users.passwords import LENGTH_MAX, LENGTH_MIN, hashed
from tenor.access.users.sessions import knows_password
from tenor.access.users.store import (
    end_sessions,
    is_email_taken,
    lock_owners,
    lock_user,
    rewrite_user,
    write_password,
    write_user,
)
from tenor.kernel.errors import Conflict, Malformed
from tenor.kernel.ids import UserId, new_id
from tenor.platform.telling import tell
from tenor.platform.unit_of_work import UnitOfWork

_EMAIL: Final = re.compile(r"[^\s@\0]+@[^\s@\0]+\.[^\s@\0]+")


class MalformedUser(Malformed):
    """Details that no user can have."""

    code = "malformed_user"


class UserExists(Conflict):
    """An email address that another user of the tenant has."""

    code = "user_exists"


class LastOwner(Conflict):
    """A change after which the tenant would have no owner."""

    code = "last_owner"


def create_user(uow: UnitOfWork, asked: NewUser, *, now: datetime, actor: str, reason: str) -> User:
    """Let somebody in. `now` is of the wall clock.

    Raises:
        MalformedUser: no email address, no name, or a password that is too short or too long.
        UserExists: as said.
    """
    email = asked.email.lower()
    if not (_EMAIL.fullmatch(email) and len(email) <= 254):
        raise MalformedUser(f"{asked.email[:60]!r} is no email address")
    if not 0 < len(asked.name) <= 200 or not asked.name.isprintable():
        raise MalformedUser("the name of a user has 1 to 200 printable characters")
    password_hash = None if asked.password is None else hashed(_sound(asked.password, email))
    uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"user {uow.tenant_id} {email}"])
    if is_email_taken(uow, email):
        raise UserExists("a user with this email address is there already")
    user = User(UserId(new_id(now)), email, asked.name, asked.role, password_hash is not None, None, now, None)
    write_user(uow, user, password_hash)
    tell(uow, "user.created", user.id, {"role": user.role.value}, now=now, actor=actor, reason=reason)
    return user


def change_role(uow: UnitOfWork, user_id: UserId, role: Role, *, now: datetime, actor: str, reason: str) -> None:
    """Change what a user may do; it holds from the next call of every session.

    Raises:
        NotFound: there is no such user.
        LastOwner: nobody else is an owner.
    """
    _require_another_owner(uow, user_id, is_kept=role is Role.OWNER)
    user = lock_user(uow, user_id)
    rewrite_user(uow, user_id, role=role, disabled_at=user.disabled_at)
    facts = {"role": role.value, "before": user.role.value}
    tell(uow, "user.role_changed", user_id, facts, now=now, actor=actor, reason=reason)


def disable_user(uow: UnitOfWork, user_id: UserId, *, now: datetime, actor: str, reason: str) -> None:
    """Let somebody in no longer; all sessions end. Repeatable.

    Raises:
        NotFound: there is no such user.
        LastOwner: nobody else is an owner.
    """
    _require_another_owner(uow, user_id, is_kept=False)
    user = lock_user(uow, user_id)
    if user.disabled_at is not None:
        return
    rewrite_user(uow, user_id, role=user.role, disabled_at=now)
    end_sessions(uow, user_id, at=now)
    tell(uow, "user.disabled", user_id, {"role": user.role.value}, now=now, actor=actor, reason=reason)


def set_password(uow: UnitOfWork, user_id: UserId, password: str, *, now: datetime, actor: str, reason: str) -> None:
    """Set a new password; all sessions of the user end.

    Raises:
        NotFound: there is no such user.
        MalformedUser: the password is too short or too long, or is the email address.
    """
    user = lock_user(uow, user_id)
    write_password(uow, user_id, hashed(_sound(password, user.email)))
    end_sessions(uow, user_id, at=now)
    tell(uow, "user.password_set", user_id, {}, now=now, actor=actor, reason=reason)


def change_own_password(
    uow: UnitOfWork,
    user: User,
    *,
    old: str,
    new: str,
    credential: Credential,
    now: datetime,
    actor: str,
    reason: str,
) -> bool:
    """Set a new password for who knows the old one; all sessions but that of `credential` end.

    Returns False where the old one is wrong, or where too many attempts were: commit the transaction all the same, for
    it counts the attempt as one to sign in.

    Raises:
        MalformedUser: the new password is too short or too long, or is the email address.
    """
    _sound(new, user.email)
    if not knows_password(uow, user.email, old, now=now):
        return False
    write_password(uow, user.id, hashed(new))
    end_sessions(uow, user.id, at=now, but=credential.digest)
    tell(uow, "user.password_set", user.id, {}, now=now, actor=actor, reason=reason)
    return True


def _sound(password: str, email: str) -> str:
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise MalformedUser(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters")
    if password.lower() == email:
        raise MalformedUser("a password is not the email address")
    return password


def _require_another_owner(uow: UnitOfWork, user_id: UserId, *, is_kept: bool) -> None:
    if not is_kept and lock_owners(uow) == [user_id]:
        raise LastOwner("the tenant would have no owner; make another user one first")
