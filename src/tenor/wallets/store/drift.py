"""Checks of wallets against themselves and against the ledger: what each holds in two places must be the same."""

from typing import Final, NamedTuple

from tenor.kernel.ids import WalletId
from tenor.platform.unit_of_work import UnitOfWork


class BookedOtherwise(NamedTuple):
    """An account in which the transfers of a wallet come to another balance than the wallet says; debits are positive.

    `wallet_code` None: there is no such wallet of the transfers' customer and currency.
    """

    wallet_id: WalletId
    wallet_code: str | None
    account: str
    currency: str
    expected_minor: int
    booked_minor: int


def wallets_that_do_not_add_up(uow: UnitOfWork) -> list[WalletId]:
    """Return the wallets in which a grant is, or has left, not what its entries say, or an entry is missing."""
    return [WalletId(wallet_id) for (wallet_id,) in uow.fetch_all(_NOT_ADDING_UP)]


def wallets_booked_otherwise(uow: UnitOfWork) -> list[BookedOtherwise]:
    """Return the accounts of wallets that the ledger does not hold as the grants, entries and uses say.

    What is owed for a wallet's credit (prepaid_credits) is derived from what its grants have left, all else from its
    entries; so the law 'owed = the cost of what is left' is checked, and not only that every entry is booked.
    """
    return [BookedOtherwise(*row) for row in uow.fetch_all(_BOOKED_OTHERWISE)]


_NOT_ADDING_UP: Final = """
    select g.wallet_id from credit_grants g left join wallet_entries e on e.grant_id = g.id
    group by g.wallet_id, g.id, g.amount, g.remaining, g.reserved
    having g.amount <> coalesce(sum(e.amount) filter (where e.kind = 'granted'), 0)
    or g.remaining <> coalesce(sum(case
        when e.kind in ('granted', 'released', 'restored') then e.amount
        when e.kind in ('held', 'drawn', 'repaid', 'voided', 'lapsed') then -e.amount end), 0)
    or g.reserved <> coalesce(sum(case e.kind when 'held' then e.amount when 'released' then -e.amount end), 0)
    union
    select w.id from wallets w left join wallet_entries e on e.wallet_id = w.id
    group by w.id, w.entry_count having count(e.entry_no) <> w.entry_count
    union
    select u.wallet_id from wallet_uses u left join wallet_entries e on e.use_id = u.id
    group by u.wallet_id, u.id, u.used, u.uncovered, u.status
    having u.used <> coalesce(sum(case
        when e.kind in ('drawn', 'advanced') then e.amount
        when e.kind in ('restored', 'forgone') then -e.amount end), 0)
    or u.uncovered <> coalesce(sum(case
        when e.kind = 'advanced' then e.amount
        when e.kind in ('repaid', 'forgone') then -e.amount end), 0)
    order by 1
"""

_SAID: Final = """
    select wallet_id, 'prepaid_credits' as account,
           -round(cost_minor::numeric * (remaining + reserved) / amount) as debit_minor
    from credit_grants
    union all
    select e.wallet_id, case
               when e.kind = 'granted' then case g.paid_from when 'invoice' then 'deferred_revenue' else g.paid_from end
               when e.kind = 'voided'
                   then case g.paid_from when 'invoice' then 'deferred_revenue' else 'customer_credit' end
               when e.kind = 'lapsed' then 'breakage'
               when u.paid_minor is null then 'revenue' else 'credit_discounts' end,
           case when e.kind in ('granted', 'restored') then e.value_minor else -e.value_minor end
    from wallet_entries e
    join credit_grants g on g.id = e.grant_id
    left join wallet_uses u on u.id = e.use_id
    where e.value_minor > 0
    union all
    select wallet_id, part.account, part.sign * paid_minor
    from wallet_uses cross join (values ('receivable', -1), ('credit_discounts', 1)) part (account, sign)
    where paid_minor is not null
"""
"""What grants, entries and uses say of each account, as debits."""

_BOOKED_OTHERWISE: Final = f"""
    with said as (
        select s.wallet_id, w.code, w.customer_id, w.currency, s.account, sum(s.debit_minor)::bigint as minor
        from ({_SAID}) s join wallets w on w.id = s.wallet_id
        group by s.wallet_id, w.code, w.customer_id, w.currency, s.account
    ), booked as (
        select t.source_id as wallet_id, t.customer_id, t.currency, a.code as account,
               sum(e.debit_minor)::bigint as minor
        from transfers t
        cross join lateral (values (t.debit_account_id, t.amount_minor), (t.credit_account_id, -t.amount_minor))
            e (account_id, debit_minor)
        join accounts a on a.id = e.account_id
        where t.source_type = 'wallet'
        group by t.source_id, t.customer_id, t.currency, a.code
    )
    select wallet_id, s.code, account, currency, coalesce(s.minor, 0), coalesce(b.minor, 0)
    from said s full join booked b using (wallet_id, customer_id, currency, account)
    where coalesce(s.minor, 0) <> coalesce(b.minor, 0)
    order by wallet_id, account
"""
