"""Deeds drawn by lot on the company of `eventful`: what people do to subscriptions and documents in any order."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tenor.invoicing import (
    AdjustmentRequest,
    BillingSettingsChange,
    PaymentRequest,
    accept_quote,
    charge_once,
    credit_invoice,
    grant_credit,
    quote_change,
    record_payment,
    set_billing_settings,
    settle_now,
    void_invoice,
    write_off,
)
from tenor.kernel.ids import InvoiceId
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    Subscription,
    add_add_on,
    apply_discount,
    cancel,
    change_plan,
    change_quantity,
    find_subscription,
    move_anchor,
    pause,
    resume,
)
from tests.support.company import Company

Change = Callable[[UnitOfWork, datetime], Sequence[Subscription]]


def any_deed(company: Company, lot: random.Random, now: datetime, *, key: str) -> str:
    """Do one thing at `now` and return what it was; `key` names it among all others.

    Raises:
        Refusal: about a third of what is drawn makes no sense.
    """
    deeds: tuple[Callable[[Company, random.Random, datetime, str], None], ...] = (
        *(_change, _change, _change, _change, _settle, _settle, _quote, _quote),
        *(_void, _credit, _pay, _lose, _adjust, _adjust, _set),
    )
    deed = lot.choice(deeds)
    deed(company, lot, now, key)
    return deed.__name__.strip("_")


def _change(company: Company, lot: random.Random, now: datetime, _key: str) -> None:
    change = _any_change(company, lot)
    with company.work() as uow:
        change(uow, now)


def _settle(company: Company, lot: random.Random, now: datetime, _key: str) -> None:
    change = _any_change(company, lot)
    with company.work() as uow:
        settle_now(uow, change(uow, now), as_of=now, recorded_at=now)


def _quote(company: Company, lot: random.Random, now: datetime, _key: str) -> None:
    change = _any_change(company, lot)
    with company.work() as uow:
        quote = quote_change(uow, change, as_of=now)
    with company.work() as uow:
        accept_quote(uow, change, as_of=now, digest=quote.digest, now=now)


def _any_change(company: Company, lot: random.Random) -> Change:
    """Return a change that is the same however often it is called."""
    name = lot.choice([name for (name,) in company.rows("select external_id from subscriptions order by 1")])
    held = company.subscription(name)
    plans = ("euro",) if held.currency == "EUR" else ("team", "capped", "storage")
    plan, seats, day = lot.choice(plans), lot.randrange(1, 9), lot.choice((5, 15, 31))
    since, days = lot.choice(("now", "now", "period_end", timedelta(days=-20), timedelta(days=5))), lot.randrange(5, 60)
    asked: Sequence[tuple[Callable[..., Subscription], dict[str, Any]]] = (
        (pause, {"until": lot.choice((None, days)), "unused_time": lot.choice(("none", "credit", "extend"))}),
        (resume, {}),
        (cancel, {}),
        (change_quantity, {"quantities": {"seats": Decimal(seats)}}),
        (change_quantity, {"quantities": {"seats": Decimal(seats + 1)}, "decrease": "renewal"}),
        (change_plan, {"plan": plan}),
        (apply_discount, {"coupon": lot.choice(("tenth", "five"))}),
        (add_add_on, {"plan": plan, "anchor": lot.choice(("plan", "own"))}),
        (move_anchor, {"to": day}),
    )
    operation, terms = lot.choice(asked)

    def change(uow: UnitOfWork, at: datetime) -> list[Subscription]:
        until = terms.get("until")
        dated = {"until": at + timedelta(days=until)} if until else {}
        effective = at + since if isinstance(since, timedelta) else since
        fresh = find_subscription(uow, name)
        decided = {"version": fresh.version, "now": at, "actor": "lot", "reason": "drawn"}
        return [operation(uow, fresh.id, effective=effective, **{**terms, **dated}, **decided)]

    return change


def _void(company: Company, lot: random.Random, now: datetime, _key: str) -> None:
    invoice_id, *_ = _any_invoice(company, lot)
    with company.work() as uow:
        void_invoice(uow, invoice_id, rebill=lot.random() < 0.5, **_at(now))


def _credit(company: Company, lot: random.Random, now: datetime, key: str) -> None:
    invoice_id, *_ = _any_invoice(company, lot)
    with company.work() as uow:
        credit_invoice(uow, invoice_id, amount_minor=lot.choice((None, lot.randrange(1, 40_00))), key=key, **_at(now))


def _lose(company: Company, lot: random.Random, now: datetime, _key: str) -> None:
    invoice_id, *_ = _any_invoice(company, lot)
    with company.work() as uow:
        write_off(uow, invoice_id, **_at(now))


def _pay(company: Company, lot: random.Random, now: datetime, key: str) -> None:
    invoice_id, customer_id, currency = _any_invoice(company, lot)
    request = PaymentRequest(
        customer_id=customer_id,
        currency=currency,
        amount_minor=lot.randrange(1_00, 90_00),
        method="transfer",
        reference=key,
        invoice_ids=lot.choice(((), (invoice_id,))),
    )
    with company.work() as uow:
        record_payment(uow, request, **_at(now))


def _any_invoice(company: Company, lot: random.Random) -> tuple[InvoiceId, Any, str]:
    rows = company.rows(
        "select id, customer_id, currency from invoices where kind <> 'credit_note' order by series, number"
    )
    invoice_id, customer_id, currency = lot.choice(rows)
    return InvoiceId(invoice_id), customer_id, currency


_CUSTOMERS: Final = ("ann", "bob", "cap", "ida", "ref", "gus")


def _adjust(company: Company, lot: random.Random, now: datetime, key: str) -> None:
    customer = lot.choice(_CUSTOMERS)
    currency = "EUR" if customer == "ida" else "USD"
    customer_id = company.customer_of(customer)
    names = company.rows(
        "select external_id from subscriptions where customer_id = %s and currency = %s order by 1",
        customer_id,
        currency,
    )
    name = lot.choice([None, *(name for (name,) in names)])
    request = AdjustmentRequest(
        customer_id=customer_id,
        currency=currency,
        amount_minor=lot.randrange(1, 30_00),
        description="Drawn",
        subscription_id=None if name is None else company.subscription(name).id,
        invoicing=lot.choice(("now", "next_invoice")),
    )
    operation: Callable[..., Any] = lot.choice((charge_once, grant_credit))
    with company.work() as uow:
        operation(uow, request, key=key, **_at(now))


def _set(company: Company, lot: random.Random, now: datetime, _key: str) -> None:
    customer_id = company.customer_of(lot.choice(_CUSTOMERS))
    change = BillingSettingsChange(
        consolidates=lot.random() < 0.5, negative_total=lot.choice(("balance", "refund")), grace_days=lot.choice((0, 2))
    )
    with company.work() as uow:
        set_billing_settings(uow, customer_id, change, **_at(now))


def _at(now: datetime) -> dict[str, Any]:
    return {"now": now, "actor": "lot", "reason": "drawn"}
