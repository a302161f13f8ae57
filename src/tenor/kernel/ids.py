"""Identifiers: UUIDv7 inside, TypeID (`sub_01h…`) on the wire, one Python type per kind of thing."""

import hashlib
import os
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType

from tenor.kernel.errors import Malformed

TenantId = NewType("TenantId", uuid.UUID)
CustomerId = NewType("CustomerId", uuid.UUID)
SubscriptionId = NewType("SubscriptionId", uuid.UUID)
ItemId = NewType("ItemId", uuid.UUID)
PlanVersionId = NewType("PlanVersionId", uuid.UUID)
ChargeId = NewType("ChargeId", uuid.UUID)
InvoiceId = NewType("InvoiceId", uuid.UUID)
BillRunId = NewType("BillRunId", uuid.UUID)
TransferId = NewType("TransferId", uuid.UUID)
EventId = NewType("EventId", uuid.UUID)
DiscountId = NewType("DiscountId", uuid.UUID)
CouponId = NewType("CouponId", uuid.UUID)
PromotionCodeId = NewType("PromotionCodeId", uuid.UUID)
AdjustmentId = NewType("AdjustmentId", uuid.UUID)
PaymentId = NewType("PaymentId", uuid.UUID)
ContractId = NewType("ContractId", uuid.UUID)
OverrideId = NewType("OverrideId", uuid.UUID)
WalletId = NewType("WalletId", uuid.UUID)
GrantId = NewType("GrantId", uuid.UUID)
EndpointId = NewType("EndpointId", uuid.UUID)
WalletUseId = NewType("WalletUseId", uuid.UUID)
TopUpId = NewType("TopUpId", uuid.UUID)
KeyId = NewType("KeyId", uuid.UUID)
UsageAlertId = NewType("UsageAlertId", uuid.UUID)
UserId = NewType("UserId", uuid.UUID)
SessionId = NewType("SessionId", uuid.UUID)

PREFIXES: Final = {
    "ten": "tenant",
    "cus": "customer",
    "sub": "subscription",
    "itm": "subscription item",
    "plv": "plan version",
    "chg": "charge",
    "inv": "invoice",
    "run": "bill run",
    "trf": "transfer",
    "evt": "event",
    "cpn": "coupon",
    "dis": "discount",
    "prm": "promotion code",
    "adj": "adjustment",
    "pay": "payment",
    "rfd": "refund request",
    "pro": "proforma",
    "wof": "write-off",
    "ctr": "contract",
    "ovr": "entitlement override",
    "tov": "tax override",
    "wal": "wallet",
    "grt": "credit grant",
    "use": "use of a wallet",
    "top": "top-up",
    "rej": "usage rejection",
    "key": "API key",
    "ual": "usage alert",
    "whe": "webhook endpoint",
    "usr": "user",
    "ses": "session",
    "pbk": "price book",
    "txr": "tax rate",
    "rgr": "recurring grant",
    "uev": "usage event",
    "aud": "audit record",
}
"""Every prefix on the wire and the thing it names."""

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, as the TypeID specification asks
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_TEXT_LENGTH: Final = 26
ENTROPY_BYTES: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NotAnId(Malformed):
    """A text that is not an id of the kind asked for."""

    code = "not_an_id"


def new_id(now: datetime) -> uuid.UUID:
    """Return a fresh UUIDv7 whose time part is `now` (RFC 9562), so that ids made later sort later."""
    return id_of(_version_7(_milliseconds(now), os.urandom(ENTROPY_BYTES)))


def derived_id(now: datetime, *parts: bytes) -> uuid.UUID:
    """Return the one UUIDv7 that belongs to `now` and `parts`.

    The same arguments give the same id, so that a bill run that is killed and started again writes
    the same documents. The 74 free bits come from BLAKE2b over the length-prefixed parts.
    """
    framed = b"".join([len(part).to_bytes(4) + part for part in parts])
    entropy = hashlib.blake2b(framed, digest_size=ENTROPY_BYTES).digest()
    return id_of(_version_7(_milliseconds(now), entropy))


def id_of(number: int) -> uuid.UUID:
    """Return the id that is this number of 128 bits.

    Fills its fields as the constructor of UUID does, without first finding out which of five forms it was given: that
    is most of its time, and a bill run makes and reads a dozen ids for each invoice.
    """
    made = object.__new__(uuid.UUID)
    object.__setattr__(made, "int", number)
    object.__setattr__(made, "is_safe", uuid.SafeUUID.unknown)
    return made


def to_wire(prefix: str, value: uuid.UUID) -> str:
    """Return `value` as a TypeID: the prefix, an underscore and 26 letters of Crockford's base 32."""
    number = value.int
    letters = []
    for _ in range(_TEXT_LENGTH):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(letters))}"


def from_wire(prefix: str, text: str) -> uuid.UUID:
    """Read a TypeID of the kind `prefix`.

    Raises:
        NotAnId: the prefix differs, a letter is not in the alphabet, or the number exceeds 128 bits.
    """
    head, _, tail = text.rpartition("_")
    if head != prefix or len(tail) != _TEXT_LENGTH or tail[0] > "7":
        kind = PREFIXES.get(prefix, prefix)
        example = f"{prefix}_01h455vb4pex5vsknk084sn02q"
        raise NotAnId(f"{text[:60]!r} is no id of the kind '{kind}'; one looks like '{example}'")
    number = 0
    for letter in tail:
        if letter not in _VALUES:
            raise NotAnId(f"{text[:60]!r} holds {letter!r}, which no id contains")
        number = number << 5 | _VALUES[letter]
    return uuid.UUID(int=number)


def version_7(milliseconds: int, entropy: bytes) -> bytes:
    """Return the 16 bytes of a UUIDv7: the time since 1970, and 74 bits of the 10 bytes of `entropy`."""
    return _version_7(milliseconds, entropy).to_bytes(16)


@lru_cache(maxsize=256)  # a batch derives thousands of ids for one instant
def _milliseconds(now: datetime) -> int:
    return (now - _EPOCH) // timedelta(milliseconds=1)


def _version_7(milliseconds: int, entropy: bytes) -> int:
    random_bits = int.from_bytes(entropy)
    version_and_variant = 0x7 << 76 | 0b10 << 62
    high, low = random_bits >> 68 & 0x0FFF, random_bits & 0x3FFF_FFFF_FFFF_FFFF
    return (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | version_and_variant | high << 64 | low
