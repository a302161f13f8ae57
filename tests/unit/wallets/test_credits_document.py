"""The worked tables of prepaid credits, executed; their last column is the arithmetic of each expected figure."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import pytest

from tenor.kernel.calendar import Grid, Interval, Unit
from tenor.kernel.ids import GrantId, WalletId, WalletUseId
from tenor.kernel.period import Period
from tenor.wallets.model import EntryKind, Grant, HeldGrant, Reset, WalletEntry
from tenor.wallets.rules.burn_down import BurnTerms, burn_down, opened
from tenor.wallets.rules.burning import in_burn_order
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.spending import Settlement, Wallet, deposit, give_back, use_credit, void
from tenor.wallets.rules.transfers import transfers_of
from tests.support.worked_tables import worked_table

PAGE = "algorithms/credits.md"
ORDER = ("priority", "expiry", "created", "id")
ZERO = Decimal(0)
KINDS: Final[Mapping[str, EntryKind]] = {
    "use": "drawn",
    "pay": "drawn",
    "hold": "held",
    "restore": "restored",
    "lapse": "lapsed",
}


def day(number: str | int) -> datetime:
    return datetime(2026, 1, int(number), tzinfo=UTC)


def read_grant(text: str, *, made_on: int = 1) -> Grant:
    """Read a grant such as `a 100 p2 from 5 to 9 keep 0..50`."""
    name, amount, *words = text.split()
    found = re.search(r"keep (\d+)\.\.(\d+)", text)
    after = {key: words[words.index(key) + 1] for key in ("from", "to", "for") if key in words}
    return Grant(
        id=name,
        amount=Decimal(amount),
        effective_at=day(after.get("from", made_on)),
        expires_at=day(after["to"]) if "to" in after else None,
        priority=int(next((word[1:] for word in words if re.fullmatch(r"p\d+", word)), "1")),
        category="promotional" if "promo" in words else "paid",
        features=frozenset({after["for"]} if "for" in after else set()),
        recurrence=Grid(Interval(Unit.DAY), day(1), UTC) if "daily" in words else None,
        rollover_min=Decimal(found[1]) if found else ZERO,
        rollover_max=Decimal(found[2]) if found else ZERO,
    )


def read_grants(text: str) -> list[Grant]:
    return [read_grant(part) for part in text.split(", ")]


def read_events(text: str) -> Iterator[tuple[datetime, str]]:
    """Read events such as `3: 40, 5: reset`."""
    for part in text.split(", "):
        number, _, event = part.partition(": ")
        yield day(number), event


def figures(text: str) -> dict[str, Decimal]:
    """Read balances such as `a 10, b 0`."""
    return {name: Decimal(amount) for name, amount in (part.split() for part in text.split(", "))}


@pytest.mark.parametrize("row", worked_table(PAGE, "Which grant burns first"))
def test_which_grant_burns_first(row: list[str]) -> None:
    grants, order, burns = row

    assert [grant.id for grant in in_burn_order(read_grants(grants), order.split())] == burns.split()


@pytest.mark.parametrize(
    ("row", "is_level"),
    [
        (row, heading == "A level is a ceiling")
        for heading in ("Usage burns a wallet down", "Resets", "A level is a ceiling")
        for row in worked_table(PAGE, heading)
    ],
)
def test_what_burning_down_leaves(row: list[str], is_level: bool) -> None:
    grants_text, events, read, left, overage, _ = row
    grants = {grant.id: grant for grant in read_grants(grants_text)}
    used: list[tuple[datetime, Decimal]] = []
    resets = []
    for at, event in read_events(events):
        if event.startswith("reset"):
            resets.append(Reset(at, preserves_overage=event.endswith("preserving")))
        elif event.startswith("void"):
            name = event.split()[1]
            grants[name] = replace(grants[name], voided_at=at)
        else:
            used.append((at, Decimal(event)))

    def usage_of(span: Period) -> Decimal:
        inside = [units for at, units in used if span.holds(at)]
        return (inside[-1] if inside else ZERO) if is_level else sum(inside, ZERO)

    found = burn_down(
        list(grants.values()),
        usage_of,
        resets,
        opening=opened(grants.values(), day(1)),
        until=day(read),
        terms=BurnTerms(ORDER, is_level=is_level),
    ).end

    assert (dict(found.balances), found.overage) == (figures(left), Decimal(overage))


@pytest.mark.parametrize("row", worked_table(PAGE, "Spending, and giving back"))
def test_what_spending_leaves(row: list[str]) -> None:
    events, read, left, lapsed, used, advanced, _ = row
    wallet = Wallet()
    for at, event in read_events(events):
        match event.split():
            case ["use", amount, *how]:
                settlement: Settlement | None = "credit_only" if how == ["on", "credit"] else None
                wallet, _ = use_credit(wallet, Decimal(amount), at=at, order=ORDER, settlement=settlement)
            case ["give", "back", amount]:
                wallet = give_back(wallet, Decimal(amount), at=at)
            case ["void", name]:
                wallet = void(wallet, name, at=at)
            case words:
                grant = read_grant(event, made_on=at.day)
                wallet = deposit(wallet, grant, at=at, repays="repays" in words)
    at = day(read)

    assert wallet.balances(at) == figures(left)
    assert (wallet.lapsed(at), wallet.used(at), wallet.advanced(at)) == (
        Decimal(lapsed),
        Decimal(used),
        Decimal(advanced),
    )


@pytest.mark.parametrize("row", worked_table(PAGE, "What it comes to in the books"))
def test_what_it_comes_to_in_the_books(row: list[str]) -> None:
    grant_text, events, *expected, _ = row
    amount, _, cost = grant_text.split()
    grant = read_grant(f"a {amount}")
    held = HeldGrant(GrantId(UUID(int=1)), WalletId(UUID(int=2)), grant, grant.amount, int(Decimal(cost) * 100))
    movements = Movements.of([], at=day(1))
    movements.deposit(held)
    for number, event in enumerate(events.split(", "), 1):
        verb, *size = event.split()
        units = Decimal(size[0]) if size else movements.left(held.id)
        use_id = WalletUseId(UUID(int=9 if verb in {"pay", "restore"} else 10 + number))
        movements.move(KINDS[verb], held.id, units, use_id=None if verb == "lapse" else use_id)
        if verb in {"pay", "restore"}:
            sign = 1 if verb == "pay" else -1
            movements.paid_minor[use_id] = movements.paid_minor.get(use_id, 0) + sign * int(units * 100)
    books: Counter[str] = Counter()
    entries = [WalletEntry(number, movement) for number, movement in enumerate(movements.entries, 1)]
    for transfer in transfers_of(entries, grants=movements.grants, paid_minor=movements.paid_minor):
        books[transfer.debit] += transfer.amount_minor
        books[transfer.credit] -= transfer.amount_minor

    owed, revenue, receivable, discount, breakage = map(int, expected)
    assert books == Counter(
        cash=int(Decimal(cost) * 100),
        prepaid_credits=-owed,
        revenue=-revenue,
        receivable=receivable,
        credit_discounts=discount,
        breakage=-breakage,
    )
