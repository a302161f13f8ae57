"""`tenor wallet`: prepaid credits of customers."""

from decimal import Decimal
from typing import Annotated, Any, cast

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.wallet_buy import bill_top_ups_command, buy
from tenor.cli.commands.wallet_filling import alert, alerts, settle, tick, top_up, top_ups
from tenor.cli.commands.wallet_frame import AmountArgument, CodeOption, CustomerArgument, place, tell, work
from tenor.cli.commands.wallet_holds import commit, give_back, grants, release, reserve
from tenor.cli.commands.wallet_promises import recur, recurring, stop_
from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.kernel.ids import GrantId, from_wire, to_wire
from tenor.kernel.money import format_minor, to_minor
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.pricing.policy import profile
from tenor.wallets import (
    UseRequest,
    WalletBalance,
    find_wallet,
    grant_credits,
    open_wallet,
    use_credits,
    void_grant,
    wallet_balances,
    wallet_entries,
)
from tenor.wallets.model import Category, Movement, NewGrant, PaidFrom, Source, WalletTerms

app = command_group("Give customers prepaid credit, and see what became of it.")


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
    pays_everything: Annotated[
        bool, typer.Option("--pays-everything", help="Pay all lines of invoices, not only those of usage.")
    ] = False,
    like: Annotated[str, typer.Option("--profile", help="Whose burn order and eligibility hold.")] = "tenor",
    actor: ActorOption = "operator",
    reason: ReasonOption = "opened by the command line",
    as_json: JsonOption = False,
) -> None:
    """Open a wallet. Its terms never change; repeating it changes nothing."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
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
            pays="everything" if pays_everything else "usage",
        )
        wallet_id = open_wallet(at.uow, at.customer_id, terms, now=at.now, actor=actor, reason=reason)
        tell(
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
    paid_from: Annotated[
        str, typer.Option(help="What that was paid from: cash, customer_credit, or an invoice that has billed it.")
    ] = "cash",
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
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = find_wallet(at.uow, at.customer_id, code)
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
            paid_from=cast(PaidFrom, paid_from),
        )
        made = grant_credits(at.uow, found.id, new, now=at.now, actor=actor, reason=reason)
        words = f"Granted {plain(new.amount)} {found.terms.unit} to {customer}"
        tell({"grant_id": to_wire("grt", made.grant_id)}, words, as_json=as_json)


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
    with refusals(as_json=as_json), work(tenant) as (uow, now):
        entries = void_grant(uow, GrantId(from_wire("grt", grant_id)), now=now, actor=actor, reason=reason)
        amount = sum((movement.amount for _, movement in entries), Decimal(0))
        tell({"voided": amount}, f"Took {plain(amount)} out", as_json=as_json)


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
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = find_wallet(at.uow, at.customer_id, code)
        request = UseRequest(found.id, parse_decimal(amount, name="amount"), key, feature)
        used = use_credits(at.uow, request, now=at.now).use
        body = {"use_id": to_wire("use", used.id), "used": used.used, "uncovered": used.uncovered}
        tell(
            body,
            f"Used {plain(used.used)} {found.terms.unit}, {plain(used.uncovered)} of it uncovered",
            as_json=as_json,
        )


@app.command("show")
def show(customer: CustomerArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Show the wallets of a customer: what is free, held and overdrawn."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = wallet_balances(at.uow, [at.customer_id], at=at.now)
        if as_json:
            print_json({"wallets": [_balance_json(balance) for balance in found]})
            return
        table = Table("wallet", "unit", "available", "held", "overdrawn", box=None)
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
    with refusals(as_json=as_json), place(tenant, customer) as at:
        of = find_wallet(at.uow, at.customer_id, code)
        found = wallet_entries(at.uow, of.id, after_no=after, limit=limit)
        if as_json:
            print_json({"entries": [{"entry_no": number, **_movement_json(entry)} for number, entry in found]})
            return
        table = Table("no", "at", "what", "amount", "cost", "grant", box=None)
        for number, entry in found:
            granted = "" if entry.grant_id is None else to_wire("grt", entry.grant_id)
            cost = format_minor(entry.value_minor, of.terms.currency) if entry.value_minor else ""
            table.add_row(str(number), format_instant(entry.at), entry.kind, plain(entry.amount), cost, granted)
        out.print(table)
        out.print(counted(len(found), "entry") if len(found) == 1 else f"{len(found):,} entries", style="dim")


app.command("grants")(grants)
app.command("reserve")(reserve)
app.command("commit")(commit)
app.command("release")(release)
app.command("give-back")(give_back)
app.command("top-up")(top_up)
app.command("top-ups")(top_ups)
app.command("settle")(settle)
app.command("alert")(alert)
app.command("alerts")(alerts)
app.command("recur")(recur)
app.command("recurring")(recurring)
app.command("stop")(stop_)
app.command("tick")(tick)
app.command("buy")(buy)
app.command("bill-top-ups")(bill_top_ups_command)


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
