"""Check prepaid credit: documents and wallets say the same of what was paid, and what is sold is granted when paid."""

from typing import Final

from tenor.invoicing.proof import Proof
from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import UnitOfWork


def check_prepaid(uow: UnitOfWork, proof: Proof) -> None:
    """Find uses of wallets that pay documents otherwise than these say, and payments from somebody else's wallet."""
    if count := (uow.fetch_one("select count(*) from wallet_payments") or (0,))[0]:
        proof.checked["wallet payments"] = count
    for use_id, paid_minor, amount, said_minor, said_amount in uow.fetch_all(_PAID_OTHERWISE):
        proof.found(
            "wallet_payment_differs",
            to_wire("use", use_id),
            f"documents say that {plain(said_amount)} of credit pay {said_minor} minor units, "
            f"the wallet says {plain(amount)} and {paid_minor}",
        )
    if count := (uow.fetch_one("select count(*) from credit_purchases") or (0,))[0]:
        proof.checked["credit purchases"] = count
    for adjustment_id, status in uow.fetch_all(_SOLD_OTHERWISE):
        proof.found(
            "purchase_differs",
            to_wire("adj", adjustment_id),
            f"it is {status}: its invoice, its grant and its top-up do not say so",
        )
    for document_id, name in uow.fetch_all(_PAID_BY_STRANGERS):
        proof.found(
            "wallet_payment_differs",
            to_wire("inv", document_id),
            f"{name} is paid by a wallet of another customer or currency",
        )


_PAID_OTHERWISE: Final = """
    select use_id, coalesce(u.paid_minor, 0), coalesce(u.used, 0), coalesce(p.paid_minor, 0)::bigint,
           coalesce(p.amount, 0)
    from (select id as use_id, paid_minor, used from wallet_uses where paid_minor is not null) u
    full join (
        select use_id, sum(paid_minor) as paid_minor, sum(amount) as amount from wallet_payments group by use_id
    ) p using (use_id)
    where u.paid_minor is distinct from p.paid_minor or u.used is distinct from p.amount order by use_id
"""

_PAID_BY_STRANGERS: Final = """
    select distinct i.id, i.series || '-' || i.number as name
    from wallet_payments p join invoices i on i.id = p.invoice_id join wallets w on w.id = p.wallet_id
    where (w.customer_id, w.currency) <> (i.customer_id, i.currency) order by name
"""

_SOLD_OTHERWISE: Final = """
    select p.adjustment_id, p.status
    from credit_purchases p
    left join adjustments a on a.id = p.adjustment_id and a.kind = 'credit_purchase'
    left join adjustment_claims c on c.adjustment_id = p.adjustment_id
    left join invoices i on i.id = c.invoice_id
    left join document_states s on s.invoice_id = i.id
    left join wallets w on w.id = p.wallet_id
    left join credit_grants g on g.id = p.grant_id
    left join top_up_orders o on o.id = p.top_up_id
    where a.id is null or i.id is null or p.net_minor <> i.net_minor
       or p.amount <> o.amount or not o.is_invoiced
       or (w.customer_id, w.currency) is distinct from (i.customer_id, i.currency)
       or case p.status
              when 'granted' then (g.wallet_id, g.amount, g.cost_minor, g.paid_from)
                                  is distinct from (p.wallet_id, p.amount, p.net_minor, 'invoice')
                                  or o.status = 'pending'
              when 'pending' then i.due_minor = 0 or coalesce(s.status, 'finalized') in ('paid', 'void')
                                  or o.status = 'paid'
              else o.status <> 'failed' end
    union all
    select a.id, 'not there' from adjustments a
    where a.kind = 'credit_purchase' and not exists (select from credit_purchases p where p.adjustment_id = a.id)
    union all
    select o.id, 'said to be invoiced' from top_up_orders o
    where o.is_invoiced and not exists (select from credit_purchases p where p.top_up_id = o.id)
    order by 1
"""
"""Sales that are granted otherwise than they were billed, or not as their invoice stands."""
