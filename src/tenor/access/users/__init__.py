"""Users: the people of a tenant, what their role lets them do, and their sessions."""

from tenor.access.users.model import SCOPES, NewUser, OpenedSession, Role, User
from tenor.access.users.operations import (
    LastOwner,
    MalformedUser,
    UserExists,
    change_role,
    create_user,
    disable_user,
    set_password,
)
from tenor.access.users.sessions import authenticate_session, end_session, sign_in
from tenor.access.users.store import find_user, find_user_by_email, list_users

__all__ = [
    "SCOPES",
    "LastOwner",
    "MalformedUser",
    "NewUser",
    "OpenedSession",
    "Role",
    "User",
    "UserExists",
    "authenticate_session",
    "change_role",
    "create_user",
    "disable_user",
    "end_session",
    "find_user",
    "find_user_by_email",
    "list_users",
    "set_password",
    "sign_in",
]
