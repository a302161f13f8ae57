"""Ratchet: quantities that may rise at once but fall only when the period renews."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple


class Ratcheted(NamedTuple):
    """The quantities that hold `at_once`, and those that hold `at_renewal`."""

    at_once: Mapping[str, Decimal]
    at_renewal: Mapping[str, Decimal]


def ratcheted(held: Mapping[str, Decimal], asked: Mapping[str, Decimal]) -> Ratcheted:
    """Split the quantities asked for by whether they are below those that are held now."""
    falling = {code: units for code, units in asked.items() if units < held.get(code, units)}
    return Ratcheted({code: units for code, units in asked.items() if code not in falling}, falling)
