"""What entries mean in the ledger: prepaid credit is owed until it is used, and nothing of it is lost."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.ids import CustomerId, GrantId, WalletId, WalletUseId
from tenor.wallets.model import EntryKind, Grant, HeldGrant, Movement, WalletEntry
from tenor.wallets.rules.movements import Movements, value_minor
from tenor.wallets.rules.paying import payment
from tenor.wallets.rules.transfers import transfers_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
WALLET = WalletId(UUID(int=1))
GRANT = GrantId(UUID(int=2))
USE = WalletUseId(UUID(int=3))
CUSTOMER = CustomerId(UUID(int=4))


def entry(kind: EntryKind, value: int, *, number: int = 1) -> WalletEntry:
    return WalletEntry(number, Movement(WALLET, kind, Decimal(1), GRANT, None, value, AT))


@pytest.mark.parametrize(
    ("kind", "accounts"),
    [
        ("granted", ("receivable", "prepaid_credits")),
        ("drawn", ("prepaid_credits", "revenue")),
        ("repaid", ("prepaid_credits", "revenue")),
        ("restored", ("revenue", "prepaid_credits")),
        ("lapsed", ("prepaid_credits", "breakage")),
        ("voided", ("prepaid_credits", "customer_credit")),
        ("held", None),
        ("released", None),
        ("advanced", None),
        ("forgone", None),
    ],
)
def test_each_entry_debits_and_credits(kind: EntryKind, accounts: tuple[str, str] | None) -> None:
    found = list(transfers_of([entry(kind, 700)], customer_id=CUSTOMER, currency="EUR"))

    assert [(transfer.debit, transfer.credit) for transfer in found] == ([] if accounts is None else [accounts])
    assert [transfer.amount_minor for transfer in found] == ([] if accounts is None else [700])


def test_a_draw_that_pays_a_document_settles_what_is_receivable() -> None:
    entries = [entry("drawn", 700), entry("restored", 200, number=2), entry("lapsed", 100, number=3)]
    found = transfers_of(entries, customer_id=CUSTOMER, currency="EUR", pays_document=True)

    assert [(transfer.debit, transfer.credit, transfer.entry_no) for transfer in found] == [
        ("prepaid_credits", "receivable", 1),
        ("receivable", "prepaid_credits", 2),
        ("prepaid_credits", "breakage", 3),
    ]


def test_what_cost_nothing_is_not_booked() -> None:
    assert list(transfers_of([entry("drawn", 0)], customer_id=CUSTOMER, currency="EUR")) == []


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
    for number, amount in enumerate(amounts):
        movements.move("held", GRANT, amount, use_id=USE)
        movements.move("released", GRANT, amount, use_id=USE)
        movements.move("lapsed" if number % 2 else "drawn", GRANT, amount, use_id=USE)

    balance = 0
    for transfer in transfers_of(
        [WalletEntry(number, movement) for number, movement in enumerate(movements.entries, 1)],
        customer_id=CUSTOMER,
        currency="EUR",
    ):
        balance += transfer.amount_minor * (
            (transfer.credit == "prepaid_credits") - (transfer.debit == "prepaid_credits")
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
