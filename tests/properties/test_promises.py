"""Laws of credit that recurs: who comes late is given what he would have had, and no to and fro is worth anything."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import GrantId, WalletId
from tenor.wallets.model import ZERO, Grant, HeldGrant, RecurringGrant
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.recurrence import due_of, grants_of, issued, roll_over

OPENS = datetime(2026, 1, 1, tzinfo=UTC)
PROMISE = UUID(int=1)
WALLET = WalletId(UUID(int=2))


def hour(number: int) -> datetime:
    return OPENS + timedelta(hours=number)


class Held:
    """A promise, its grants, and what ticks make of them."""

    def __init__(self, promise: RecurringGrant) -> None:
        self.promise = promise
        self.grants: list[HeldGrant] = []
        self.given = ZERO

    def renew(self, now: datetime) -> None:
        """Do what is due by now, as a tick does."""
        while self.promise.next_at is not None and self.promise.next_at <= now:
            due = due_of(self.promise, now)
            movements = Movements.of(self.grants, at=now)
            rolling = [] if due.is_begun else [(PROMISE, held) for held in self.grants]
            kept = roll_over({} if due.is_begun else {PROMISE: due}, rolling, movements)
            self.grants = [
                held._replace(grant=replace(held.grant, expires_at=kept.expiries.get(held.id, held.grant.expires_at)))
                for held in movements.grants.values()
            ]
            for new in grants_of(due, kept.amounts.get(PROMISE), now):
                number = len(self.grants)
                grant = Grant(str(number), new.amount, new.effective_at or now, new.expires_at)
                self.grants.append(HeldGrant(GrantId(UUID(int=number)), WALLET, grant, new.amount, 0))
                self.given += new.amount
            self.promise = issued(due)

    def change(self, amount: int, now: datetime) -> None:
        """Promise another amount from now on."""
        self.promise = self.promise._replace(amount=Decimal(amount), next_at=now)
        self.renew(now)

    def left(self, now: datetime) -> Decimal:
        return sum((held.remaining for held in self.grants if held.grant.is_active(now)), ZERO)


@st.composite
def promises(draw: st.DrawFn) -> RecurringGrant:
    most = draw(st.integers(0, 30))
    lasts = None if most else draw(st.none() | st.integers(1, 90))
    return RecurringGrant(
        id=PROMISE,
        wallet_id=WALLET,
        code="monthly",
        amount=Decimal(draw(st.integers(1, 20))),
        every=Interval(Unit.HOUR, draw(st.integers(1, 24))),
        anchor=hour(draw(st.integers(-50, 50))),
        priority=1,
        category="promotional",
        features=frozenset(),
        rollover_max=Decimal(most),
        rollover_min=Decimal(draw(st.integers(0, most))),
        lasts=None if lasts is None else Interval(Unit.HOUR, lasts),
        next_at=OPENS,
    )


@settings(max_examples=100, deadline=None)
@given(promises(), st.lists(st.integers(1, 100), max_size=6), st.integers(100, 130))
def test_a_renewal_that_comes_late_gives_what_one_at_every_hour_gives(
    promise: RecurringGrant, visits: Sequence[int], last: int
) -> None:
    in_time, late = Held(promise), Held(promise)
    for number in range(last + 1):
        in_time.renew(hour(number))
    for number in sorted({0, *visits, last}):
        late.renew(hour(number))

    assert late.left(hour(last)) == in_time.left(hour(last))


@settings(max_examples=100, deadline=None)
@given(promises(), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), max_size=8))
def test_an_interval_is_worth_the_most_that_was_promised_in_it(
    promise: RecurringGrant, changes: Sequence[tuple[int, int]]
) -> None:
    once = promise._replace(every=Interval(Unit.HOUR, 100), anchor=OPENS)
    held = Held(once)
    held.renew(OPENS)
    for number, amount in sorted(changes):
        held.change(amount, hour(number))

    assert held.given == max([int(once.amount), *(amount for _, amount in changes)])
    assert held.promise.next_at == hour(100)
