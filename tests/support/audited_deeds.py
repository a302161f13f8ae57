"""What can happen to the company of `audited_lives`: one function for each verb. About a third of it is refused."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tenor.invoicing import (
    AdjustmentRequest,
    BillingSettingsChange,
    CreditOffer,
    NegativeTotal,
    PaymentRequest,
    accept_quote,
    bill_top_ups,
    charge_once,
    credit_invoice,
    finalise_drafts,
    follow_usage,
    grant_credit,
    mark_refunded,
    quote_change,
    record_payment,
    request_refund,
    sell_credits,
    set_billing_settings,
    set_usage_thresholds,
    settle_now,
    void_invoice,
    write_off,
)
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import GrantId, InvoiceId, TopUpId, WalletId, WalletUseId
from tenor.kernel.money import exponent
from tenor.metering import Amendment, UsageEvent, amend_usage, record_usage
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import UsageThresholds
from tenor.subscriptions import (
    Cycles,
    PriceStep,
    Subscription,
    add_add_on,
    apply_discount,
    cancel,
    catch_up_credits,
    change_plan,
    change_prices,
    change_quantity,
    extend_trial,
    find_subscription,
    load_items,
    move_anchor,
    move_to_contract,
    pause,
    remove_add_on,
    resume,
    transfer,
    undo_change,
)
from tenor.wallets import (
    NewGrant,
    TopUpRule,
    UseRequest,
    commit_reservation,
    give_back_credits,
    grant_credits,
    release_reservation,
    reserve_credits,
    set_top_up,
    settle_top_up,
    use_credits,
    void_grant,
)
from tests.support.audited_lives import START, Story
from tests.support.markets import KINDS, MARKETS, Market


def _any_market(story: Story) -> tuple[Market, str]:
    market = story.lot.choice(MARKETS)
    return market, story.lot.choice([name for name, _, _ in market.customers])


def _any_amount(story: Story, market: Market, top: str = "base") -> int:
    """Return minor units, from 1 to some of a market's prices."""
    most = int(Decimal(market.prices[top]).scaleb(exponent(market.currency)))
    return story.lot.randrange(1, most * story.lot.choice((1, 3)))


def _bill(story: Story) -> None:
    story.run()


def _tick(story: Story) -> None:
    catch_up_credits(story.company.database, story.company.tenant_id, now=story.now)


def _subscribe(story: Story) -> None:
    market, name = _any_market(story)
    story.subscribe(name, market)


def _change(story: Story) -> None:
    change = _any_change(story)
    story.do(lambda uow: change(uow, story.now))


def _settle(story: Story) -> None:
    change = _any_change(story)
    story.do(lambda uow: settle_now(uow, change(uow, story.now), as_of=story.now, recorded_at=story.now))


def _finalise(story: Story) -> None:
    name = _any_subscription(story)
    story.do(lambda uow: finalise_drafts(uow, find_subscription(uow, name), **story.by()))


def _quote(story: Story) -> None:
    change = _any_change(story)
    quote = story.do(lambda uow: quote_change(uow, change, as_of=story.now))
    story.do(lambda uow: accept_quote(uow, change, as_of=story.now, digest=quote.digest, now=story.now))


def _any_subscription(story: Story) -> str:
    rows = story.company.rows("select external_id from subscriptions order by external_id")
    return str(story.lot.choice(rows)[0])


def _any_change(story: Story) -> Callable[[UnitOfWork, datetime], list[Subscription]]:
    """Return a change that is the same however often it is called."""
    lot, name = story.lot, _any_subscription(story)
    held = story.company.subscription(name)
    code = held.currency.lower()
    market = next(one for one in MARKETS if one.code == code)
    plan, seats, days = f"{lot.choice(KINDS)}-{code}", lot.randrange(0, 9), lot.randrange(5, 70)
    since = lot.choice(("now", "now", "now", "period_end", timedelta(days=-lot.randrange(1, 40)), timedelta(days=5)))
    with story.company.work() as uow:
        (standing,) = load_items(uow, [held.id])
    add_ons = [item.id for item in standing.timeline.items if item.is_add_on]
    add_on = lot.choice([None, *add_ons])
    other = lot.choice([one for one, _, _ in market.customers])
    price = Decimal(market.prices["base"]) / 2
    price = round(price, exponent(market.currency))
    in_days, number = timedelta(days=days), lot.randrange(1, held.version + 1)
    asked: list[tuple[Callable[..., Subscription], dict[str, Any]]] = [
        (
            pause,
            {"unused_time": lot.choice(("none", "credit", "extend")), "until": lot.choice((None, in_days, Cycles(1)))},
        ),
        (resume, {}),
        (cancel, {}),
        (change_quantity, {"quantities": {"seats": Decimal(seats)}, "add_on": add_on}),
        (change_quantity, {"quantities": {"seats": Decimal(seats)}, "decrease": "renewal"}),
        (change_plan, {"plan": plan, "add_on": add_on}),
        (change_plan, {"plan": plan}),
        (apply_discount, {"coupon": lot.choice(("tenth", f"off-{code}"))}),
        (add_add_on, {"plan": plan, "anchor": lot.choice(("plan", "own"))}),
        (move_anchor, {"to": lot.choice((29, 31, 15))}),
        (move_to_contract, {"contract": f"ramp-{code}"}),
        (transfer, {"to": story.company.customer_of(other), "external_id": story.key() + other}),
        (extend_trial, {"ends_at": in_days}),
        (undo_change, {"entry": number, "is_backdated": lot.random() < 0.5}),
        (change_prices, {"steps": [PriceStep("now", {"base": price})]}),
    ]
    if add_ons:
        asked.append((remove_add_on, {"add_on": add_ons[0]}))
    operation, terms = lot.choice(asked)
    undated = operation in (undo_change, extend_trial, change_prices)

    def change(uow: UnitOfWork, at: datetime) -> list[Subscription]:
        said = {key: at + value if isinstance(value, timedelta) else value for key, value in terms.items()}
        if not undated:
            said["effective"] = at + since if isinstance(since, timedelta) else since
        fresh = find_subscription(uow, name)
        return [operation(uow, fresh.id, **said, version=fresh.version, now=at, actor="lot", reason="drawn")]

    return change


def _use(story: Story) -> None:
    lot, (_, name) = story.lot, _any_market(story)
    metric, hours = lot.choice(("calls", "calls", "peak")), lot.choice((0, 0, 1, 50, 400, 1000))
    event = UsageEvent(
        event_id=story.key(),
        source="lot",
        customer=name,
        metric_code=metric,
        occurred_at=max(START - timedelta(days=40), story.now - timedelta(hours=hours)),
        properties={"value": str(Decimal(lot.randrange(1, 4000)) / lot.choice((1, 1, 10)))},
    )

    def take(uow: UnitOfWork) -> None:
        follow_usage(uow, record_usage(uow, [event], now=story.now, strict=True).touched, now=story.now)

    story.do(take)
    story.events.append((event.event_id, event))


def _amend(story: Story) -> None:
    if not story.events:
        return
    event_id, event = story.lot.choice(story.events)
    changed = UsageEvent(
        event_id=event_id,
        source="lot",
        customer=event.customer,
        metric_code=event.metric_code,
        occurred_at=event.occurred_at + timedelta(hours=story.lot.choice((0, 0, 24))),
        properties={"value": str(story.lot.randrange(1, 900))},
    )
    if changed.occurred_at > story.now:
        return
    amendment = Amendment("lot", event_id, story.lot.choice((changed, None)))

    def amend(uow: UnitOfWork) -> None:
        follow_usage(uow, amend_usage(uow, [amendment], **story.by()).touched, now=story.now)

    story.do(amend)


def _set(story: Story) -> None:
    lot, (_, name) = story.lot, _any_market(story)
    change = BillingSettingsChange(
        consolidates=lot.random() < 0.5,
        negative_total=lot.choice(("balance", "refund")),
        grace_days=lot.choice((0, 0, 2)),
    )
    story.do(lambda uow: set_billing_settings(uow, story.company.customer_of(name), change, **story.by()))


def _limit(story: Story) -> None:
    name = _any_subscription(story)
    held = story.company.subscription(name)
    market = next(one for one in MARKETS if one.currency == held.currency)
    step = Decimal(_any_amount(story, market)).scaleb(-exponent(held.currency))
    thresholds = UsageThresholds((), story.lot.choice((None, step)))
    story.do(lambda uow: set_usage_thresholds(uow, held, thresholds, currency=held.currency, **story.by()))


def _any_invoice(story: Story) -> tuple[InvoiceId, str, str, int]:
    rows = story.company.rows(
        "select i.id, c.external_id, i.currency, i.total_minor from invoices i join customers c on c.id = i.customer_id"
        " where kind <> 'credit_note' order by issued_at, c.external_id, total_minor, billed_for"
    )
    if not rows:
        story.run()
        return _any_invoice(story)
    invoice_id, name, currency, total_minor = story.lot.choice(rows)
    return InvoiceId(invoice_id), name, currency, total_minor


def _void(story: Story) -> None:
    invoice_id, *_ = _any_invoice(story)
    rebill = story.lot.random() < 0.5
    story.do(lambda uow: void_invoice(uow, invoice_id, rebill=rebill, **story.by()))


def _credit(story: Story) -> None:
    invoice_id, _, _, total_minor = _any_invoice(story)
    amount = story.lot.choice((None, 1, story.lot.randrange(1, max(2, total_minor))))
    settles: NegativeTotal | None = story.lot.choice((None, "balance", "refund"))
    key = story.key()
    story.do(lambda uow: credit_invoice(uow, invoice_id, amount_minor=amount, settles=settles, key=key, **story.by()))


def _lose(story: Story) -> None:
    invoice_id, *_ = _any_invoice(story)
    story.do(lambda uow: write_off(uow, invoice_id, **story.by()))


def _pay(story: Story) -> None:
    lot = story.lot
    invoice_id, name, currency, total_minor = _any_invoice(story)
    request = PaymentRequest(
        customer_id=story.company.customer_of(name),
        currency=currency,
        amount_minor=lot.choice((max(1, total_minor), lot.randrange(1, 2 * max(1, total_minor) + 1))),
        received_at=story.now - timedelta(hours=lot.choice((0, 0, 40))),
        method="transfer",
        reference=story.key(),
        invoice_ids=lot.choice(((), (invoice_id,))),
    )
    story.do(lambda uow: record_payment(uow, request, **story.by()))
    again = story.do(lambda uow: record_payment(uow, request, **story.by()))
    assert again is not None
    story.memory.paid_in[name, currency] += request.amount_minor


def _refund(story: Story) -> None:
    market, name = _any_market(story)
    key, amount = story.key(), _any_amount(story, market)
    customer_id = story.company.customer_of(name)
    story.do(
        lambda uow: request_refund(
            uow, customer_id, currency=market.currency, amount_minor=amount, key=key, **story.by()
        )
    )


def _send(story: Story) -> None:
    rows = story.company.rows(
        "select r.id, c.external_id, r.currency, r.amount_minor from refund_requests r"
        " join customers c on c.id = r.customer_id where status = 'requested'"
        " order by requested_at, r.amount_minor, c.external_id"
    )
    for request_id, name, currency, amount_minor in rows[:2]:
        with story.company.work() as uow:
            mark_refunded(uow, request_id, reference="sent", **story.by())
        story.memory.sent_back[name, currency] += amount_minor


def _adjust(story: Story) -> None:
    lot, (market, name) = story.lot, _any_market(story)
    customer_id = story.company.customer_of(name)
    names = story.company.rows(
        "select id from subscriptions where customer_id = %s and currency = %s order by external_id",
        customer_id,
        market.currency,
    )
    request = AdjustmentRequest(
        customer_id=customer_id,
        currency=market.currency,
        amount_minor=_any_amount(story, market),
        description="Drawn",
        subscription_id=lot.choice([None, *(one for (one,) in names)]),
        invoicing=lot.choice(("now", "next_invoice")),
    )
    operation: Callable[..., Any] = lot.choice((charge_once, grant_credit))
    key = story.key()
    story.do(lambda uow: operation(uow, request, key=key, **story.by()))


def _any_wallet(story: Story) -> tuple[WalletId, str, Market]:
    wallet_id = story.lot.choice(list(story.wallets))
    name, currency = story.wallets[wallet_id]
    return wallet_id, name, next(one for one in MARKETS if one.currency == currency)


def _grant(story: Story) -> None:
    lot, (wallet_id, name, market) = story.lot, _any_wallet(story)
    is_paid = lot.random() < 0.6
    begins = lot.choice((None, None, story.now + timedelta(days=20), story.now - timedelta(days=20)))
    new = NewGrant(
        amount=Decimal(lot.randrange(1, 30_000)) / lot.choice((1, 10, 1000)),
        source="purchase" if is_paid else "promotion",
        category="paid" if is_paid else "promotional",
        cost_minor=_any_amount(story, market) if is_paid else 0,
        priority=lot.choice((0, 100, 255)),
        features=frozenset(lot.choice(((), (), ("calls",), ("peak", "base"), ("seats",)))),
        effective_at=begins,
        expires_at=lot.choice((None, story.now + timedelta(days=lot.randrange(21, 90)))),
        paid_from=lot.choice(("cash", "cash", "customer_credit")),
    )
    story.do(lambda uow: grant_credits(uow, wallet_id, new, **story.by()))
    story.memory.granted[wallet_id] += new.amount
    if new.paid_from == "cash":
        story.memory.paid_for_credit[name, market.currency] += new.cost_minor


def _draw(story: Story) -> None:
    lot, (wallet_id, _, _) = story.lot, _any_wallet(story)
    amount = Decimal(lot.randrange(0, 4000)) / lot.choice((1, 10, 1000))
    request = UseRequest(wallet_id, amount, story.key(), lot.choice((None, "calls", "base")))
    used = story.do(lambda uow: use_credits(uow, request, now=story.now))
    assert story.do(lambda uow: use_credits(uow, request, now=story.now)).use.id == used.use.id
    story.memory.used[used.use.id] = amount
    story.uses.append(used.use.id)


def _reserve(story: Story) -> None:
    lot, (wallet_id, _, _) = story.lot, _any_wallet(story)
    amount = Decimal(lot.randrange(1, 4000)) / lot.choice((1, 10, 1000))
    request, ends = UseRequest(wallet_id, amount, story.key()), story.now + timedelta(hours=lot.choice((1, 60, 2000)))
    used = story.do(lambda uow: reserve_credits(uow, request, expires_at=ends, now=story.now))
    story.uses.append(used.use.id)
    story.memory.used[used.use.id] = Decimal(0)


def _any_use(story: Story) -> WalletUseId:
    if not story.uses:
        _reserve(story)
        return _any_use(story)
    return story.lot.choice(story.uses)


def _commit(story: Story) -> None:
    use_id, lot = _any_use(story), story.lot
    ((asked,),) = story.company.rows("select asked from wallet_uses where id = %s", use_id)
    amount = lot.choice((asked, asked / 2, asked + 1, Decimal(0)))
    story.do(lambda uow: commit_reservation(uow, use_id, amount, now=story.now))
    story.memory.used[use_id] = amount


def _release(story: Story) -> None:
    use_id = _any_use(story)
    story.do(lambda uow: release_reservation(uow, use_id, now=story.now))


def _give_back(story: Story) -> None:
    use_id = _any_use(story)
    amount = story.lot.choice((None, story.memory.used[use_id] / 2))
    story.do(lambda uow: give_back_credits(uow, use_id, amount, **story.by()))
    story.memory.used[use_id] -= story.memory.used[use_id] if amount is None else amount


def _void_grant(story: Story) -> None:
    rows = story.company.rows("select id from credit_grants order by made_at, amount, cost_minor")
    if rows:
        grant_id = GrantId(story.lot.choice(rows)[0])
        story.do(lambda uow: void_grant(uow, grant_id, **story.by()))


def _sell(story: Story) -> None:
    lot, (wallet_id, name, market) = story.lot, _any_wallet(story)
    ((code,),) = story.company.rows("select code from wallets where id = %s", wallet_id)
    offer = CreditOffer(
        customer_id=story.company.customer_of(name),
        wallet=code,
        amount=Decimal(lot.randrange(1, 9000)) / lot.choice((1, 10)),
        price_minor=_any_amount(story, market),
        tax_category=lot.choice(("out_of_scope", "standard")),
        lasts=lot.choice((None, Interval(Unit.MONTH, 2))),
        granted=lot.choice(("when_paid", "at_once")),
        features=frozenset(lot.choice(((), ("calls",)))),
    )
    key = story.key()
    story.do(lambda uow: sell_credits(uow, offer, key=key, **story.by()))


def _fill_up(story: Story) -> None:
    lot, (wallet_id, _, _) = story.lot, _any_wallet(story)
    rule = TopUpRule(Decimal(lot.randrange(1, 50)), Decimal(lot.randrange(50, 200)), 2, lot.random() < 0.8)
    story.do(lambda uow: set_top_up(uow, wallet_id, rule, **story.by()))
    _tick(story)


def _bill_top_ups(story: Story) -> None:
    story.do(lambda uow: bill_top_ups(uow, **story.by()))


def _settle_top_up(story: Story) -> None:
    rows = story.company.rows(
        "select o.id, c.external_id, w.currency, o.price_minor from top_up_orders o"
        " join wallets w on w.id = o.wallet_id join customers c on c.id = w.customer_id"
        " where o.status = 'pending' order by o.ordered_at, o.amount, c.external_id"
    )
    for top_up_id, name, currency, price_minor in rows[:1]:
        is_paid = story.lot.random() < 0.6
        with story.company.work() as uow:
            settle_top_up(uow, TopUpId(top_up_id), is_paid=is_paid, **story.by())
        if is_paid:
            story.memory.paid_for_credit[name, currency] += price_minor


DEEDS: Final[Mapping[Callable[[Story], None], int]] = {
    _bill: 8,
    _tick: 2,
    _subscribe: 2,
    _change: 8,
    _settle: 4,
    _finalise: 1,
    _quote: 3,
    _use: 9,
    _amend: 4,
    _set: 1,
    _limit: 1,
    _void: 3,
    _credit: 5,
    _lose: 2,
    _pay: 6,
    _refund: 2,
    _send: 1,
    _adjust: 4,
    _grant: 6,
    _draw: 4,
    _reserve: 3,
    _commit: 3,
    _release: 1,
    _give_back: 2,
    _void_grant: 1,
    _sell: 3,
    _fill_up: 1,
    _bill_top_ups: 1,
    _settle_top_up: 1,
}
