"""What is wrong with a price book file: every problem with its place, all of them at once."""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

from tenor.kernel.errors import Malformed

SHOWN_MAX: Final = 100
"""A message shows this many problems; the refusal carries them all."""


class Place(NamedTuple):
    """A position in a file, counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing wrong: where (`path` is like `plans[0].charges[2].amount`), what, and perhaps what to do."""

    line: int
    column: int
    path: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}"
        where = f"{place}: {self.path}: " if self.path else f"{place}: "
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")


class RefusedFile(Malformed):
    """A file that nothing is made of; nothing has changed. `problems` are sorted by their place."""

    thing: ClassVar[str]
    """What the file was to be."""

    def __init__(self, problems: Iterable[Problem], /) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda problem: problem[:4]))
        count = len(self.problems)
        lines = [str(problem) for problem in self.problems[:SHOWN_MAX]]
        if count > SHOWN_MAX:
            lines.append(f"and {count - SHOWN_MAX} more")
        headline = f"{self.thing} has {count} problem{'s' if count > 1 else ''}:"
        super().__init__("\n  ".join([headline, *lines]), problems=[problem._asdict() for problem in self.problems])


class RefusedPriceBook(RefusedFile):
    """A price book that is not applied."""

    thing = "the price book"


class MalformedPriceBook(RefusedPriceBook):
    """A file that says something a price book cannot say, or contradicts itself."""

    code = "malformed_price_book"


class ConflictingPriceBook(RefusedPriceBook):
    """A file that is right by itself, but contradicts what is already applied."""

    code = "conflicting_price_book"
