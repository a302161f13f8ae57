"""Cases of payment terms and of trials after a change of plan."""

from datetime import date

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.terms import answer, answer_trial_change
from tenor.kernel.errors import Malformed


def due(issued: str, days: int, kind: str = "end_of_month") -> object:
    body = {"issue_date": issued, "terms": {"kind": kind, "days": days}, "expect": {}}
    return answer(Case("by-hand", "terms", "recurly", "profile", body))["due_date"]


@pytest.mark.parametrize(
    ("issued", "days", "day"),
    [
        ("2026-06-06", 0, date(2026, 7, 1)),  # 30 June + 0 + 1
        ("2026-06-30", 0, date(2026, 7, 1)),
        ("2026-07-01", 0, date(2026, 8, 1)),
        ("2026-09-27", 60, date(2026, 11, 30)),  # 30 September + 61: October has 31 days, so the 30th of November
        ("2028-02-01", 15, date(2028, 3, 16)),  # 29 February + 16
        ("2026-12-31", 30, date(2027, 1, 31)),
        ("2026-01-31", 365, date(2027, 2, 1)),
    ],
)
def test_end_of_month_counts_from_the_first_of_the_next_month(issued: str, days: int, day: date) -> None:
    assert due(issued, days) == day


def test_net_terms_count_from_the_issue_date() -> None:
    assert due("2026-06-06", 30, kind="net") == date(2026, 7, 6)


def test_more_than_a_year_is_no_term() -> None:
    with pytest.raises(Malformed):
        due("2026-06-06", 366)


@pytest.mark.parametrize(
    ("current", "new", "into", "left", "charged_now"),
    [
        (7, 14, 4, 3, False),
        (14, 7, 4, 10, False),
        (7, 0, 4, 3, False),
        (7, 14, 0, 7, False),
        (7, 14, 7, 0, True),
        (7, 14, 9, 0, True),
        (0, 14, None, 0, True),
        (0, 0, None, 0, True),
    ],
)
def test_a_running_trial_keeps_its_end_and_none_begins(
    current: int, new: int, into: int | None, left: int, charged_now: bool
) -> None:
    body = {"current_trial_days": current, "new_plan_trial_days": new, "expect": {}}
    if into is not None:
        body["days_into_trial"] = into

    found = answer_trial_change(Case("by-hand", "trial_change", "recurly", "profile", body))

    assert found == {"trial_days_left": left, "charged_now": charged_now}
