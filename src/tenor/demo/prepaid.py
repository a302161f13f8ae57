"""Prepaid credit in the AI inference service: twelve customers buy it, use it, let it lapse, and have it filled up."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.customers import customers_by_external_id
from tenor.demo.story import ACTOR, CreditFigures, Moment
from tenor.invoicing import BilledPurchase, CreditOffer, PaymentRequest, bill_top_ups, record_payment, sell_credits
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import CustomerId, WalletId
from tenor.kernel.money import format_minor
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.policy import profile
from tenor.wallets import TopUpRule, lapse_grants, open_wallet, order_top_ups, set_top_up
from tenor.wallets.model import WalletTerms

CURRENCY: Final = "EUR"
_WHY: Final = "pays ahead"
_BURN_ORDER: Final = profile("tenor").credits.burn_order


class Pack(NamedTuple):
    """What some customers, by number, buy: credit, its price, the terms of its wallet and when that is filled up."""

    customers: range
    terms: WalletTerms
    amount: Decimal
    price_minor: int
    lasts: Interval | None = None
    top_up: TopUpRule | None = None


def _terms(code: str, *, unit: str, rate: str) -> WalletTerms:
    return WalletTerms(
        code=code,
        unit=unit,
        currency=CURRENCY,
        rate=Decimal(rate),
        overdraws=False,
        repays_advances=False,
        burn_order=_BURN_ORDER,
        eligibility="effective_before_service_end",
        pays="usage" if unit == "credits" else "everything",
    )


PACKS: Final = (
    # 10,000 credits that pay 100.00 of usage, for 90.00, in two months
    Pack(
        range(13, 21), _terms("credits", unit="credits", rate="0.01"), Decimal(10_000), 90_00, Interval(Unit.MONTH, 2)
    ),
    # 300.00 that pay whatever is invoiced, filled up when less than 100.00 is left
    Pack(
        range(21, 25),
        _terms("balance", unit=CURRENCY, rate="1"),
        Decimal(300),
        300_00,
        top_up=TopUpRule(threshold=Decimal(100), target=Decimal(300), max_per_day=1),
    ),
)


def sell_packs(moment: Moment, names: Sequence[str]) -> str:
    """Open wallets, sell what goes into them and take the money; `names` are those of customers 1, 2 and so on."""
    customers = customers_by_external_id(moment.uow, names)
    sold = []
    for pack in PACKS:
        for number in pack.customers:
            name = names[number - 1]
            sold.append(_sell(moment, pack, customers[name].id, name))
    return f"{len(sold)} customers pay ahead"


def _sell(moment: Moment, pack: Pack, customer_id: CustomerId, name: str) -> BilledPurchase:
    wallet_id = open_wallet(moment.uow, customer_id, pack.terms, now=moment.now, actor=ACTOR, reason=_WHY)
    if pack.top_up is not None:
        set_top_up(moment.uow, wallet_id, pack.top_up, now=moment.now, actor=ACTOR, reason=_WHY)
    offer = CreditOffer(
        customer_id=customer_id,
        wallet=pack.terms.code,
        amount=pack.amount,
        price_minor=pack.price_minor,
        lasts=pack.lasts,
    )
    sold = sell_credits(moment.uow, offer, key=name, now=moment.now, actor=ACTOR, reason=_WHY)
    _pay(moment, customer_id, sold, pack.price_minor)
    return sold


def order(moment: Moment, *, at: datetime) -> str:
    """Let wallets that are low order their top-ups, unless the story is past `at`."""
    if moment.now != at:
        return "top-ups: ordered before"
    return f"{len(order_top_ups(moment.uow, now=moment.now))} wallets are low and order a top-up"


def lapse(moment: Moment) -> str:
    """Book what was not used in time."""
    return f"{len(lapse_grants(moment.uow, now=moment.now))} grants of prepaid credit lapse"


def fill_up(moment: Moment, *, at: datetime) -> str:
    """Invoice the top-ups that wallets have ordered, and take the money."""
    if moment.now != at:
        return "top-ups: invoiced before"
    billed = bill_top_ups(moment.uow, now=moment.now, actor=ACTOR, reason=_WHY)
    payers: dict[WalletId, CustomerId] = dict(
        moment.uow.fetch_all(
            "select id, customer_id from wallets where id = any(%s)", [[one.purchase.wallet_id for one in billed]]
        )
    )
    for one in billed:
        _pay(moment, payers[one.purchase.wallet_id], one, one.due_minor)
    return f"{len(billed)} top-ups are invoiced and paid"


def _pay(moment: Moment, customer_id: CustomerId, sold: BilledPurchase, amount_minor: int) -> None:
    request = PaymentRequest(
        customer_id=customer_id,
        currency=CURRENCY,
        amount_minor=amount_minor,
        method="card",
        reference=f"payment of {sold.name}",
        invoice_ids=[sold.invoice_id],
    )
    record_payment(moment.uow, request, now=moment.now, actor=ACTOR, reason=_WHY)


def credit_figures(uow: UnitOfWork) -> list[CreditFigures]:
    """Return, for each kind of wallet, what was paid for the credit that came and went, and what the ledger owes."""
    rows = uow.fetch_all(
        """
        with moved as (
            select w.code, sum(e.value_minor) filter (where e.kind = 'granted' and o.id is null) as sold,
                   sum(e.value_minor) filter (where e.kind = 'granted' and o.id is not null) as topped_up,
                   sum(e.value_minor) filter (where e.kind = 'drawn') as drawn,
                   sum(e.value_minor) filter (where e.kind = 'lapsed') as lapsed
            from wallets w join wallet_entries e on e.wallet_id = w.id
            left join top_up_orders o on o.grant_id = e.grant_id and e.kind = 'granted'
            group by w.code
        ), kept as (
            select w.code, sum(round(g.cost_minor * (g.remaining + g.reserved) / g.amount)) as left_minor
            from wallets w join credit_grants g on g.wallet_id = w.id group by w.code
        ), owed as (
            select w.code, sum(case a.id when t.credit_account_id then t.amount_minor else -t.amount_minor end) as owed
            from transfers t join wallets w on w.id = t.source_id
            join accounts a on a.id in (t.debit_account_id, t.credit_account_id) and a.code = 'prepaid_credits'
            group by w.code
        )
        select code, coalesce(sold, 0)::bigint, coalesce(topped_up, 0)::bigint, coalesce(drawn, 0)::bigint,
               coalesce(lapsed, 0)::bigint, left_minor::bigint, owed::bigint
        from moved join kept using (code) join owed using (code) order by code
        """
    )
    return [CreditFigures(code, *(format_minor(minor, CURRENCY) for minor in minors)) for code, *minors in rows]
