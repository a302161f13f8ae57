"""Scenarios of a wallet alone: grants are made, credit is used, and facts say what is left of it at instants.

Nothing is sold, so there are no customers and no documents. Every fact is read from the wallet as the steps up to
its instant left it; what a step in the list says of an earlier instant is taken in where it stands in the list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any, Final, Protocol

from tenor.conformance.cases import Case
from tenor.conformance.compare import equals
from tenor.conformance.scenario.grant_burning import BurningBook
from tenor.conformance.scenario.grant_reading import Setting, read_setting, read_steps
from tenor.conformance.scenario.grant_spending import SpendingBook
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.strict import NotRunnable, only
from tenor.kernel.errors import Refusal
from tenor.kernel.money import EXACT
from tenor.kernel.period import parse_instant
from tenor.wallets.model import ZERO, Grant
from tenor.wallets.rules.burning import in_burn_order

Fact = Mapping[str, Any]

_PLACE: Final = frozenset({"at", "after_step", "before_step", "source_line", "window", "from", "to", "error"})
"""Keys of a fact that say where and how it is read."""


class Book(Protocol):
    """What is written down of one wallet while the steps are played, and what can be read of it."""

    @property
    def grants(self) -> Sequence[Grant]:
        """The grants that were made."""

    def balances(self, at: datetime) -> Mapping[str, Decimal]:
        """Return what each grant has left at an instant."""

    def can_do(self, verb: str) -> str | None:
        """Return the arguments that a verb takes; None for a verb that is not built."""

    def do(self, step: Step) -> None:
        """Do one step."""

    def read(self, key: str, fact: Fact, at: datetime) -> Any:
        """Return a figure that only this kind of wallet has, as of an instant."""


@dataclass(slots=True)
class Play:
    """The steps of one case, and which of them were refused."""

    setting: Setting
    steps: Sequence[Step]
    open_book: Callable[[Setting], Book]
    refused: dict[int, Refusal] = field(default_factory=dict)

    def through(self, is_seen: Callable[[Step], bool]) -> Book:
        """Return a new book with the steps that are seen; those that were refused are left out."""
        book = self.open_book(self.setting)
        for step in self.steps:
            if is_seen(step) and step.number not in self.refused:
                self._do(book, step)
        return book

    def note_refusals(self) -> None:
        """Do all steps, and keep which of them are refused."""
        book = self.open_book(self.setting)
        for step in self.steps:
            try:
                self._do(book, step)
            except NotRunnable:
                raise
            except Refusal as refusal:
                self.refused[step.number] = refusal

    def _do(self, book: Book, step: Step) -> None:
        known = book.can_do(step.verb)
        if known is None:
            raise NotRunnable(f"step {step.number}: the verb {step.verb!r} is not built yet")
        only(step.body, known.split(), f"step {step.number} ({step.verb})")
        book.do(step)


def play_alone(case: Case) -> Mapping[str, Any]:
    """Play a scenario of a wallet alone; return, as `unmet`, one sentence for each fact that was not met.

    Usage burns a wallet of units down by itself; a wallet of money is drawn when something is to be paid.

    Raises:
        NotRunnable: the scenario asks for something that is not built yet.
    """
    open_book: Callable[[Setting], Book] = BurningBook if case.body.get("unit") == "units" else SpendingBook
    with localcontext(EXACT):
        play = Play(read_setting(case), read_steps(case), open_book)
        play.note_refusals()
        unmet = _unexpected_refusals(play, case.expect)
        for number, fact in enumerate(case.expect):
            unmet += [f"fact {number} at {fact.get('at')}: {sentence}" for sentence in _differences(play, fact)]
    return {"unmet": unmet}


def _unexpected_refusals(play: Play, facts: Sequence[Fact]) -> list[str]:
    """Return a sentence for each step that was refused and should not be, or the other way round."""
    foretold = {parse_instant(fact["at"]) for fact in facts if fact.get("error") and "at" in fact}
    unmet = [
        f"step {number} was refused: {refusal.message}"
        for number, refusal in play.refused.items()
        if not play.steps[number].is_refused and play.steps[number].at not in foretold
    ]
    unmet += [
        f"step {step.number} should have been refused"
        for step in play.steps
        if step.is_refused and step.number not in play.refused
    ]
    refused_at = {play.steps[number].at for number in play.refused}
    return unmet + [f"nothing was refused at {at}" for at in sorted(foretold) if at not in refused_at]


def _differences(play: Play, fact: Fact) -> list[str]:
    """Return a sentence for each figure that is not met; an error without an instant is about the reading itself."""
    if fact.get("error") and "at" not in fact:
        return _readings(play, fact, {"windows": None}, "should have been refused")
    return _readings(play, fact, {key: wanted for key, wanted in fact.items() if key not in _PLACE})


def _readings(play: Play, fact: Fact, asked: Fact, refusal_wanted: str = "") -> list[str]:
    found: list[str] = []
    if not asked:
        return found
    book, at = _seen(play, fact)
    for key, wanted in asked.items():
        try:
            got = _READERS[key](play, book, fact, at) if key in _READERS else book.read(key, fact, at)
        except Refusal as refusal:
            if isinstance(refusal, NotRunnable) or not refusal_wanted:
                found.append(f"{key}: {refusal.code}: {refusal.message}")
        else:
            if refusal_wanted or not equals(key, wanted, got):
                found.append(f"{key}: {refusal_wanted or f'expected {wanted}, got {got}'}")
    return found


def _others(book: Book, fact: Fact, at: datetime) -> Decimal | None:
    """Return what each grant has left that the fact does not name; None where they differ."""
    left = {amount for name, amount in book.balances(at).items() if name not in fact.get("grant_balances", {})}
    return left.pop() if len(left) == 1 else None


def _burn_order(play: Play, book: Book, at: datetime) -> list[str]:
    active = [grant for grant in book.grants if grant.is_active(at)]
    return [grant.id for grant in in_burn_order(active, play.setting.policy.credits.burn_order)]


_READERS: Final[Mapping[str, Callable[[Play, Book, Fact, datetime], Any]]] = {
    "wallet_balance": lambda _play, book, _fact, at: sum(book.balances(at).values(), ZERO),
    "grant_balances": lambda _play, book, _fact, at: book.balances(at),
    "grant_balances_others": lambda _play, book, fact, at: _others(book, fact, at),
    "burn_order": lambda play, book, _fact, at: _burn_order(play, book, at),
    "voided_at": lambda _play, book, _fact, _at: max(
        (grant.voided_at for grant in book.grants if grant.voided_at), default=None
    ),
}
"""How the facts are read that every wallet has."""


def _seen(play: Play, fact: Fact) -> tuple[Book, datetime]:
    """Return the book as a fact sees it, and the instant as of which it is read."""
    if "after_step" in fact or "before_step" in fact:
        last = fact["after_step"] if "after_step" in fact else fact["before_step"] - 1
        at = play.steps[fact.get("after_step", fact.get("before_step"))].at or datetime.max.replace(tzinfo=UTC)
        return play.through(lambda step: step.number <= last), parse_instant(fact["at"]) if "at" in fact else at
    at = play.setting.up(parse_instant(fact["at"] if "at" in fact else fact["to"]))
    return play.through(lambda step: step.at is None or step.at <= at or step.body.get("booked", False)), at
