"""What fills wallets: credit that is bought, top-ups, promises that recur; and who is told when little is left."""

from decimal import Decimal
from typing import Annotated, Literal, cast

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Code, InstantIn, LengthIn, Line, QuantityIn
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.api.taxes import ask_for_taxes
from tenor.customers import customer_id_of
from tenor.invoicing import CreditOffer, bill_top_ups, sell_credits
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import TopUpId, new_id, to_wire
from tenor.kernel.quantity import parse_amount
from tenor.subscriptions import catch_up_credits
from tenor.wallets import (
    RecurringGrant,
    TopUpRule,
    find_wallet,
    recur_credits,
    recurring_of_wallet,
    set_alert,
    set_top_up,
    settle_top_up,
    stop_recurring,
    top_up_orders,
    top_up_rule,
    wallet_alerts,
)
from tenor.wallets.model import StoredWallet
from tenor.wire import (
    PromiseJson,
    PurchaseJson,
    TopUpRuleJson,
    TopUpsJson,
    WalletAlertJson,
    promise_json,
    purchase_json,
    top_up_json,
    top_up_rule_json,
    wallet_alert_json,
)

router = resource("Wallets")
Reads = Annotated[Call, Security(a_call, scopes=["wallets:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["wallets:write"])]
Bills = Annotated[Effect, Security(an_effect, scopes=["invoices:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]
WalletRef = Annotated[str, Path(max_length=63, description="Code of the wallet.")]
_MONTH = Interval(Unit.MONTH, 1)
Priority = Annotated[int, Field(ge=0, le=255, description="0 burns first, 255 last.")]
Features = Annotated[list[Code], Field(max_length=100)]


class CreditOrder(Body):
    """Credit to be sold. Without a `price` (net) it costs what it is worth when it pays; `lasts` counts from the grant.

    Without a `tax_category` it is taxed when it is used, not when it is sold.
    """

    amount: QuantityIn
    price: QuantityIn | None = None
    tax_category: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    priority: Priority = 255
    features: Features = Field(default_factory=list)
    lasts: LengthIn | None = None
    granted: Literal["when_paid", "at_once"] = "when_paid"
    reason: Line | None = None


class NewWalletAlert(Body):
    """Below which balance somebody is told."""

    threshold: QuantityIn
    reason: Line | None = None


class NewTopUpRule(Body):
    """When a wallet is filled up by itself; not `is_active`: the bounds are kept, and nothing is ordered."""

    threshold: QuantityIn
    target: QuantityIn
    max_per_day: Annotated[int, Field(ge=1, le=1_000)] = 1
    is_active: bool = True
    reason: Line | None = None


class TopUpSettlement(Body):
    """What became of the payment of a top-up."""

    is_paid: bool
    reason: Line | None = None


class NewPromise(Body):
    """Credit that comes again and again, `every` so long from `anchor` on (now by default).

    A grant lasts until the next one, and of what is left then `rollover_max` at most is kept, made up to
    `rollover_min`; or it `lasts` for a time of its own.
    """

    code: Code
    amount: QuantityIn
    every: LengthIn = _MONTH
    anchor: InstantIn | None = None
    lasts: LengthIn | None = None
    rollover_max: QuantityIn = Decimal(0)
    rollover_min: QuantityIn = Decimal(0)
    timezone: Annotated[str, Field(min_length=1, max_length=100)] = "UTC"
    category: Literal["paid", "promotional"] = "promotional"
    priority: Priority = 255
    features: Features = Field(default_factory=list)
    reason: Line | None = None


class Tick(Body):
    """Nothing more needs to be said."""


class TickedJson(TypedDict):
    """What fell due: reservations whose time was over, grants that lapsed or were made, thresholds, top-ups ordered."""

    released: int
    lapsed: int
    renewed: int
    crossed: int
    top_ups_ordered: int


class FillingDecision(Body):
    """Why something is done."""

    reason: Line | None = None


class SettledTopUpJson(TypedDict):
    """What became of a top-up: paid, it is granted; failed, another may be ordered."""

    top_up_id: str
    status: str
    grant_id: str | None


class BilledTopUpsJson(TypedDict):
    """The documents that bill top-ups, by number."""

    invoices: list[str]


@router.post("/customers/{customer}/wallets/{wallet}/purchases", status_code=201, response_model=PurchaseJson)
def buy(call: Bills, customer: CustomerRef, wallet: WalletRef, body: CreditOrder) -> Response:
    """Sell prepaid credit: invoice it, and grant it when the invoice is paid, or at once."""
    ask_for_taxes(call, lambda uow: customer_id_of(uow, customer))

    def make(work: Work) -> PurchaseJson:
        held = _wallet(work, customer, wallet)
        currency = held.terms.currency
        offer = CreditOffer(
            customer_id=held.customer_id,
            wallet=wallet,
            amount=body.amount,
            price_minor=None if body.price is None else parse_amount(body.price, currency, name="/price"),
            priority=body.priority,
            features=frozenset(body.features),
            lasts=body.lasts,
            granted=body.granted,
            **({} if body.tax_category is None else {"tax_category": body.tax_category}),
        )
        sold = sell_credits(work.uow, offer, key=work.request_key, **work.deed(body.reason))
        return purchase_json(sold, currency)

    return call.once(make, status=201)


@router.get("/customers/{customer}/wallets/{wallet}/alerts", response_model=Page[WalletAlertJson])
def list_alerts(call: Reads, customer: CustomerRef, wallet: WalletRef) -> Response:
    """List below which balances somebody is told."""

    def read(work: Work) -> Page[WalletAlertJson]:
        return whole(map(wallet_alert_json, wallet_alerts(work.uow, _wallet(work, customer, wallet).id)))

    return call.show(read)


@router.post("/customers/{customer}/wallets/{wallet}/alerts", status_code=201, response_model=WalletAlertJson)
def create_alert(call: Writes, customer: CustomerRef, wallet: WalletRef, body: NewWalletAlert) -> Response:
    """Tell, by the event `wallet.low`, when less than this is left, once for each crossing."""

    def make(work: Work) -> WalletAlertJson:
        held = _wallet(work, customer, wallet)
        set_alert(work.uow, held.id, body.threshold, **work.deed(body.reason))
        known = wallet_alerts(work.uow, held.id)
        return next(wallet_alert_json(one) for one in known if one.threshold == body.threshold)

    return call.once(make, status=201)


@router.get("/customers/{customer}/wallets/{wallet}/top-ups", response_model=TopUpsJson)
def retrieve_top_ups(call: Reads, customer: CustomerRef, wallet: WalletRef) -> Response:
    """Return when a wallet is filled up by itself, and what was ordered for it: the newest hundred."""

    def read(work: Work) -> TopUpsJson:
        held = _wallet(work, customer, wallet)
        rule = top_up_rule(work.uow, held.id)
        return TopUpsJson(
            rule=None if rule is None else top_up_rule_json(rule),
            top_ups=[top_up_json(one, held.terms.currency) for one in top_up_orders(work.uow, held.id)],
        )

    return call.show(read)


@router.post("/customers/{customer}/wallets/{wallet}/top-up-rule", response_model=TopUpRuleJson)
def set_top_up_rule(call: Writes, customer: CustomerRef, wallet: WalletRef, body: NewTopUpRule) -> Response:
    """Say when a wallet is filled up by itself, in place of what was said before."""

    def make(work: Work) -> TopUpRuleJson:
        rule = TopUpRule(body.threshold, body.target, body.max_per_day, body.is_active)
        set_top_up(work.uow, _wallet(work, customer, wallet).id, rule, **work.deed(body.reason))
        return top_up_rule_json(rule)

    return call.once(make)


@router.post("/wallets/tick", response_model=TickedJson)
def tick(call: Writes, body: Tick) -> Response:  # noqa: ARG001  strictly empty
    """Do what is due in all wallets; a bill run does it too, before it bills, and so does `tenor work`.

    Promises are kept, reservations end, grants lapse and are renewed, crossings are told, top-ups ordered.
    """

    def make(work: Work) -> TickedJson:
        ticked = catch_up_credits(call.engine.database, work.uow.tenant_id, now=work.now)
        return cast(TickedJson, ticked._asdict())

    return call.once(make)


@router.post("/top-ups/bill", response_model=BilledTopUpsJson)
def bill_top_ups_(call: Bills, body: FillingDecision) -> Response:
    """Invoice every top-up that was ordered and is not billed yet; each is granted when its invoice is paid."""

    def make(work: Work) -> BilledTopUpsJson:
        billed = bill_top_ups(work.uow, **work.deed(body.reason))
        return BilledTopUpsJson(invoices=[one.name for one in billed])

    return call.once(make)


@router.post("/top-ups/{top_up}/settle", response_model=SettledTopUpJson)
def settle_top_up_(
    call: Writes, top_up: Annotated[str, Path(max_length=60, description="Id (`top_…`).")], body: TopUpSettlement
) -> Response:
    """Say that a top-up was paid in cash, so that it is granted, or has failed. One that is invoiced settles itself."""

    def make(work: Work) -> SettledTopUpJson:
        order_id = TopUpId(id_in_path("top", top_up))
        order = settle_top_up(work.uow, order_id, is_paid=body.is_paid, **work.deed(body.reason))
        grant_id = None if order.grant_id is None else to_wire("grt", order.grant_id)
        return SettledTopUpJson(top_up_id=top_up, status=order.status, grant_id=grant_id)

    return call.once(make)


@router.get("/customers/{customer}/wallets/{wallet}/promises", response_model=Page[PromiseJson])
def list_promises(call: Reads, customer: CustomerRef, wallet: WalletRef) -> Response:
    """List what is promised in a wallet, by plans and otherwise."""

    def read(work: Work) -> Page[PromiseJson]:
        return whole(map(promise_json, recurring_of_wallet(work.uow, _wallet(work, customer, wallet).id)))

    return call.show(read)


@router.post("/customers/{customer}/wallets/{wallet}/promises", status_code=201, response_model=PromiseJson)
def promise(call: Writes, customer: CustomerRef, wallet: WalletRef, body: NewPromise) -> Response:
    """Promise credit that comes again and again; what is due is granted at once."""

    def make(work: Work) -> PromiseJson:
        anchor = body.anchor or work.now
        asked = RecurringGrant(
            id=new_id(work.now),
            wallet_id=_wallet(work, customer, wallet).id,
            code=body.code,
            amount=body.amount,
            every=body.every,
            anchor=anchor,
            priority=body.priority,
            category=body.category,
            features=frozenset(body.features),
            rollover_max=body.rollover_max,
            next_at=max(work.now, anchor),
            rollover_min=body.rollover_min,
            lasts=body.lasts,
            timezone=body.timezone,
        )
        return promise_json(recur_credits(work.uow, asked, **work.deed(body.reason)))

    return call.once(make, status=201)


@router.post("/customers/{customer}/wallets/{wallet}/promises/{promise}/stop", response_model=PromiseJson)
def stop_promise(
    call: Writes,
    customer: CustomerRef,
    wallet: WalletRef,
    promise: Annotated[str, Path(max_length=63, description="Code of the promise.")],
    body: FillingDecision,
) -> Response:
    """Make no more grants of a promise; what was granted stays until it expires."""

    def make(work: Work) -> PromiseJson:
        held = _wallet(work, customer, wallet)
        stop_recurring(work.uow, held.id, promise, **work.deed(body.reason))
        found = recurring_of_wallet(work.uow, held.id)
        return next(promise_json(one) for one in found if one.code == promise)

    return call.once(make)


def _wallet(work: Work, customer: str, code: str) -> StoredWallet:
    return find_wallet(work.uow, customer_id_of(work.uow, customer), code)
