"""Access: who may call the engine from outside, and what they may do."""

from tenor.access.authenticating import Caller, authenticate
from tenor.access.credentials import Credential, Mode, NotACredential, read_credential
<<<<<<< HEAD
from tenor.access.model import ApiKey, IssuedKey, MalformedKey, NotASession, PasswordWrong, Unauthenticated
=======
from tenor.access.model import ApiKey, IssuedKey, KeyOutlivesCaller, MalformedKey, NotASession, Unauthenticated
>>>>>>> attacker
from tenor.access.operations.create_key import create_key
from tenor.access.operations.revoke_key import revoke_key
from tenor.access.operations.rotate_key import KeyNotRotatable, rotate_key
from tenor.access.scopes import AREAS, EVERYTHING, ScopeMissing, UnknownScope, holds_scope, require_scope
from tenor.access.store import find_key, list_keys
from tenor.access.users import (
    SCOPES,
    LastOwner,
    MalformedUser,
    NewUser,
    OpenedSession,
    Role,
    Session,
    User,
    UserExists,
    authenticate_session,
    change_own_password,
    change_role,
    create_user,
    disable_user,
    end_own_session,
    end_session,
    find_user,
    find_user_by_email,
    list_sessions,
    list_users,
    set_password,
    sign_in,
)

__all__ = [
    "AREAS",
    "EVERYTHING",
    "SCOPES",
    "ApiKey",
    "Caller",
    "Credential",
    "IssuedKey",
    "KeyNotRotatable",
    "KeyOutlivesCaller",
    "LastOwner",
    "MalformedKey",
    "MalformedUser",
    "Mode",
    "NewUser",
    "NotACredential",
    "NotASession",
    "OpenedSession",
    "PasswordWrong",
    "Role",
    "ScopeMissing",
    "Session",
    "Unauthenticated",
    "UnknownScope",
    "User",
    "UserExists",
    "authenticate",
    "authenticate_session",
    "change_own_password",
    "change_role",
    "create_key",
    "create_user",
    "disable_user",
    "end_own_session",
    "end_session",
    "find_key",
    "find_user",
    "find_user_by_email",
    "holds_scope",
    "list_keys",
    "list_sessions",
    "list_users",
    "read_credential",
    "require_scope",
    "revoke_key",
    "rotate_key",
    "set_password",
    "sign_in",
]
