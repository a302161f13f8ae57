"""Access: who may call the engine from outside, and what they may do."""

from tenor.access.authenticating import Caller, Unauthenticated, authenticate
from tenor.access.credentials import Credential, Mode, NotACredential, read_credential
from tenor.access.model import ApiKey, IssuedKey, MalformedKey
from tenor.access.operations.create_key import create_key
from tenor.access.operations.revoke_key import revoke_key
from tenor.access.operations.rotate_key import KeyNotRotatable, rotate_key
from tenor.access.scopes import AREAS, EVERYTHING, ScopeMissing, UnknownScope, require_scope
from tenor.access.store import find_key, list_keys

__all__ = [
    "AREAS",
    "EVERYTHING",
    "ApiKey",
    "Caller",
    "Credential",
    "IssuedKey",
    "KeyNotRotatable",
    "MalformedKey",
    "Mode",
    "NotACredential",
    "ScopeMissing",
    "Unauthenticated",
    "UnknownScope",
    "authenticate",
    "create_key",
    "find_key",
    "list_keys",
    "read_credential",
    "require_scope",
    "revoke_key",
    "rotate_key",
]
