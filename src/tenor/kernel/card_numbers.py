"""Card numbers: what looks like one must not be kept, whoever sends it and wherever."""

import re
from itertools import accumulate
from typing import Final

_RUN: Final = re.compile(
    r"""(?<!\w)(?<![A-Z]{2}\d\d\ )               # no part of a word, and not what follows the head of an IBAN
        \d{3,19}(?:[\s.\-\u2010-\u2015\u200b-\u200d\u2060]{1,3}\d{3,19})*  # alone, or in groups of three and more
        (?!\w)""",
    re.VERBOSE,
)
_GROUPS_MAX: Final = 6
"""Groups of three digits and more that a number of nineteen can have."""
_OF_A_NETWORK: Final = re.compile(
    r"""4(\d{12}|\d{15}|\d{18})                                                  # Visa
        |(5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}          # Mastercard
        |3[47]\d{13}                                                             # American Express
        |3(0[0-5]|095|[689]\d)\d{11,16}                                          # Diners Club
        |(35(2[89]|[3-8]\d)|220[0-4])\d{12,15}                                   # JCB, Mir
        |(6011|64[4-9]\d|65\d\d|62\d\d|60\d\d|81\d\d)\d{12,15}                   # Discover, UnionPay, RuPay
        |(5018|5020|5038|5893|6304|6759|676[123])\d{8,15}                        # Maestro""",
    re.VERBOSE | re.ASCII,
)
"""Beginnings and lengths that the networks publish for ISO/IEC 7812-1."""


def holds_card_number(text: str) -> bool:
    """Whether `text` holds what looks like a payment card's number: its beginning, its length, its check digit (Luhn).

    Digits of any script, written together or in groups, among other digits too (an expiry date behind it). Of random
    numbers of sixteen digits one in thirty passes by chance: ask only of words that people write, not of names that
    machines give. A letter before the first digit makes such a name of it.
    """
    return any(_is_card_number(digits) for run in _RUN.findall(text) for digits in _stretches(run))


def _stretches(run: str) -> list[str]:
    """Return the digits of each stretch of whole groups that may be as long as a card number."""
    groups = ["".join(str(int(digit)) for digit in group) for group in re.findall(r"\d+", run)]
    return [digits for first in range(len(groups)) for digits in accumulate(groups[first : first + _GROUPS_MAX])]


def _is_card_number(digits: str) -> bool:
    return _OF_A_NETWORK.fullmatch(digits) is not None and _passes_luhn([int(digit) for digit in digits])


def _passes_luhn(digits: list[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
