"""What a caller has in hand, as the API reads it: exact decimals and instants are texts in JSON."""

import json
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

Number: TypeAlias = Decimal | str
"""An amount, price, quantity or percentage: `Decimal("12.50")` or "12.50"; never a float."""
Instant: TypeAlias = datetime | str
"""A point in time with its zone: a datetime that has one, or "2026-01-31T00:00:00Z"."""


def as_json(body: object) -> bytes:
    """Return a body as JSON.

    Raises:
        ValueError: a datetime has no zone, or a number is NaN or infinite.
        TypeError: there is something else that JSON has no form for.
    """
    return json.dumps(body, default=as_text, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def as_text(value: object) -> str:
    """Return a decimal or an instant as text; see `as_json` for what is raised."""
    match value:
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case Decimal():
            raise ValueError(f"{value} is no number that can be billed")
        case datetime(tzinfo=None):
            raise ValueError(f"{value!r} names no time zone: give it one, e.g. tzinfo=datetime.UTC")
        case datetime():
            return value.isoformat()
        case _:
            raise TypeError(f"{value!r} is a {type(value).__name__}, which the API has no form for")
