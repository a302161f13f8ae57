"""Values to the bytes of JSON: decimals and instants as text, never a float."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain


def encode(value: object) -> bytes:
    """Return a value as JSON. What has no form of its own, in the facts behind a refusal, is told as its text."""
    return msgspec.json.encode(_plain(value), enc_hook=str)


def _plain(value: Any) -> Any:
    """Return a value with the forms that the encoder would write otherwise."""
    match value:
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(part) for part in value]
        case Decimal():
            return plain(value)
        case datetime():
            return format_instant(value)
        case UUID():
            return str(value)
        case _:
            return value
