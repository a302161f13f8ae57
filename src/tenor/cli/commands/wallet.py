"""`tenor wallet`: prepaid credits of customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple, cast

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.output import JsonOption, TenantOption, counted, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, GrantId, WalletId, from_wire, to_wire
from tenor.kernel.money import to_minor
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.policy import profile
from tenor.wallets import (
    TopUpRule,
    UseRequest,
    WalletBalance,
    find_wallet,
    grant_credits,
    lapse_grants,
    open_wallet,
    order_top_ups,
    release_expired_reservations,
    renew_grants,
    set_alert,
    set_top_up,
    use_credits,
    void_grant,
    wallet_balances,
    wallet_entries,
)
from tenor.wallets.model import Category, Movement, NewGrant, Source, WalletTerms

app = typer.Typer(help="Give customers prepaid credit, and see what became of it.", no_args_is_help=True)

CustomerArgument = Annotated[str, typer.Argument(help="External id of the customer.")]
CodeOption = Annotated[str, typer.Option("--wallet", "-w", help="Code of the wallet.")]
AmountArgument = Annotated[str, typer.Argument(help="Amount in the wallet's unit, e.g. 50 or 12.50.")]
ActorOption = Annotated[str, typer.Option(help="Who does it, for the audit.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit.")]


class Place(NamedTuple):
    """A transaction of a tenant, its time, and the customer that a command is about."""

    uow: UnitOfWork
    now: datetime
    customer_id: CustomerId


@app.callback()
def wallet() -> None:
    """Give customers prepaid credit, and see what became of it."""


@app.command("open")
def open_(
    customer: CustomerArgument,
    currency: Annotated[str, typer.Argument(help="Currency in which it pays, e.g. EUR.")],
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    unit: Annotated[
        str | None, typer.Option(help="What is counted in it, e.g. tokens; the currency by default.")
    ] = None,
    rate: Annotated[str, typer.Option(help="What one unit is worth in the currency.")] = "1",
    overdraws: Annotated[bool, typer.Option("--overdraws", help="Let uses go on when nothing is left.")] = False,
    repays: Annotated[bool, typer.Option("--repays", help="Let a later grant pay first what was overdrawn.")] = False,
    like: Annotated[str, typer.Option("--profile", help="Whose burn order and eligibility hold.")] = "tenor",
    actor: ActorOption = "operator",
    reason: ReasonOption = "opened by the command line",
    as_json: JsonOption = False,
) -> None:
    """Open a wallet. Its terms never change; repeating it changes nothing."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        policy = profile(like).credits
        terms = WalletTerms(
            code=code,
            unit=unit or currency,
            currency=currency,
            rate=parse_decimal(rate, name="--rate"),
            overdraws=overdraws,
            repays_advances=repays or policy.advance_backfill,
            burn_order=policy.burn_order,
            eligibility=policy.credit_eligibility,
        )
        wallet_id = open_wallet(place.uow, place.customer_id, terms, now=place.now, actor=actor, reason=reason)
        _tell(
            {"wallet_id": to_wire("wal", wallet_id)},
            f"Wallet {code} of {customer} counts {terms.unit}",
            as_json=as_json,
        )


@app.command("grant")
def grant(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    cost: Annotated[str, typer.Option(help="What was paid for it, in the wallet's currency; 0: a gift.")] = "0",
    source: Annotated[str | None, typer.Option(help="purchase, promotion, plan or refund.")] = None,
    priority: Annotated[int, typer.Option(help="0 burns first, 255 last.")] = 255,
    feature: Annotated[list[str] | None, typer.Option(help="Only for this feature; may be repeated.")] = None,
    effective: Annotated[str | None, typer.Option(help="Instant from which it can be used; now by default.")] = None,
    expires: Annotated[str | None, typer.Option(help="Instant at which what is left lapses; never by default.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "granted by the command line",
    as_json: JsonOption = False,
) -> None:
    """Put credit into a wallet."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        found = find_wallet(place.uow, place.customer_id, code)
        cost_minor = to_minor(parse_decimal(cost, name="--cost"), found.terms.currency)
        category: Category = "paid" if cost_minor else "promotional"
        new = NewGrant(
            amount=parse_decimal(amount, name="amount"),
            source=cast(Source, source or ("purchase" if cost_minor else "promotion")),
            category=category,
            cost_minor=cost_minor,
            priority=priority,
            features=frozenset(feature or ()),
            effective_at=None if effective is None else parse_instant(effective, name="--effective"),
            expires_at=None if expires is None else parse_instant(expires, name="--expires"),
        )
        made = grant_credits(place.uow, found.id, new, now=place.now, actor=actor, reason=reason)
        words = f"Granted {plain(new.amount)} {found.terms.unit} to {customer}"
        _tell({"grant_id": to_wire("grt", made.grant_id)}, words, as_json=as_json)


@app.command("void")
def void(
    grant_id: Annotated[str, typer.Argument(help="Id of the grant (grt_…).")],
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "voided by the command line",
    as_json: JsonOption = False,
) -> None:
    """Take out what is left of a grant; what was used stays used."""
    with refusals(as_json=as_json), _work(tenant) as (uow, now):
        entries = void_grant(uow, GrantId(from_wire("grt", grant_id)), now=now, actor=actor, reason=reason)
        amount = sum((movement.amount for _, movement in entries), Decimal(0))
        _tell({"voided": amount}, f"Took {plain(amount)} out", as_json=as_json)


@app.command("use")
def use(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    key: Annotated[str, typer.Option(help="Your own name for this use; the same key is used once.")],
    code: CodeOption = "main",
    feature: Annotated[str | None, typer.Option(help="What it is used for.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Use credit."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        found = find_wallet(place.uow, place.customer_id, code)
        request = UseRequest(found.id, parse_decimal(amount, name="amount"), key, feature)
        used = use_credits(place.uow, request, now=place.now).use
        body = {"use_id": to_wire("use", used.id), "used": used.used, "uncovered": used.uncovered}
        _tell(
            body,
            f"Used {plain(used.used)} {found.terms.unit}, {plain(used.uncovered)} of it uncovered",
            as_json=as_json,
        )


@app.command("show")
def show(customer: CustomerArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Show the wallets of a customer: what is free, held and overdrawn."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        found = wallet_balances(place.uow, [place.customer_id], at=place.now)
        if as_json:
            print_json({"wallets": [_balance_json(balance) for balance in found]})
            return
        table = Table("wallet", "unit", "available", "held", "overdrawn")
        for balance in found:
            terms = balance.wallet.terms
            figures = [plain(figure) for figure in (balance.available, balance.held, balance.advanced)]
            table.add_row(escape(terms.code), terms.unit, *figures)
        out.print(table)
        out.print(counted(len(found), "wallet"), style="dim")


@app.command("entries")
def entries_(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    after: Annotated[int, typer.Option(help="Begin after this entry.")] = 0,
    limit: Annotated[int, typer.Option(help="How many entries at most.", min=1, max=1000)] = 100,
    as_json: JsonOption = False,
) -> None:
    """List what happened in a wallet, entry by entry."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        found = wallet_entries(
            place.uow, find_wallet(place.uow, place.customer_id, code).id, after_no=after, limit=limit
        )
        if as_json:
            print_json({"entries": [{"entry_no": number, **_movement_json(entry)} for number, entry in found]})
            return
        table = Table("no", "at", "what", "amount", "grant")
        for number, entry in found:
            granted = "" if entry.grant_id is None else to_wire("grt", entry.grant_id)
            table.add_row(str(number), format_instant(entry.at), entry.kind, plain(entry.amount), granted)
        out.print(table)
        out.print(counted(len(found), "entry") if len(found) == 1 else f"{len(found):,} entries", style="dim")


@app.command("alert")
def alert(
    customer: CustomerArgument,
    threshold: AmountArgument,
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Tell, by the event wallet.low, when less than this is left; once for each crossing."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        wallet_id = find_wallet(place.uow, place.customer_id, code).id
        least = parse_decimal(threshold, name="threshold")
        set_alert(place.uow, wallet_id, least, now=place.now, actor=actor, reason=reason)
        _tell({"wallet_id": to_wire("wal", wallet_id)}, f"Told below {plain(least)}", as_json=as_json)


@app.command("top-up")
def top_up(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    below: Annotated[str, typer.Option(help="Fill up when less than this is left.")],
    to: Annotated[str, typer.Option(help="Fill up to this.")],
    per_day: Annotated[int, typer.Option(help="How many times a day (UTC) at most.")] = 1,
    off: Annotated[bool, typer.Option("--off", help="Keep the bounds, but do not fill up.")] = False,
    code: CodeOption = "main",
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Say when a wallet is filled up by itself."""
    with refusals(as_json=as_json), _place(tenant, customer) as place:
        wallet_id: WalletId = find_wallet(place.uow, place.customer_id, code).id
        rule = TopUpRule(parse_decimal(below, name="--below"), parse_decimal(to, name="--to"), per_day, not off)
        set_top_up(place.uow, wallet_id, rule, now=place.now, actor=actor, reason=reason)
        words = f"Filled up below {plain(rule.threshold)} to {plain(rule.target)}, at most {per_day} a day"
        _tell({"wallet_id": to_wire("wal", wallet_id)}, words, as_json=as_json)


@app.command("tick")
def tick(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Do what is due in all wallets: end reservations, lapse and renew grants, order top-ups."""
    with refusals(as_json=as_json), _work(tenant) as (uow, now):
        body = {
            "released": len(release_expired_reservations(uow, now=now)),
            "lapsed": len(lapse_grants(uow, now=now)),
            "renewed": sum(movement.kind == "granted" for _, movement in renew_grants(uow, now=now)),
            "top_ups_ordered": len(order_top_ups(uow, now=now)),
        }
        _tell(body, ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in body.items()), as_json=as_json)


@contextmanager
def _work(tenant: str) -> Iterator[tuple[UnitOfWork, datetime]]:
    """Yield a transaction of a tenant and its time; it is committed at the end."""
    with session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            yield uow, tenant_now(of)


@contextmanager
def _place(tenant: str, customer: str) -> Iterator[Place]:
    """Yield what a command about one customer needs.

    Raises:
        NotFound: there is no such customer.
    """
    with _work(tenant) as (uow, now):
        known = customer_ids(uow, [customer])
        if customer not in known:
            raise NotFound(f"there is no customer {customer!r}")
        yield Place(uow, now, known[customer])


def _tell(body: dict[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(body)
    else:
        out.print(escape(words))


def _balance_json(balance: WalletBalance) -> dict[str, Any]:
    terms = balance.wallet.terms
    return {
        "wallet_id": to_wire("wal", balance.wallet.id),
        "code": terms.code,
        "unit": terms.unit,
        "currency": terms.currency,
        "rate": terms.rate,
        "available": balance.available,
        "held": balance.held,
        "advanced": balance.advanced,
    }


def _movement_json(entry: Movement) -> dict[str, Any]:
    return {
        "at": entry.at,
        "kind": entry.kind,
        "amount": entry.amount,
        "grant_id": None if entry.grant_id is None else to_wire("grt", entry.grant_id),
        "use_id": None if entry.use_id is None else to_wire("use", entry.use_id),
        "value_minor": entry.value_minor,
    }
