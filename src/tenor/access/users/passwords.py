"""Passwords: argon2id, a few at a time, and the same time for a user who is not there."""

from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
"""Long ones are welcome; what kind of letters they hold is nobody's business (NIST SP 800-63B)."""

_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_AT_ONCE: Final = BoundedSemaphore(2)
"""Each hash takes 64 MiB and tens of milliseconds: signing in must not starve everything else."""

_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$Sp2pSMB4E0WZ1A2+cpBpMbXYoWnLuEWWDBWQ3rGNEUo"
"""A hash that no password gives, checked where there is no user, so that both take the same time."""


def hashed(password: str) -> str:
    """Return what is stored of a password."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Whether a password is the one that was stored; never, where none was."""
    with _AT_ONCE:
        try:
            _HASHER.verify(stored or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None
