"""Users: the people of a tenant, what their role lets them do, and their sessions."""

from tenor.access.users.model import SCOPES, NewUser, OpenedSession, Role, Session, User
from tenor.access.users.operations import (
    LastOwner,
    MalformedUser,
    UserExists,
    change_own_password,
    change_role,
    create_user,
    disable_user,
    set_password,
)
from tenor.access.users.sessions import authenticate_session, end_own_session, end_session, list_sessions, sign_in
from tenor.access.users.store import find_user, find_user_by_email, list_users

__all__ = [
    "SCOPES",
    "LastOwner",
    "MalformedUser",
    "NewUser",
    "OpenedSession",
    "Role",
    "Session",
    "User",
    "UserExists",
    "authenticate_session",
    "change_own_password",
    "change_role",
    "create_user",
    "disable_user",
    "end_own_session",
    "end_session",
    "find_user",
    "find_user_by_email",
    "list_sessions",
    "list_users",
    "set_password",
    "sign_in",
]
