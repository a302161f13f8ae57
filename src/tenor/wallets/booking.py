"""Book movements: every operation that moves credit writes its entries, and their transfers, here and nowhere else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from tenor.kernel.ids import TransferId, WalletId, derived_id
from tenor.kernel.period import Period
from tenor.ledger import Transfer, insert_transfers, move_customer_credits, open_accounts, write_transfers
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets.model import WalletEntry
from tenor.wallets.rules.movements import Movements
from tenor.wallets.rules.transfers import WalletTransfer, transfers_of
from tenor.wallets.store.wallets import Numbered, insert_entries, move_grants, take_entry_numbers

MANY: Final = 100
"""From so many transfers on they are written as a batch."""

_INSTANT: Final = timedelta(microseconds=1)


def book(uow: UnitOfWork, movements: Movements) -> list[WalletEntry]:
    """Append movements, move what the grants have left, book both in the ledger, and return the entries.

    The wallets are locked, and the uses and new grants are written. A grant that would be overdrawn is refused by the
    database, whatever the caller has seen. A few statements, however many movements there are.

    Raises:
        CreditGone: a grant is paid from more customer credit than there is.
    """
    if not movements.entries:
        return []
    numbered = take_entry_numbers(uow, Counter(movement.wallet_id for movement in movements.entries))
    last = {wallet_id: taken.before for wallet_id, taken in numbered.items()}
    entries = []
    for movement in movements.entries:
        last[movement.wallet_id] += 1
        entries.append(WalletEntry(last[movement.wallet_id], movement))
    insert_entries(uow, entries)
    move_grants(uow, movements.entries)
    found = transfers_of(entries, grants=movements.grants, paid_minor=movements.paid_minor)
    _book_transfers(uow, [_in_ledger(transfer, numbered) for transfer in found])
    return entries


def _book_transfers(uow: UnitOfWork, transfers: Sequence[Transfer]) -> None:
    if not transfers:
        return
    instants = [transfer.effective_at for transfer in transfers]
    prepare_partitions(uow, "transfers", Period(min(instants), max(instants) + _INSTANT))
    write = write_transfers if len(transfers) >= MANY else insert_transfers
    write(uow, transfers, open_accounts(uow, {transfer.currency for transfer in transfers}))
    credited: Counter[tuple[UUID, str]] = Counter()
    for transfer in transfers:
        sign = (transfer.credit == "customer_credit") - (transfer.debit == "customer_credit")
        credited[transfer.customer_id, transfer.currency] += sign * transfer.amount_minor
    move_customer_credits(uow, credited)


def _in_ledger(transfer: WalletTransfer, numbered: Mapping[WalletId, Numbered]) -> Transfer:
    entry_no, movement = transfer.entry
    holder = numbered[movement.wallet_id]
    parts = (movement.wallet_id.bytes, entry_no.to_bytes(8), transfer.kind.encode())
    return Transfer(
        id=TransferId(derived_id(movement.at, *parts)),
        effective_at=movement.at,
        debit=transfer.debit,
        credit=transfer.credit,
        amount_minor=transfer.amount_minor,
        currency=holder.currency,
        customer_id=holder.customer_id,
        source_type="wallet",
        source_id=movement.wallet_id,
        kind=transfer.kind,
    )
