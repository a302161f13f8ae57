"""Statements: what happened between a customer and the company, with the balance before, after and in between."""

from datetime import datetime
from typing import Final, NamedTuple

from tenor.kernel.ids import CustomerId
from tenor.platform.unit_of_work import UnitOfWork


class StatementEntry(NamedTuple):
    """One thing that moved the balance: by how much, in minor units, and what it then was. `name` is its number."""

    at: datetime
    what: str
    name: str
    amount_minor: int
    balance_minor: int


class Statement(NamedTuple):
    """A customer's movements in one currency. A positive balance is owed by the customer, a negative one to it."""

    currency: str
    opening_minor: int
    entries: tuple[StatementEntry, ...]

    @property
    def closing_minor(self) -> int:
        """The balance at the end."""
        return self.entries[-1].balance_minor if self.entries else self.opening_minor


def customer_statements(
    uow: UnitOfWork, customer_id: CustomerId, *, since: datetime, until: datetime
) -> list[Statement]:
    """Return a customer's statement from `since` up to, not including, `until`, one for each currency.

    Straight from the ledger: receivables less the customer's credit and what is to be refunded.
    """
    rows = uow.fetch_all(_MOVEMENTS, {"customer": customer_id, "until": until})
    opening: dict[str, int] = {}
    entries: dict[str, list[StatementEntry]] = {}
    for at, currency, source_type, _, name, amount_minor in rows:
        listed = entries.setdefault(currency, [])
        before_minor = listed[-1].balance_minor if listed else opening.get(currency, 0)
        if at < since:
            opening[currency] = before_minor + amount_minor
        else:
            listed.append(StatementEntry(at, source_type, name, amount_minor, before_minor + amount_minor))
    return [Statement(currency, opening.get(currency, 0), tuple(entries[currency])) for currency in sorted(entries)]


_MOVEMENTS: Final = """
    select m.effective_at, m.currency, m.source_type, m.source_id,
           coalesce(i.series || '-' || i.number, p.reference, w.series || '-' || w.number, v.code, ''), m.amount_minor
    from (
        select t.effective_at, t.currency, t.source_type, t.source_id, sum(e.debit_minor)::bigint as amount_minor
        from transfers t
        cross join lateral (values (t.debit_account_id, t.amount_minor), (t.credit_account_id, -t.amount_minor))
            e (account_id, debit_minor)
        join accounts a on a.id = e.account_id and a.code in ('receivable', 'customer_credit', 'refunds_payable')
        where t.customer_id = %(customer)s and t.effective_at < %(until)s
        group by t.effective_at, t.currency, t.source_type, t.source_id
        having sum(e.debit_minor) <> 0
    ) m
    left join invoices i on i.id = m.source_id
    left join payments p on p.id = m.source_id
    left join wallets v on v.id = m.source_id
    left join (select o.id, d.series, d.number from write_offs o join invoices d on d.id = o.invoice_id) w
        on w.id = m.source_id
    order by m.effective_at, m.source_type, 5, m.source_id
"""
