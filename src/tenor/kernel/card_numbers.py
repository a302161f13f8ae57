"""Card numbers: what looks like one must not be kept, whoever sends it and wherever."""

import re
from typing import Final

_DIGITS: Final = re.compile(r"(?<![0-9A-Za-z_])[2-6](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z])")
"""13 to 19 digits, maybe in groups, that begin as the numbers of the card networks do (ISO/IEC 7812)."""


def holds_card_number(text: str) -> bool:
    """Whether `text` holds what looks like a payment card's number: its length, its beginning, its check digit (Luhn).

    One in ten numbers of that length and beginning passes by chance: ask only of words that people write.
    """
    return any(_passes_luhn([int(digit) for digit in found if digit.isdigit()]) for found in _DIGITS.findall(text))


def _passes_luhn(digits: list[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
