"""Signatures of Standard Webhooks 1.0: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from tenor.webhooks.errors import MalformedEndpoint

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the published prefix of every secret, not one
TOLERANCE_SECONDS: Final = 300
"""How far the time of a message may be from the receiver's, either way."""
SIGNATURES_MAX: Final = 20
"""How many signatures of a header are looked at, so that a long header costs nothing."""


def secret_text(key: bytes) -> str:
    """Return a key as it is shown to people: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def secret_key(text: str) -> bytes:
    """Return the key that a secret stands for; the prefix may be missing.

    Raises:
        MalformedEndpoint: what follows the prefix is not base64.
    """
    try:
        return base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedEndpoint("a secret is 'whsec_' and base64 text") from None


def sign(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of one message; `timestamp` is in seconds since 1970."""
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signature_header(keys: Iterable[bytes], *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature for each live key, separated by spaces."""
    return " ".join(sign(key, message_id=message_id, timestamp=timestamp, body=body) for key in keys)


def verify(keys: Iterable[bytes], header: str, *, message_id: str, timestamp: int, body: bytes, now: int) -> bool:
    """Return whether one signature of `header` is right for one of the keys, and the message neither old nor ahead.

    Signatures of other versions do not count. Compares in a time that does not tell how much was right.
    """
    if abs(now - timestamp) > TOLERANCE_SECONDS:
        return False
    given = [part.encode(errors="replace") for part in header.split(" ")[:SIGNATURES_MAX]]
    right = [sign(key, message_id=message_id, timestamp=timestamp, body=body).encode() for key in keys]
    return any(hmac.compare_digest(one, other) for one in given for other in right)
