"""The gross form of owed − billed: lines stay whole, what changed is given back and charged by spans of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.rules.spans import BilledSpan, GivenBack, OwedSpan, SpanLines, settle_spans, without
from tenor.kernel.calendar import days_between
from tenor.kernel.period import Period
from tenor.pricing.rules.proration import Share

JUNE_FIRST = datetime(2026, 6, 1, tzinfo=UTC)


def june(first: int, last: int) -> Period:
    """Return [day `first`, day `last`) of June 2026; 31 is 1 July."""
    return Period(JUNE_FIRST + timedelta(days=first - 1), JUNE_FIRST + timedelta(days=last - 1))


JUNE = june(1, 31)


def by_days(whole: Period, part: Period) -> Share | None:
    return Share(days_between(part, UTC), days_between(whole, UTC))


def never(_whole: Period, _part: Period) -> Share | None:
    return None


def billed(span: Period = JUNE, *, price: int = 3000, amount: int | None = None, item: str = "basic") -> BilledSpan:
    return BilledSpan("line", "s1", item, span, JUNE, price, price if amount is None else amount)


def owed(span: Period = JUNE, *, price: int = 3000, item: str = "basic") -> OwedSpan:
    return OwedSpan("s1", item, span, JUNE, price)


def told(lines: SpanLines) -> list[tuple[str, Period, int]]:
    given_back = [("credit", credit.span, credit.amount_minor) for credit in lines.credits]
    return given_back + [("charge", charge.span, charge.amount_minor) for charge in lines.charges]


def test_equal_spans_at_an_equal_price_give_nothing() -> None:
    assert told(settle_spans([billed()], [owed()], share=by_days)) == []


def test_cut_in_two_spans_that_together_are_the_line_give_nothing() -> None:
    assert told(settle_spans([billed()], [owed(june(1, 12)), owed(june(12, 31))], share=by_days)) == []


def test_upgrade_gives_back_the_rest_and_charges_it_at_the_new_price() -> None:
    lines = settle_spans([billed()], [owed(june(1, 21)), owed(june(21, 31), price=6000, item="pro")], share=by_days)

    # 30.00 x 10/30 = 10.00 back, 60.00 x 10/30 = 20.00 charged
    assert told(lines) == [("credit", june(21, 31), 1000), ("charge", june(21, 31), 2000)]


def test_pause_in_the_middle_is_one_credit_for_the_gap() -> None:
    lines = settle_spans([billed()], [owed(june(1, 11)), owed(june(21, 31))], share=by_days)

    assert told(lines) == [("credit", june(11, 21), 1000)]  # 30.00 x 10/30


def test_what_runs_on_beyond_the_line_is_charged_alone() -> None:
    lines = settle_spans([billed(june(1, 16), amount=1500)], [owed()], share=by_days)

    assert told(lines) == [("charge", june(16, 31), 1500)]  # 30.00 x 15/30


def test_part_of_a_part_line_is_its_share_of_that_line() -> None:
    # Billed 15 days for 14.00 (not 15.00); 5 of the 15 days go back: 14.00 x 5/15 = 4.666… = 4.67
    lines = settle_spans([billed(june(1, 16), amount=1400)], [owed(june(1, 11))], share=by_days)

    assert told(lines) == [("credit", june(11, 16), 467)]


def test_credit_is_at_most_what_is_left_of_the_line() -> None:
    # 25.00 were taken off without a span: of 30.00 only 5.00 are left, though 10 days are worth 10.00.
    adjusted = billed()._replace(adjusted_minor=2500)

    assert told(settle_spans([adjusted], [owed(june(1, 21))], share=by_days)) == [("credit", june(21, 31), 500)]


def test_credit_of_nothing_left_is_written_once() -> None:
    gone = billed()._replace(adjusted_minor=3000)
    lines = settle_spans([gone], [owed(june(1, 21))], share=by_days)

    assert told(lines) == [("credit", june(21, 31), 0)]
    given_back = gone._replace(given_back=(GivenBack(june(21, 31), 0),))
    assert told(settle_spans([given_back], [owed(june(1, 21))], share=by_days)) == []


def test_same_price_of_another_item_is_another_thing() -> None:
    lines = settle_spans([billed()], [owed(item="pro")], share=by_days)

    assert told(lines) == [("credit", JUNE, 3000), ("charge", JUNE, 3000)]


def test_free_line_covers_only_its_equal_and_gives_nothing_back() -> None:
    free = billed(price=0)

    assert told(settle_spans([free], [owed(price=0)], share=by_days)) == []
    assert told(settle_spans([free], [owed(june(1, 16), price=0)], share=by_days)) == [("charge", june(1, 16), 0)]


def test_where_nothing_is_prorated_a_line_stands_to_its_end() -> None:
    assert told(settle_spans([billed()], [owed(june(1, 11)), owed(june(11, 31), item="pro")], share=never)) == []
    assert told(settle_spans([], [owed(june(1, 11))], share=never)) == [("charge", june(1, 11), 3000)]


def test_without_cuts_and_drops_what_is_empty() -> None:
    assert without([JUNE], [june(1, 5), june(10, 12), june(31, 31)]) == [june(5, 10), june(12, 31)]
    assert without([june(3, 3)], []) == []


@st.composite
def timelines(draw: st.DrawFn) -> list[OwedSpan]:
    """Draw disjoint owed spans of June and July, with gaps, of three prices; a month is the whole period."""
    days = sorted(draw(st.lists(st.integers(1, 61), min_size=2, max_size=8, unique=True)))
    found = []
    for first, last in pairwise(days):
        price = draw(st.sampled_from([None, 0, 999, 3000, 7001]))
        for span, whole in ((june(first, min(last, 31)), JUNE), (june(max(first, 31), last), june(31, 62))):
            if price is not None and not span.is_empty:
                found.append(OwedSpan("s1", price, span, whole, price))
    return found


def apply(lines: SpanLines, books: list[BilledSpan]) -> list[BilledSpan]:
    """Return the books with credits noted on their lines and charges as new lines."""
    for credit in lines.credits:
        at = next(number for number, line in enumerate(books) if line.line == credit.billed.line)
        given = (*books[at].given_back, GivenBack(credit.span, credit.amount_minor))
        books[at] = books[at]._replace(given_back=given)
    for charge in lines.charges:
        entry = charge.owed
        books.append(
            BilledSpan(
                len(books), entry.key, entry.item, charge.span, entry.whole, entry.price_minor, charge.amount_minor
            )
        )
    return books


@settings(max_examples=150)
@given(st.lists(timelines(), min_size=1, max_size=4))
def test_a_second_call_finds_nothing_and_no_line_gives_back_more_than_it_billed(changes: list[list[OwedSpan]]) -> None:
    books: list[BilledSpan] = []
    for timeline in changes:
        books = apply(settle_spans(books, timeline, share=by_days), books)

        assert told(settle_spans(books, timeline, share=by_days)) == []
        for line in books:
            assert 0 <= sum(credit.amount_minor for credit in line.given_back) <= line.amount_minor
            assert all(credit.amount_minor >= 0 and line.span.covers(credit.span) for credit in line.given_back)


@settings(max_examples=100)
@given(st.lists(timelines(), min_size=1, max_size=3))
def test_when_all_is_taken_back_every_line_has_given_back_all_its_time(changes: list[list[OwedSpan]]) -> None:
    books: list[BilledSpan] = []
    for timeline in [*changes, []]:
        books = apply(settle_spans(books, timeline, share=by_days), books)

    for line in books:
        if line.price_minor:
            assert without([line.span], [credit.span for credit in line.given_back]) == []
