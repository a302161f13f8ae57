"""Laws of money that hold at every instant, from plain sums of rows and what a story remembers; no rule is asked.

Each law is a query that finds what breaks it. The engine's own proof is another path, and is asked beside them.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from tenor.kernel.ids import WalletId, WalletUseId
from tests.support.company import Company


@dataclass(slots=True)
class Memory:
    """What a story was told: minor units by customer and currency, credit by wallet, and by use."""

    paid_in: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent_back: Counter[tuple[str, str]] = field(default_factory=Counter)
    paid_for_credit: Counter[tuple[str, str]] = field(default_factory=Counter)
    granted: defaultdict[WalletId, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    used: dict[WalletUseId, Decimal] = field(default_factory=dict)


def broken_laws(company: Company, memory: Memory) -> list[str]:
    """Return what contradicts a law, in words; nothing where the books are sound."""
    found = [f"{law}: {row}" for law, statement in _LAWS.items() for row in company.rows(statement)]
    return [*found, *_otherwise_remembered(company, memory)]


def _otherwise_remembered(company: Company, memory: Memory) -> list[str]:
    found: list[str] = []
    moved = {
        key: memory.paid_in[key] + memory.paid_for_credit[key] - memory.sent_back[key]
        for key in memory.paid_in.keys() | memory.paid_for_credit.keys() | memory.sent_back.keys()
    }
    cash = _cash(company)
    found += [
        f"cash of {key}: booked {cash.get(key, 0)}, remembered {moved.get(key, 0)}"
        for key in cash.keys() | moved.keys()
        if cash.get(key, 0) != moved.get(key, 0)
    ]
    granted = dict(
        company.rows(
            "select wallet_id, sum(g.amount) from credit_grants g where source in ('purchase', 'promotion')"
            " and not exists (select from credit_purchases p where p.grant_id = g.id)"
            " and not exists (select from top_up_orders o where o.grant_id = g.id) group by wallet_id"
        )
    )
    if granted != {key: amount for key, amount in memory.granted.items() if amount}:
        found.append(f"granted: {granted}, remembered {dict(memory.granted)}")
    used = dict(company.rows("select id, used from wallet_uses where paid_minor is null"))
    differing = {key: (used.get(key), amount) for key, amount in memory.used.items() if used.get(key) != amount}
    if differing or len(used) != len(memory.used):
        found.append(f"used otherwise than remembered: {differing}")
    return found


def _cash(company: Company) -> dict[tuple[str, str], int]:
    rows = company.rows(
        f"select c.external_id, e.currency, sum(e.debit_minor)::bigint from {_ENTRIES} e"
        " join customers c on c.id = e.customer_id where e.code = 'cash' group by 1, 2"
    )
    return {(name, currency): minor for name, currency, minor in rows}


_ENTRIES: Final = """
    (select t.customer_id, t.currency, a.code, s.debit_minor, t.source_type, t.source_id
     from transfers t
     cross join lateral (values (t.debit_account_id, t.amount_minor), (t.credit_account_id, -t.amount_minor))
        s (account_id, debit_minor)
     join accounts a on a.id = s.account_id)
"""

_LAWS: Final = {
    "an account holds another currency than its own": """
        select t.id from transfers t join accounts d on d.id = t.debit_account_id
        join accounts c on c.id = t.credit_account_id where t.currency <> d.currency or t.currency <> c.currency
    """,
    # What a customer owes, less what is owed to it, is all documents less all that came in for them.
    "a customer's account is not documents less money": f"""
        with position as (
            select customer_id, currency, sum(debit_minor)::bigint as minor from {_ENTRIES} e
            where code in ('receivable', 'customer_credit', 'refunds_payable', 'bad_debt', 'cash')
            group by 1, 2
        ), documents as (
            select customer_id, currency, sum(total_minor)::bigint as minor from invoices group by 1, 2
        ), wallets_paid as (
            select w.customer_id, w.currency, sum(p.paid_minor)::bigint as minor
            from wallet_payments p join wallets w on w.id = p.wallet_id group by 1, 2
        ), credit_moved as (
            select w.customer_id, w.currency, sum(case when e.kind = 'granted' and g.paid_from <> 'invoice'
                then e.value_minor when e.kind = 'voided' and g.paid_from <> 'invoice' then -e.value_minor
                else 0 end)::bigint as minor
            from wallet_entries e join credit_grants g on g.id = e.grant_id join wallets w on w.id = e.wallet_id
            group by 1, 2
        )
        select customer_id, currency, p.minor, d.minor, w.minor, m.minor
        from position p full join documents d using (customer_id, currency)
        full join wallets_paid w using (customer_id, currency) full join credit_moved m using (customer_id, currency)
        where coalesce(p.minor, 0) <> coalesce(d.minor, 0) - coalesce(w.minor, 0) + coalesce(m.minor, 0)
    """,
    "what was earned is not what documents, uses and lapses say": f"""
        with booked as (
            select customer_id, currency, -sum(debit_minor)::bigint as minor from {_ENTRIES} e
            where code in ('revenue', 'deferred_revenue', 'tax_payable') group by 1, 2
        ), documents as (
            select customer_id, currency, sum(total_minor)::bigint as minor from invoices group by 1, 2
        ), credit as (
            select w.customer_id, w.currency, sum(case
                when e.kind = 'granted' and g.paid_from = 'invoice' then -e.value_minor
                when e.kind = 'voided' and g.paid_from = 'invoice' then e.value_minor
                when e.kind in ('drawn', 'repaid') and u.paid_minor is null then e.value_minor
                when e.kind = 'restored' and u.paid_minor is null then -e.value_minor
                else 0 end)::bigint as minor
            from wallet_entries e join credit_grants g on g.id = e.grant_id join wallets w on w.id = e.wallet_id
            left join wallet_uses u on u.id = e.use_id group by 1, 2
        )
        select customer_id, currency, b.minor, d.minor, c.minor
        from booked b full join documents d using (customer_id, currency)
        full join credit c using (customer_id, currency)
        where coalesce(b.minor, 0) <> coalesce(d.minor, 0) + coalesce(c.minor, 0)
    """,
    "a document is collected otherwise than once": """
        select i.series, i.number, i.due_minor, s.paid_minor, s.credited_minor, s.written_off_minor
        from invoices i join document_states s on s.invoice_id = i.id
        where s.paid_minor + s.credited_minor + s.written_off_minor > i.due_minor
           or least(s.paid_minor, s.credited_minor, s.written_off_minor) < 0
    """,
    "a payment is spent otherwise than once": """
        select p.id, p.amount_minor, sum(a.amount_minor) from payments p join allocations a on a.payment_id = p.id
        group by p.id, p.amount_minor having sum(a.amount_minor) > p.amount_minor
    """,
    "more is credited than was invoiced": """
        select i.series, i.number, i.total_minor, sum(n.total_minor) from invoices i
        join invoices n on n.credits_invoice_id = i.id group by i.series, i.number, i.total_minor
        having i.total_minor + sum(n.total_minor) < 0
    """,
    "more of a line is given back than was billed": """
        select item_id, charge_id, dimension, period_start, sum(amount_minor) from invoice_lines
        where charge_id in (select id from charges where kind <> 'cap') group by 1, 2, 3, 4 having sum(amount_minor) < 0
    """,
    "tax is left on what was given back, or given back beyond it": """
        select item_id, charge_id, dimension, period_start, sum(amount_minor), sum(tax_minor) from invoice_lines
        where charge_id in (select id from charges where kind <> 'cap') group by 1, 2, 3, 4
        having sum(tax_minor) < 0 or (sum(amount_minor) = 0 and sum(tax_minor) <> 0)
    """,
    "more goes back to wallets than they paid": """
        select use_id, sum(paid_minor), sum(amount) from wallet_payments group by use_id
        having sum(paid_minor) < 0 or sum(amount) < 0 or (sum(paid_minor) = 0) <> (sum(amount) = 0)
    """,
    "a wallet pays more of a line than it is": """
        select p.invoice_id, p.line_no, sum(p.paid_minor) from wallet_payments p
        join invoices i on i.id = p.invoice_id
        join invoice_lines l on l.invoice_id = p.invoice_id and l.line_no = p.line_no
        where i.kind <> 'credit_note'
        group by p.invoice_id, p.line_no, i.tax_mode, l.amount_minor, l.tax_minor, l.taxes
        having sum(p.paid_minor) > l.amount_minor + l.tax_minor
    """,
    "credit pays what its grant does not allow": """
        select p.invoice_id, p.line_no, g.features, c.code, c.metric
        from wallet_payments p
        join wallet_entries e on e.use_id = p.use_id and e.kind = 'drawn'
        join credit_grants g on g.id = e.grant_id
        join invoices i on i.id = p.invoice_id and i.kind <> 'credit_note'
        join invoice_lines l on l.invoice_id = p.invoice_id and l.line_no = p.line_no
        join wallets w on w.id = p.wallet_id
        left join charges c on c.id = l.charge_id
        where p.paid_minor > 0 and (
            (g.features <> '{}' and not (g.features && array[c.code, c.metric]))
            or (w.pays = 'usage' and c.metric is null)
            or e.at < g.effective_at or e.at >= g.expires_at)
    """,
    "credit is drawn outside of its time": """
        select e.wallet_id, e.entry_no, e.kind, e.at, g.effective_at, g.expires_at from wallet_entries e
        join credit_grants g on g.id = e.grant_id left join wallet_uses u on u.id = e.use_id
        where e.kind in ('drawn', 'held') and u.expires_at is null
          and (e.at < g.effective_at or e.at >= g.expires_at or e.at > g.voided_at)
    """,
    "a grant is worth more, or less, than it was sold for": """
        select g.id, g.cost_minor, g.amount, g.remaining, g.reserved,
               sum(case when e.kind in ('granted', 'restored') then e.value_minor else -e.value_minor end)
        from credit_grants g join wallet_entries e on e.grant_id = g.id
        group by g.id, g.cost_minor, g.amount, g.remaining, g.reserved
        having (g.remaining + g.reserved = 0
                and sum(case when e.kind in ('granted', 'restored') then e.value_minor else -e.value_minor end) <> 0)
            or (g.remaining = g.amount
                and sum(case when e.kind in ('granted', 'restored') then e.value_minor else -e.value_minor end)
                    <> g.cost_minor)
            or g.remaining < 0 or g.reserved < 0 or g.remaining + g.reserved > g.amount
    """,
    "periods of a charge overlap": """
        select item_id, charge_id, period_start, period_end, next from (
            select item_id, charge_id, period_start, period_end,
                   lead(period_start) over (partition by item_id, charge_id order by period_start) as next
            from (select distinct item_id, charge_id, period_start, period_end from claims) c) chain
        where next < period_end
    """,
    "a period is claimed with a gap in its settlements": """
        select item_id, charge_id, period_start, count(*), max(settlement_no) from claims group by 1, 2, 3
        having count(*) <> max(settlement_no) or min(settlement_no) <> 1
    """,
    "more of a period is given back than was billed": """
        select item_id, period_start, period_end, sum(amount_minor) from invoice_lines
        where item_id in (select item_id from billing_positions where revisit_from is null)
        group by 1, 2, 3 having sum(amount_minor) < 0
    """,
    "more is refunded of an invoice than money has paid of it": """
        select i.series, i.number, s.paid_minor, sum(r.amount_minor) from invoices i
        join document_states s on s.invoice_id = i.id
        join invoices n on n.credits_invoice_id = i.id
        join request_keys k on k.operation = 'request_refund' and k.key = 'credit_invoice ' || n.id
        join refund_requests r on r.id = k.made_id
        group by i.series, i.number, s.paid_minor having sum(r.amount_minor) > s.paid_minor
    """,
    "a settlement sends back more than money has paid": """
        select customer_id, currency, r.minor, p.minor from (
            select r.customer_id, r.currency, sum(r.amount_minor) as minor from refund_requests r
            where r.credit_note_id is not null and not exists (
                select from invoice_lines l where l.invoice_id = r.credit_note_id and l.adjustment_id is not null)
            group by 1, 2) r
        left join (select customer_id, currency, sum(amount_minor) as minor from payments group by 1, 2) p
            using (customer_id, currency)
        where r.minor > coalesce(p.minor, 0)
    """,
}
