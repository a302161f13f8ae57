"""Whether a call is a repetition of another one, by the key that its caller gave it: pure, without a database.

Source: the IETF draft draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tenor.kernel.errors import Conflict, Malformed, Refusal

KEY_LENGTH_MAX: Final = 255
KEPT_FOR: Final = timedelta(hours=24)
"""How long a key stands for its call."""


class KeyMalformed(Malformed):
    """An idempotency key of no, too many, or unprintable characters."""

    code = "idempotency_key_malformed"


class KeyReused(Refusal):
    """An idempotency key under which another call was answered."""

    code = "idempotency_key_reused"


class CallStillRunning(Conflict):
    """A call whose twin, with the same idempotency key, has not been answered yet."""

    code = "idempotency_call_running"


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may be repeated: its key, the digest of all that it asks for, and what seals its answer."""

    key: str
    fingerprint: bytes
    seal: bytes = field(repr=False)


def request(key: str, *asked: bytes, secret: bytes) -> Request:
    """Return a call with this key; `asked` are the parts that make it what it is, `secret` is the caller's own.

    The same call under another secret is another call.

    Raises:
        KeyMalformed: as said.
    """
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise KeyMalformed(f"an idempotency key has 1 to {KEY_LENGTH_MAX} printable ASCII characters")
    return Request(key, _digest(secret, *asked), _digest(b"seal", secret, key.encode()))


def is_repetition(call: Request, *, of: bytes, answered_at: datetime, at: datetime) -> bool:
    """Whether a call repeats the one with the fingerprint `of`, which was answered under its key.

    An answer that has expired gives its key free.

    Raises:
        KeyReused: the key stands for another call.
    """
    if at >= answered_at + KEPT_FOR:
        return False
    if of != call.fingerprint:
        raise KeyReused("this idempotency key was used for another call; take a new one for each", key=call.key)
    return True


def _digest(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).digest()
