"""Laws of prepaid credits: nothing below zero, nothing lost, the same in one go as in steps, whatever happens."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.calendar import Grid, Interval, Unit
from tenor.kernel.period import LATEST, Period
from tenor.wallets.model import Grant, Reset
from tenor.wallets.rules.burn_down import BurnTerms, burn_down, opened
from tenor.wallets.rules.spending import NothingToRestore, Settlement, Wallet, deposit, give_back, use_credit, void

ZERO = Decimal(0)
ORDER = ("priority", "feature_restricted", "expiry", "category", "id")
TERMS = BurnTerms(ORDER)
OPENS = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 40 * 24).map(lambda hours: OPENS + timedelta(hours=hours))
AMOUNTS = st.integers(1, 500).map(lambda number: Decimal(number) / 4)


@st.composite
def grants(draw: st.DrawFn, *, names: str = "abcdef", recur: bool = True) -> list[Grant]:
    found = []
    for name in names[: draw(st.integers(0, len(names)))]:
        effective_at = draw(INSTANTS)
        lasts = draw(st.none() | st.integers(1, 20 * 24))
        least = draw(st.integers(0, 50).map(Decimal))
        every = draw(st.none() | st.integers(1, 9)) if recur else None
        found.append(
            Grant(
                id=name,
                amount=draw(AMOUNTS),
                effective_at=effective_at,
                expires_at=None if lasts is None else effective_at + timedelta(hours=lasts),
                priority=draw(st.integers(1, 3)),
                category=draw(st.sampled_from(["paid", "promotional"])),
                features=frozenset(draw(st.sets(st.sampled_from(["api", "storage"]), max_size=2))),
                recurrence=None if every is None else Grid(Interval(Unit.DAY, every), effective_at, UTC),
                rollover_min=least,
                rollover_max=least + draw(st.integers(0, 50)),
            )
        )
    return found


USAGE = st.lists(st.tuples(INSTANTS, AMOUNTS), max_size=12)
RESETS = st.lists(st.builds(Reset, INSTANTS, st.booleans()), max_size=4, unique_by=lambda reset: reset.at)


def usage_of(events: Sequence[tuple[datetime, Decimal]]) -> Callable[[Period], Decimal]:
    return lambda span: sum((units for at, units in events if span.holds(at)), ZERO)


@settings(max_examples=150)
@given(grants(), USAGE, RESETS, INSTANTS, st.lists(INSTANTS, max_size=4))
def test_burning_down_in_steps_is_burning_down_in_one_go(
    of: list[Grant], events: list[tuple[datetime, Decimal]], resets: list[Reset], until: datetime, stops: list[datetime]
) -> None:
    opening = opened(of, OPENS)
    at_once = burn_down(of, usage_of(events), resets, opening=opening, until=until, terms=TERMS).end

    standing = opening
    for stop in sorted(stop for stop in stops if stop <= until):
        standing = burn_down(of, usage_of(events), resets, opening=standing, until=stop, terms=TERMS).end
    in_steps = burn_down(of, usage_of(events), resets, opening=standing, until=until, terms=TERMS).end

    assert in_steps == at_once


@settings(max_examples=150)
@given(grants(), USAGE, RESETS, INSTANTS)
def test_usage_is_uncovered_only_while_nothing_is_left_and_no_balance_falls_below_zero(
    of: list[Grant], events: list[tuple[datetime, Decimal]], resets: list[Reset], until: datetime
) -> None:
    found = burn_down(of, usage_of(events), resets, opening=opened(of, OPENS), until=until, terms=TERMS)

    limits = {grant.id: max(grant.amount, grant.rollover_min, ZERO) for grant in of}
    for segment in found.segments:
        assert all(0 <= left <= limits[name] for name, left in segment.opening.balances.items())
        assert segment.opening.overage + segment.usage >= sum(draw.amount for draw in segment.draws)
    assert found.end.overage >= 0
    if found.end.overage:
        assert found.end.balance == 0
    assert found.segments[0].span.start == OPENS
    assert found.segments[-1].span.end == until
    for before, behind in zip(found.segments, found.segments[1:], strict=False):
        assert before.span.end == behind.span.start


@settings(max_examples=150)
@given(grants(), USAGE, INSTANTS)
def test_without_resets_all_usage_is_either_granted_or_overage(
    of: list[Grant], events: list[tuple[datetime, Decimal]], until: datetime
) -> None:
    found = burn_down(of, usage_of(events), [], opening=opened(of, OPENS), until=until, terms=TERMS).end

    assert found.usage == sum((units for at, units in events if at < until), ZERO)
    assert found.usage == found.granted + found.overage


@settings(max_examples=60)
@given(grants(), USAGE, RESETS, INSTANTS)
def test_who_reads_before_an_expiry_sees_at_least_as_much(
    of: list[Grant], events: list[tuple[datetime, Decimal]], resets: list[Reset], until: datetime
) -> None:
    opening = opened(of, OPENS)
    late, early = (
        burn_down(of, usage_of(events), resets, opening=opening, until=until, terms=BurnTerms(ORDER, read)).end
        for read in ("after", "before")
    )

    assert early.balance >= late.balance
    if not any(grant.expires_at == until for grant in of):
        assert early == late


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("use"), AMOUNTS, st.sampled_from([None, "api", "storage"]), st.booleans()),
        st.tuples(st.just("give_back"), AMOUNTS),
        st.tuples(st.just("void"), st.sampled_from("abcd")),
    ),
    max_size=8,
)


def lived(of: list[Grant], deeds: list[tuple[Any, ...]], instants: list[datetime], *, repays: bool) -> Wallet:
    """Make all grants, then do the deeds one after another; what the wallet refuses is left out."""
    wallet = Wallet()
    for grant in of:
        wallet = deposit(wallet, grant, at=OPENS, repays=repays)
    for deed, at in zip(deeds, sorted(instants), strict=False):
        match deed:
            case ("use", amount, feature, on_credit):
                settlement: Settlement | None = "credit_only" if on_credit else None
                wallet, _ = use_credit(
                    wallet, amount, at=at, order=ORDER, feature=feature, settlement=settlement, label=feature
                )
            case ("give_back", amount):
                if amount <= wallet.used(LATEST):
                    wallet = give_back(wallet, amount, at=at)
            case ("void", name) if any(grant.id == name for grant in of):
                wallet = void(wallet, name, at=at)
    return wallet


@settings(max_examples=150)
@given(grants(names="abcd", recur=False), DEEDS, st.lists(INSTANTS, min_size=8, max_size=8), INSTANTS, st.booleans())
def test_what_was_deposited_is_left_lapsed_voided_or_used(
    of: list[Grant], deeds: list[tuple[Any, ...]], instants: list[datetime], read: datetime, repays: bool
) -> None:
    wallet = lived(of, deeds, instants, repays=repays)

    for at in (read, LATEST):
        left = wallet.left(at)
        assert all(amount >= 0 for amount in left.values())
        not_yet = sum((left[grant.id] for grant in wallet.grants if at < grant.effective_at), ZERO)
        covered = wallet.used(at) - wallet.advanced(at)
        assert wallet.funded(at) == wallet.balance(at) + not_yet + wallet.lapsed(at) + wallet.voided(at) + covered
        assert wallet.advanced(at) >= 0
        labels = ("api", "storage")
        assert sum(wallet.used(at, label=label) for label in labels) <= wallet.used(at)


@settings(max_examples=150)
@given(grants(names="abcd", recur=False), DEEDS, st.lists(INSTANTS, min_size=8, max_size=8), AMOUNTS)
def test_giving_a_use_back_restores_every_grant_exactly(
    of: list[Grant], deeds: list[tuple[Any, ...]], instants: list[datetime], amount: Decimal
) -> None:
    before = lived(of, deeds, instants, repays=False)
    at = max(instants)

    wallet, taken = use_credit(before, amount, at=at, order=ORDER, settlement="credit_only")
    assert sum((draw.amount for draw in taken.draws), taken.uncovered) == amount
    restored = give_back(wallet, amount, at=at)

    assert restored.left(LATEST) == before.left(LATEST)
    assert (restored.used(at), restored.advanced(at)) == (before.used(at), before.advanced(at))


@settings(max_examples=100)
@given(grants(names="abcd", recur=False), AMOUNTS, AMOUNTS, INSTANTS)
def test_two_uses_draw_what_one_of_both_would(of: list[Grant], one: Decimal, two: Decimal, at: datetime) -> None:
    wallet = Wallet()
    for grant in of:
        wallet = deposit(wallet, grant, at=OPENS, repays=False)

    first, _ = use_credit(wallet, one, at=at, order=ORDER)
    apart, _ = use_credit(first, two, at=at, order=ORDER)
    together, _ = use_credit(wallet, one + two, at=at, order=ORDER)

    assert apart.left(LATEST) == together.left(LATEST)


@settings(max_examples=50)
@given(grants(names="abcd", recur=False), AMOUNTS, INSTANTS)
def test_no_more_is_given_back_than_was_used(of: list[Grant], amount: Decimal, at: datetime) -> None:
    wallet = Wallet()
    for grant in of:
        wallet = deposit(wallet, grant, at=OPENS, repays=False)
    wallet, taken = use_credit(wallet, amount, at=at, order=ORDER)
    drawn = amount - taken.uncovered

    with pytest.raises(NothingToRestore):
        give_back(wallet, drawn + Decimal("0.25"), at=at)
