"""Read and write accounts and transfers, always many at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from tenor.kernel.errors import Conflict
from tenor.kernel.ids import TransferId, derived_id
from tenor.kernel.period import EARLIEST
from tenor.ledger.model import CHART_OF_ACCOUNTS, AccountBalance, Transfer, TrialBalance
from tenor.platform.unit_of_work import UnitOfWork

TRANSFER_COLUMNS: Final = (
    ("id", "uuid"),
    ("effective_at", "timestamptz"),
    ("debit_account_id", "uuid"),
    ("credit_account_id", "uuid"),
    ("amount_minor", "int8"),
    ("currency", "text"),
    ("customer_id", "uuid"),
    ("source_type", "text"),
    ("source_id", "uuid"),
    ("kind", "text"),
)


_INSERT: Final = (
    f"insert into transfers (tenant_id, {', '.join(name for name, _ in TRANSFER_COLUMNS)})"
    f" select %s, * from unnest({', '.join(f'%s::{column_type}[]' for _, column_type in TRANSFER_COLUMNS)})"
)


class CreditGone(Conflict):
    """A draw on a customer's credit that is no longer there."""

    code = "credit_gone"


def open_accounts(uow: UnitOfWork, currencies: Iterable[str]) -> dict[tuple[str, str], UUID]:
    """Return the accounts by (code, currency); those of `currencies` that are missing are opened first."""
    found = _accounts(uow)
    missing = sorted(
        currency for currency in set(currencies) if any((code, currency) not in found for code in CHART_OF_ACCOUNTS)
    )
    if not missing:
        return found
    rows = [
        (derived_id(EARLIEST, uow.tenant_id.bytes, code.encode(), currency.encode()), code, side, currency)
        for currency in missing
        for code, side in CHART_OF_ACCOUNTS.items()
    ]
    ids, codes, sides, currency_codes = (list(column) for column in zip(*rows, strict=True))
    uow.execute(
        """
        insert into accounts (tenant_id, id, code, normal_side, currency)
        select %s, * from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
        on conflict do nothing
        """,
        (uow.tenant_id, ids, codes, sides, currency_codes),
    )
    return _accounts(uow)


def _accounts(uow: UnitOfWork) -> dict[tuple[str, str], UUID]:
    rows = uow.fetch_all("select code, currency, id from accounts")
    return {(code, currency): account_id for code, currency, account_id in rows}


def write_transfers(uow: UnitOfWork, transfers: Sequence[Transfer], accounts: dict[tuple[str, str], UUID]) -> int:
    """Append `transfers`; `accounts` is what `open_accounts` returned. Returns the number written."""
    return uow.copy_rows("transfers", TRANSFER_COLUMNS, transfer_rows(transfers, accounts))


def insert_transfers(uow: UnitOfWork, transfers: Sequence[Transfer], accounts: dict[tuple[str, str], UUID]) -> None:
    """Append at least one transfer, and not many: in one statement, where to set up a COPY would cost more."""
    columns = zip(*transfer_rows(transfers, accounts), strict=True)
    uow.execute(_INSERT, [uow.tenant_id, *(list(column) for column in columns)])


def transfer_rows(transfers: Iterable[Transfer], accounts: dict[tuple[str, str], UUID]) -> list[tuple[object, ...]]:
    """Return the rows of `TRANSFER_COLUMNS` for `transfers`."""
    return [
        (
            transfer.id,
            transfer.effective_at,
            accounts[transfer.debit, transfer.currency],
            accounts[transfer.credit, transfer.currency],
            transfer.amount_minor,
            transfer.currency,
            transfer.customer_id,
            transfer.source_type,
            transfer.source_id,
            transfer.kind,
        )
        for transfer in transfers
    ]


def list_transfers(
    uow: UnitOfWork, *, limit: int, after: TransferId | None = None, source_id: UUID | None = None
) -> list[Transfer]:
    """Return transfers by id, the newest first: those older than `after`, and those of one source where it is given."""
    rows = uow.fetch_all(
        """
        select t.id, t.effective_at, d.code, c.code, t.amount_minor, t.currency, t.customer_id, t.source_type,
               t.source_id, t.kind
        from transfers t
        join accounts d on d.id = t.debit_account_id
        join accounts c on c.id = t.credit_account_id
        where (%(after)s::uuid is null or t.id < %(after)s)
          and (%(source)s::uuid is null or t.source_id = %(source)s)
        order by t.id desc limit %(limit)s
        """,
        {"after": after, "source": source_id, "limit": limit},
    )
    return [Transfer(*row) for row in rows]


def trial_balance(uow: UnitOfWork) -> TrialBalance:
    """Return the sums of every account of the tenant, by code and currency."""
    rows = uow.fetch_all(
        """
        select a.code, a.normal_side, a.currency, coalesce(sum(s.debit), 0)::bigint, coalesce(sum(s.credit), 0)::bigint
        from accounts a
        left join (
            select debit_account_id as account_id, sum(amount_minor) as debit, 0 as credit
            from transfers group by debit_account_id
            union all
            select credit_account_id, 0, sum(amount_minor) from transfers group by credit_account_id
        ) s on s.account_id = a.id
        group by a.code, a.normal_side, a.currency
        order by a.currency, a.code
        """,
        (),
    )
    return TrialBalance(tuple(AccountBalance(*row) for row in rows))


def customer_credits(uow: UnitOfWork, customer_ids: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """Return the credit in minor units that each customer still has, by (customer, currency); zeros are left out."""
    rows = uow.fetch_all(
        "select customer_id, currency, balance_minor from customer_credits"
        " where customer_id = any(%s) and balance_minor > 0",
        (list(customer_ids),),
    )
    return {(customer, currency): balance for customer, currency, balance in rows}


def move_customer_credits(uow: UnitOfWork, movements_minor: Mapping[tuple[UUID, str], int]) -> None:
    """Add to (positive) or draw from (negative) customers' credit, in minor units, all or none.

    Raises:
        CreditGone: a draw is more than what is there now; someone else drew in between.
    """
    moved = sorted((key, amount) for key, amount in movements_minor.items() if amount)
    if not moved:
        return
    columns: tuple[list[UUID], list[str], list[int]] = (
        [customer for (customer, _), _ in moved],
        [currency for (_, currency), _ in moved],
        [amount for _, amount in moved],
    )
    uow.execute(
        """
        insert into customer_credits (tenant_id, customer_id, currency, balance_minor)
        select %s, customer_id, currency, 0 from unnest(%s::uuid[], %s::text[]) as m (customer_id, currency)
        on conflict do nothing
        """,
        (uow.tenant_id, columns[0], columns[1]),
    )
    changed = uow.execute(
        """
        update customer_credits c set balance_minor = c.balance_minor + m.amount_minor
        from unnest(%s::uuid[], %s::text[], %s::bigint[]) as m (customer_id, currency, amount_minor)
        where c.customer_id = m.customer_id and c.currency = m.currency and c.balance_minor + m.amount_minor >= 0
        """,
        columns,
    )
    if changed != len(moved):
        raise CreditGone("a customer's credit was drawn by someone else in between")
