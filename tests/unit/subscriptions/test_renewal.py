"""Terms: where they end when they are prolonged or shortened, on the local calendar."""

from datetime import datetime

import pytest

from tenor.kernel.calendar import Interval
from tenor.subscriptions.errors import TermRefused
from tenor.subscriptions.rules.renewal import Term, prolonged, shortened
from tests.support.invoicing import MONTH, YEAR, at


@pytest.mark.parametrize(
    ("ends_at", "timezone", "by", "later"),
    [
        ("2028-02-29", "UTC", YEAR, "2029-02-28"),
        ("2026-01-31", "UTC", MONTH, "2026-02-28"),
        # midnight in Berlin, before and after the clock is put forward
        ("2026-03-14T23:00:00Z", "Europe/Berlin", MONTH, "2026-04-14T22:00:00Z"),
    ],
)
def test_a_term_is_prolonged_on_the_local_calendar(ends_at: str, timezone: str, by: Interval, later: str) -> None:
    assert prolonged(Term(at(ends_at), timezone), by) == at(later)


def test_a_term_may_be_prolonged_to_an_instant_or_for_ever() -> None:
    term = Term(at("2026-06-01"), "UTC")

    assert prolonged(term, at("2026-06-02")) == at("2026-06-02")
    assert prolonged(term, None) is None


@pytest.mark.parametrize("by", [at("2026-06-01"), at("2026-05-31")])
def test_what_is_not_later_prolongs_nothing(by: datetime) -> None:
    with pytest.raises(TermRefused, match="is not after the term's end"):
        prolonged(Term(at("2026-06-01"), "UTC"), by)


def test_a_term_without_an_end_cannot_be_prolonged() -> None:
    with pytest.raises(TermRefused, match="nothing to prolong"):
        prolonged(Term(None, "UTC"), MONTH)


def test_a_term_is_shortened_to_an_instant_ahead_and_before_its_end() -> None:
    assert shortened(Term(at("2026-06-01"), "UTC"), at("2026-05-01"), since=at("2026-04-01")) == at("2026-05-01")
    assert shortened(Term(None, "UTC"), at("2026-05-01"), since=at("2026-04-01")) == at("2026-05-01")


@pytest.mark.parametrize(
    ("ends_at", "says"),
    [
        ("2026-06-01", "is not before the term's end"),
        ("2026-06-02", "is not before the term's end"),
        ("2026-04-01", "is not ahead"),
        ("2026-03-31", "is not ahead"),
    ],
)
def test_what_is_not_ahead_and_earlier_shortens_nothing(ends_at: str, says: str) -> None:
    with pytest.raises(TermRefused, match=says):
        shortened(Term(at("2026-06-01"), "UTC"), at(ends_at), since=at("2026-04-01"))
