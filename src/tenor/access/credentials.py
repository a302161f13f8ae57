"""The text of an API key: how it is written, read, and known to be no typo before any database is asked.

`tnr_live_` or `tnr_test_` (`tnr_session_` for a session, which is a key for a while), then 33 letters of secret (192
random bits), 22 letters that are the tenant's id, and 6 letters of checksum, all in base 62. The tenant stands in the
text so that the key can be looked up under row-level security, in a transaction of that tenant: no function and no
table has to see the keys of all tenants. Whoever puts another tenant's id into a text of his own finds no key there
that has its digest.

Source: docs/adr/0021-a-key-names-its-tenant.md.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from tenor.kernel.errors import Malformed
from tenor.kernel.ids import TenantId

SECRET_BYTES: Final = 24
"""Random bytes of a key."""

HINT_LENGTH: Final = 15
"""First letters of a key that may be shown: the mode and six letters of the secret, which leave 157 bits unsaid."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_SECRET_LETTERS: Final = 33
_TENANT_LETTERS: Final = 22
_CHECKSUM_LETTERS: Final = 6
_TEXT: Final = re.compile(
    rf"tnr_(live|test|session)_[0-9A-Za-z]{{{_SECRET_LETTERS}}}([0-9A-Za-z]{{{_TENANT_LETTERS}}})"
    rf"([0-9A-Za-z]{{{_CHECKSUM_LETTERS}}})",
    re.ASCII,
)


class Mode(StrEnum):
    """What a text is: a key of a tenant, one of a sandbox, or the session of somebody who has signed in."""

    LIVE = "live"
    TEST = "test"
    SESSION = "session"


class NotACredential(Malformed):
    """A text that is no API key or session: mistyped, cut off, or something else."""

    code = "not_a_credential"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the text of a key says of itself; whether there is such a key, only the database knows."""

    mode: Mode
    tenant_id: TenantId
    digest: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    """What only the holder of the text knows; it cannot be had from `digest`, which is stored."""


def write_credential(mode: Mode, tenant_id: TenantId, secret: bytes) -> str:
    """Return the text of a key; `secret` are `SECRET_BYTES` random bytes."""
    letters = _letters(int.from_bytes(secret), _SECRET_LETTERS) + _letters(tenant_id.int, _TENANT_LETTERS)
    said = f"tnr_{mode}_{letters}"
    return said + _checksum(said)


def read_credential(text: str) -> Credential:
    """Read the text of a key.

    Raises:
        NotACredential: it has another form, or its checksum is wrong. The message repeats nothing of it.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise NotACredential("this is no API key; one begins with tnr_live_ or tnr_test_ and has 70 characters")
    mode, tenant, checksum = found.groups()
    number = _number(tenant)
    if checksum != _checksum(text[:-_CHECKSUM_LETTERS]) or number >> 128:
        raise NotACredential("the checksum of this API key is wrong: a letter is missing or mistyped")
    return Credential(Mode(mode), TenantId(UUID(int=number)), digest_of(text), text.encode())


def digest_of(text: str) -> bytes:
    """Return what is stored of a key.

    A plain SHA-256 is enough: with 192 random bits there is nothing to be guessed, which is what slow hashes are for.
    """
    return hashlib.sha256(text.encode()).digest()


def _checksum(text: str) -> str:
    return _letters(zlib.crc32(text.encode()), _CHECKSUM_LETTERS)


def _letters(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[rest])
    return "".join(reversed(letters))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * len(_ALPHABET) + _VALUES[letter]
    return number
