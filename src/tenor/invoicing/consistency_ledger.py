"""Check the ledger against its sources: documents, payments, write-offs and refunds are booked as they are."""

from typing import Final

from tenor.invoicing.proof import Proof
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant
from tenor.ledger import CHART_OF_ACCOUNTS, trial_balance
from tenor.platform.unit_of_work import UnitOfWork

_ACCOUNTS: Final = tuple(CHART_OF_ACCOUNTS)


def check_ledger(uow: UnitOfWork, proof: Proof) -> None:
    """Find sources that the ledger does not hold as they are, transfers of no source, and balances that differ."""
    proof.checked["transfers"] = (uow.fetch_one("select count(*) from transfers") or (0,))[0]
    for source_id, prefix, name, currency, *amounts in uow.fetch_all(_BOOKED_OTHERWISE):
        pairs = zip(_ACCOUNTS, amounts[: len(_ACCOUNTS)], amounts[len(_ACCOUNTS) :], strict=True)
        told = ", ".join(
            f"{code} {format_minor(booked, currency)} instead of {format_minor(expected, currency)}"
            for code, expected, booked in pairs
            if expected != booked
        )
        subject = to_wire(prefix or "inv", source_id)
        if name is None:
            proof.found("ledger_differs", subject, f"transfers of something that this customer does not have: {told}")
        else:
            proof.found("ledger_differs", subject, f"{name} is booked as {told}")
    for source_id, kind, booked_at, happened_at in uow.fetch_all(_BOOKED_AT_ANOTHER_TIME):
        proof.found(
            "ledger_differs",
            to_wire("inv", source_id),
            f"{kind} is booked at {format_instant(booked_at)}, it happened at {format_instant(happened_at)}",
        )
    balance = trial_balance(uow)
    for currency in balance.currencies:
        if balance.difference_minor(currency):
            proof.found("ledger_unbalanced", currency, f"debits exceed credits by {balance.difference_minor(currency)}")
    for customer_id, currency, kept, booked in uow.fetch_all(_CREDITED_OTHERWISE):
        proof.found(
            "customer_credit_differs",
            to_wire("cus", customer_id),
            f"a credit of {format_minor(kept, currency)} {currency} is kept, the ledger holds "
            f"{format_minor(booked, currency)}",
        )
    for customer_id, currency, still_open, booked in uow.fetch_all(_RECEIVABLE_OTHERWISE):
        proof.found(
            "receivable_differs",
            to_wire("cus", customer_id),
            f"{format_minor(still_open, currency)} {currency} are open on documents, the ledger holds "
            f"{format_minor(booked, currency)}",
        )


_ENTRIES: Final = """
    select t.source_type, t.source_id, t.customer_id, t.currency, a.code, e.debit_minor
    from transfers t
    cross join lateral (values (t.debit_account_id, t.amount_minor), (t.credit_account_id, -t.amount_minor))
        e (account_id, debit_minor)
    left join accounts a on a.id = e.account_id and a.currency = t.currency
"""
"""Both sides of every transfer, a credit as a negative debit."""


def _balance_of(code: str) -> str:
    sign = "" if CHART_OF_ACCOUNTS[code] == "debit" else "-"
    return f"coalesce({sign}sum(debit_minor) filter (where code = '{code}'), 0)::bigint as {code}"


_INCLUDED_TAX: Final = """
    case when l.taxes is not null then coalesce((
             select sum((share ->> 'amount_minor')::bigint) from jsonb_array_elements(l.taxes) share
             where (share ->> 'is_inclusive')::boolean), 0)
         when i.tax_mode = 'inclusive' then l.tax_minor else 0 end
"""
"""What of a line's amount is no net."""

_DOCUMENTS: Final = """
    select i.id as source_id, 'inv' as prefix, i.series || '-' || i.number as name, i.customer_id, i.currency,
           i.due_minor + i.prepaid_minor - coalesce(a.amount_minor, 0) as receivable,
           coalesce(h.earned_minor, 0) as revenue,
           coalesce(h.ahead_minor, 0) as deferred_revenue,
           i.tax_minor as tax_payable,
           case when i.kind <> 'credit_note' then -i.credit_applied_minor
                when i.settles = 'balance' then i.prepaid_minor - i.total_minor - coalesce(a.amount_minor, 0)
                else 0 end
               as customer_credit,
           case i.settles when 'refund' then i.prepaid_minor - i.total_minor else 0 end as refunds_payable,
           0 as cash, 0 as bad_debt, 0 as prepaid_credits, 0 as breakage, 0 as credit_discounts
    from invoices i
    left join held h on h.invoice_id = i.id
    left join (select credit_note_id, sum(amount_minor) as amount_minor from allocations group by credit_note_id) a
        on a.credit_note_id = i.id
"""

_PAYMENTS: Final = """
    select p.id, 'pay', 'payment ' || p.reference, p.customer_id, p.currency,
           -coalesce(a.amount_minor, 0), 0, 0, 0, p.amount_minor - coalesce(a.amount_minor, 0), 0, p.amount_minor, 0,
           0, 0, 0
    from payments p
    left join (select payment_id, sum(amount_minor) as amount_minor from allocations group by payment_id) a
        on a.payment_id = p.id
"""

_WRITE_OFFS: Final = """
    select w.id, 'wof', 'a write-off of ' || i.series || '-' || i.number, i.customer_id, i.currency,
           -w.amount_minor, 0, 0, 0, 0, 0, 0, w.amount_minor, 0, 0, 0
    from write_offs w join invoices i on i.id = w.invoice_id
"""

_REFUNDS: Final = """
    select r.id, 'rfd', 'a refund', r.customer_id, r.currency, 0, 0, 0, 0,
           case when r.credit_note_id is null then -r.amount_minor else 0 end,
           case when r.credit_note_id is null then r.amount_minor else 0 end
               - case r.status when 'done' then r.amount_minor else 0 end,
           -case r.status when 'done' then r.amount_minor else 0 end, 0, 0, 0, 0
    from refund_requests r
"""

_BOOKED_OTHERWISE: Final = f"""
    with held as (
        select invoice_id, sum(net_minor) filter (where not is_deferred) as earned_minor,
               sum(net_minor) filter (where is_deferred) as ahead_minor
        from (select l.invoice_id, l.is_deferred, l.amount_minor - {_INCLUDED_TAX} as net_minor
              from invoice_lines l join invoices i on i.id = l.invoice_id) lines
        group by invoice_id
    ), expected as (
        {_DOCUMENTS} union all {_PAYMENTS} union all {_WRITE_OFFS} union all {_REFUNDS}
    ), booked as (
        select source_id, customer_id, currency, {", ".join(_balance_of(code) for code in _ACCOUNTS)}
        from ({_ENTRIES}) entries where source_type <> 'wallet' group by source_id, customer_id, currency
    )
    select source_id, e.prefix, e.name, currency,
           {", ".join(f"coalesce(e.{code}, 0)::bigint" for code in _ACCOUNTS)},
           {", ".join(f"coalesce(b.{code}, 0)" for code in _ACCOUNTS)}
    from expected e full join booked b using (source_id, customer_id, currency)
    where {" or ".join(f"coalesce(e.{code}, 0) <> coalesce(b.{code}, 0)" for code in _ACCOUNTS)}
    order by e.name, source_id
"""
"""Sources but wallets, each with its balances as it says them and as its transfers do, where the two differ.

Each part of `expected` has the accounts in the order of the first one.
"""

_BOOKED_AT_ANOTHER_TIME: Final = """
    select t.source_id, t.kind, t.effective_at, s.happened_at
    from transfers t join (
        select id, issued_at as happened_at from invoices
        union all select id, received_at from payments
        union all select id, written_off_at from write_offs
    ) s on s.id = t.source_id
    where t.effective_at <> s.happened_at order by t.source_id, t.kind
"""
"""Transfers of documents, payments and write-offs in another month than these, or at another instant of it."""

_CREDITED_OTHERWISE: Final = f"""
    select customer_id, currency, coalesce(c.balance_minor, 0), coalesce(b.booked, 0)
    from customer_credits c
    full join (
        select customer_id, currency, -sum(debit_minor)::bigint as booked
        from ({_ENTRIES}) entries where code = 'customer_credit' group by customer_id, currency
    ) b using (customer_id, currency)
    where coalesce(c.balance_minor, 0) <> coalesce(b.booked, 0) order by customer_id, currency
"""

_RECEIVABLE_OTHERWISE: Final = f"""
    select customer_id, currency, coalesce(o.open_minor, 0)::bigint, coalesce(b.booked, 0)
    from (
        select i.customer_id, i.currency,
               sum(i.due_minor - coalesce(s.paid_minor + s.credited_minor + s.written_off_minor, 0)) as open_minor
        from invoices i left join document_states s on s.invoice_id = i.id group by i.customer_id, i.currency
    ) o
    full join (
        select customer_id, currency, sum(debit_minor)::bigint as booked
        from ({_ENTRIES}) entries where code = 'receivable' group by customer_id, currency
    ) b using (customer_id, currency)
    where coalesce(o.open_minor, 0) <> coalesce(b.booked, 0) order by customer_id, currency
"""
