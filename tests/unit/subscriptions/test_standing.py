"""What of a journal still holds, what lies ahead, and where it pauses."""

from datetime import UTC, datetime
from decimal import Decimal

from tenor.subscriptions.model import Cancelled, Change, Facts, Paused, QuantityChanged, Resumed, TermChanged, Undone
from tenor.subscriptions.rules.standing import agreed_end, pause_at, pauses, scheduled, standing, taken_back_with
from tests.unit.subscriptions.test_fold import subscribed


def day(day_of_month: int) -> datetime:
    return datetime(2026, 3, day_of_month, tzinfo=UTC)


def told(*facts: tuple[int, Facts]) -> list[Change]:
    """A journal: the start on 1 March, and what is told of later days."""
    entries = [
        Change(version, day(at), day(1), "test", "", entry) for version, (at, entry) in enumerate(facts, start=2)
    ]
    return [subscribed(at=day(1)), *entries]


def versions(changes: list[Change]) -> list[int]:
    return [change.version for change in changes]


def seats(count: int) -> QuantityChanged:
    return QuantityChanged({"seats": Decimal(count)})


def test_what_stands_is_in_order_of_effect_and_without_what_was_taken_back() -> None:
    journal = told((20, seats(1)), (10, seats(2)), (10, seats(3)), (20, Undone(2)), (10, Undone(3)))

    assert versions(standing(journal)) == [1, 4]


def test_an_undoing_that_names_an_undoing_says_nothing() -> None:
    assert versions(standing(told((20, seats(1)), (20, Undone(2)), (20, Undone(3))))) == [1]


def test_what_is_scheduled_takes_effect_after_now_and_is_never_the_start() -> None:
    journal = told((20, seats(1)), (15, seats(2)), (25, Cancelled()))

    assert versions(scheduled(journal, now=day(15))) == [2, 4]
    assert versions(scheduled(journal, now=datetime(2026, 2, 1, tzinfo=UTC))) == [3, 2, 4]
    assert scheduled(journal, now=day(25)) == []


def test_a_pause_holds_its_first_instant_and_not_its_last() -> None:
    journal = told((10, Paused()), (20, Resumed()))

    assert pause_at(journal, day(9)) is None
    (pause,) = pauses(journal)
    assert (pause.starts_at, pause.ends_at) == (day(10), day(20))
    assert pause_at(journal, day(10)) == pause_at(journal, day(19)) == pause
    assert pause_at(journal, day(20)) is None


def test_pausing_what_is_paused_and_resuming_what_runs_say_nothing() -> None:
    journal = told((5, Resumed()), (10, Paused()), (12, Paused()), (20, Resumed()), (22, Resumed()), (25, Paused()))

    assert [(pause.paused.version, pause.ends_at) for pause in pauses(journal)] == [(3, day(20)), (7, None)]


def test_the_end_that_is_agreed_is_the_one_that_takes_effect_last_whatever_is_cancelled() -> None:
    journal = told((10, TermChanged(day(28))), (5, TermChanged(day(20))), (15, Cancelled()))

    assert agreed_end(journal) == day(28)
    assert agreed_end(told()) is None


def test_the_end_of_a_pause_goes_with_it_and_what_it_did_to_the_term_with_its_end() -> None:
    journal = told(
        (10, Paused()), (10, TermChanged(day(28), pause_version=2)), (20, Resumed()), (21, TermChanged(None))
    )

    assert versions(taken_back_with(journal, journal[1])) == [2, 4, 3]
    assert versions(taken_back_with(journal, journal[3])) == [4, 3]
    assert versions(taken_back_with(journal, journal[4])) == [5]
