"""What entries mean in the ledger: prepaid credit is owed until it is used, and nothing of it is lost."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.ids import GrantId, WalletId, WalletUseId
from tenor.wallets.model import EntryKind, Grant, HeldGrant, Movement, PaidFrom, WalletEntry
from tenor.wallets.rules.movements import Movements, value_minor
from tenor.wallets.rules.paying import payment
from tenor.wallets.rules.transfers import transfers_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
WALLET = WalletId(UUID(int=1))
GRANT = GrantId(UUID(int=2))
USE = WalletUseId(UUID(int=3))


def entry(kind: EntryKind, value: int, *, number: int = 1, use: WalletUseId | None = None) -> WalletEntry:
    return WalletEntry(number, Movement(WALLET, kind, Decimal(1), GRANT, use, value, AT))


def held(*, paid_from: PaidFrom = "cash", cost_minor: int = 700) -> HeldGrant:
    grant = Grant(id=str(GRANT), amount=Decimal(1), effective_at=AT)
    return HeldGrant(GRANT, WALLET, grant, grant.amount, cost_minor, paid_from=paid_from)


def booked(
    *entries: WalletEntry, paid_from: PaidFrom = "cash", paid_minor: int | None = None
) -> list[tuple[str, str, str, int]]:
    paid = {} if paid_minor is None else {USE: paid_minor}
    found = transfers_of(entries, grants={GRANT: held(paid_from=paid_from)}, paid_minor=paid)
    return [(transfer.kind, transfer.debit, transfer.credit, transfer.amount_minor) for transfer in found]


@pytest.mark.parametrize(
    ("kind", "paid_from", "accounts"),
    [
        ("granted", "cash", ("cash", "prepaid_credits")),
        ("granted", "invoice", ("deferred_revenue", "prepaid_credits")),
        ("granted", "customer_credit", ("customer_credit", "prepaid_credits")),
        ("drawn", "cash", ("prepaid_credits", "revenue")),
        ("repaid", "cash", ("prepaid_credits", "revenue")),
        ("restored", "cash", ("revenue", "prepaid_credits")),
        ("lapsed", "invoice", ("prepaid_credits", "breakage")),
        ("voided", "cash", ("prepaid_credits", "customer_credit")),
        ("voided", "invoice", ("prepaid_credits", "deferred_revenue")),
        ("voided", "customer_credit", ("prepaid_credits", "customer_credit")),
    ],
)
def test_each_entry_debits_and_credits(kind: EntryKind, paid_from: PaidFrom, accounts: tuple[str, str]) -> None:
    assert booked(entry(kind, 700), paid_from=paid_from) == [(kind, *accounts, 700)]


@pytest.mark.parametrize("kind", ["held", "released", "advanced", "forgone", "drawn"])
def test_what_moves_no_value_is_not_booked(kind: EntryKind) -> None:
    assert booked(entry(kind, 0)) == []


def test_credit_that_pays_a_document_settles_what_is_receivable_and_the_rest_of_its_price_is_a_discount() -> None:
    # credit of 10.00 that had cost 7.00 + 1.00 pays 10.00: 8.00 were owed to the customer, 2.00 are given
    entries = [entry("drawn", 700, use=USE), entry("drawn", 100, number=2, use=USE)]

    assert booked(*entries, paid_minor=1000) == [
        ("drawn", "prepaid_credits", "receivable", 800),
        ("drawn_discount", "credit_discounts", "receivable", 200),
    ]


def test_credit_that_pays_less_than_it_had_cost_takes_the_difference_off_the_discounts() -> None:
    # credit for 7.00 pays 5.00: 5.00 less are receivable, and 2.00 more than the document says are earned
    assert booked(entry("drawn", 700, use=USE), paid_minor=500) == [
        ("drawn", "prepaid_credits", "receivable", 700),
        ("drawn_discount", "receivable", "credit_discounts", 200),
    ]


def test_a_payment_that_is_restored_is_booked_back() -> None:
    # of a payment of 10.00 by credit for 7.00 half is given back: 3.50, rounded to 3.49 because 3.51 were drawn first
    restored = [entry("restored", 349, use=USE), entry("voided", 349, number=2)]

    assert booked(*restored, paid_minor=-500) == [
        ("voided", "prepaid_credits", "customer_credit", 349),
        ("restored", "receivable", "prepaid_credits", 349),
        ("restored_discount", "receivable", "credit_discounts", 151),
    ]


def test_a_gift_that_pays_a_document_is_all_discount() -> None:
    assert booked(entry("drawn", 0, use=USE), paid_minor=1000) == [
        ("drawn_discount", "credit_discounts", "receivable", 1000)
    ]


def test_a_part_of_a_grant_costs_its_share() -> None:
    assert value_minor(100, of=Decimal(3), part=Decimal(1)) == 33
    assert value_minor(100, of=Decimal(3), part=Decimal(2)) == 67
    assert value_minor(1, of=Decimal(2), part=Decimal(1)) == 1  # half away from zero


@settings(max_examples=100)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 400), min_size=1, max_size=8))
def test_a_grant_that_is_used_up_in_any_pieces_has_cost_what_was_paid(cost_minor: int, pieces: list[int]) -> None:
    amounts = [Decimal(piece) / 64 for piece in pieces]
    grant = Grant(id=str(GRANT), amount=sum(amounts, Decimal(0)), effective_at=AT)
    movements = Movements.of([], at=AT)
    movements.deposit(HeldGrant(GRANT, WALLET, grant, grant.amount, cost_minor))
    for amount in amounts:
        movements.move("held", GRANT, amount, use_id=USE)
    for number, amount in enumerate(amounts):
        movements.move("released", GRANT, amount, use_id=USE)
        movements.move("lapsed" if number % 2 else "drawn", GRANT, amount, use_id=USE)

    entries = [WalletEntry(number, movement) for number, movement in enumerate(movements.entries, 1)]
    balance = sum(
        transfer.amount_minor * ((transfer.credit == "prepaid_credits") - (transfer.debit == "prepaid_credits"))
        for transfer in transfers_of(entries, grants=movements.grants, paid_minor={})
    )
    assert movements.entries[0].value_minor == cost_minor
    assert balance == 0
    assert movements.left(GRANT) == 0


@settings(max_examples=150)
@given(
    st.integers(0, 10**9),
    st.integers(0, 10**12).map(lambda number: Decimal(number) / 10**4),
    st.integers(1, 10**9).map(lambda number: Decimal(number) / 10**6),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_credit_pays_no_more_than_it_is_worth_and_than_is_owed(
    owed_minor: int, available: Decimal, rate: Decimal, currency: str
) -> None:
    digits = {"EUR": 2, "JPY": 0, "KWD": 3}[currency]

    paid_minor, amount = payment(owed_minor, available=available, rate=rate, currency=currency)

    assert 0 <= paid_minor <= owed_minor
    assert 0 <= amount <= available
    assert amount * rate * 10**digits >= paid_minor
    if paid_minor < owed_minor:  # one minor unit more would take more credit than there is
        assert (Decimal(paid_minor + 1) / 10**digits) / rate > available
