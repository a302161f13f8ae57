"""Payment terms: when a document is to be paid."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenor.invoicing.rules.payment_terms import DAYS_MAX, MalformedPaymentTerms, PaymentTerms, TermsKind, end_of_month

DAYS = st.integers(0, DAYS_MAX)
DATES = st.dates(date(1970, 1, 1), date(2200, 12, 31))


@pytest.mark.parametrize(
    ("kind", "days", "issued", "due"),
    [
        ("net", 0, date(2026, 6, 6), date(2026, 6, 6)),
        ("net", 30, date(2026, 1, 31), date(2026, 3, 2)),  # January has 31 days, February 28
        ("net", 365, date(2027, 3, 1), date(2028, 2, 29)),
        ("end_of_month", 0, date(2026, 6, 6), date(2026, 6, 30)),
        ("end_of_month", 0, date(2026, 6, 30), date(2026, 6, 30)),
        ("end_of_month", 30, date(2026, 1, 1), date(2026, 3, 2)),  # 31 January + 30
        ("end_of_month", 15, date(2028, 2, 3), date(2028, 3, 15)),  # 29 February + 15
        ("end_of_month", 10, date(2026, 12, 24), date(2027, 1, 10)),
    ],
)
def test_terms_count_days_from_the_issue_or_from_the_end_of_its_month(
    kind: str, days: int, issued: date, due: date
) -> None:
    assert PaymentTerms(TermsKind(kind), days).due_on(issued) == due


def test_an_instant_counts_as_the_day_that_its_own_zone_shows() -> None:
    issued = datetime(2026, 6, 30, 23, 0, tzinfo=UTC)  # 01:00 on 1 July in Berlin
    terms = PaymentTerms(TermsKind.END_OF_MONTH, 0)

    assert terms.due_on(issued) == date(2026, 6, 30)
    assert terms.due_on(issued.astimezone(ZoneInfo("Europe/Berlin"))) == date(2026, 7, 31)
    with pytest.raises(MalformedPaymentTerms, match="no zone"):
        terms.due_on(issued.replace(tzinfo=None))


@pytest.mark.parametrize("days", [-1, 366, True, None, "30", 1.5])
def test_days_are_a_whole_number_up_to_a_year(days: object) -> None:
    with pytest.raises(MalformedPaymentTerms) as refusal:
        PaymentTerms(TermsKind.NET, days)  # type: ignore[arg-type]  # what a caller might pass

    assert refusal.value.code == "malformed_payment_terms"


def test_there_are_two_kinds() -> None:
    with pytest.raises(MalformedPaymentTerms, match="net or end_of_month"):
        PaymentTerms("on_receipt", 0)  # type: ignore[arg-type]  # what a caller might pass


@given(issued=DATES, days=DAYS)
def test_end_of_month_is_never_before_net_and_at_most_thirty_days_later(issued: date, days: int) -> None:
    net = PaymentTerms(TermsKind.NET, days).due_on(issued)
    later = PaymentTerms(TermsKind.END_OF_MONTH, days).due_on(issued)

    assert 0 <= (later - net).days <= 30
    assert end_of_month(issued).month == issued.month
