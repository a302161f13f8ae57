"""What somebody may have meant who wrote a name that there is not."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

WORD_LENGTH_MAX: Final = 100
"""Longer words are compared with nothing: to compare costs the square of the length."""

NAMES_TOLD_MAX: Final = 30


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `word`; None when none is much like it. Case does not count."""
    if len(word) > WORD_LENGTH_MAX:
        return None
    by_small_letters = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_small_letters, n=1)
    return by_small_letters[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return words that follow those on an unknown name: the closest one, or all that there are where none is close."""
    names = sorted(known)
    meant = closest(word, names)
    if meant is not None:
        return f" (did you mean {meant!r}?)"
    told = ", ".join([*names[:NAMES_TOLD_MAX], *(["…"] if len(names) > NAMES_TOLD_MAX else [])])
    return f"; there are {told}" if names else ""
