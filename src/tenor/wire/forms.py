"""How values look in JSON: instants, days, decimals and amounts are text, so that no program reads a float."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias, overload

from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain

Instant: TypeAlias = str
"""ISO 8601 in UTC: '2026-01-31T00:00:00Z'."""
Day: TypeAlias = str
"""A civil day: '2026-01-31'."""
DecimalText: TypeAlias = str
"""A plain decimal: '2.5'."""
Amount: TypeAlias = str
"""An amount in major units with the digits of its currency: '72.00' USD, '100' JPY."""


@overload
def instant(value: datetime) -> Instant: ...
@overload
def instant(value: datetime | None) -> Instant | None: ...
def instant(value: datetime | None) -> Instant | None:
    """Return an instant as text."""
    return None if value is None else format_instant(value)


def day(value: date | None) -> Day | None:
    """Return a civil day as text."""
    return None if value is None else value.isoformat()


def decimals(values: Mapping[str, Decimal]) -> dict[str, DecimalText]:
    """Return decimals as text."""
    return {name: plain(value) for name, value in values.items()}


def amount(minor: int, currency: str) -> Amount:
    """Return an amount of minor units as text."""
    return format_minor(minor, currency)
