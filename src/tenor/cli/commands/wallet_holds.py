"""`tenor wallet`: what grants hold, and uses whose size is known later."""

from decimal import Decimal
from typing import Annotated

import typer
from rich.table import Table

from tenor.cli.commands.wallet_frame import AmountArgument, CodeOption, CustomerArgument, place, tell, work
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import WalletUseId, from_wire, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.wallets import (
    UseRequest,
    commit_reservation,
    find_wallet,
    give_back_credits,
    release_reservation,
    reserve_credits,
    wallet_grants,
)

UseArgument = Annotated[str, typer.Argument(help="Id of the use or reservation (use_…).")]


def grants(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    code: CodeOption = "main",
    every: Annotated[bool, typer.Option("--all", help="Those of which nothing is left, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the grants of a wallet in the order in which they burn: what is left, held, and until when."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = wallet_grants(at.uow, find_wallet(at.uow, at.customer_id, code), is_whole_story=every)
        if as_json:
            body = [
                {
                    "grant_id": to_wire("grt", held.id),
                    "amount": held.grant.amount,
                    "remaining": held.remaining,
                    "held": held.reserved,
                    "cost_minor": held.cost_minor,
                    "paid_from": held.paid_from,
                    "category": held.grant.category,
                    "priority": held.grant.priority,
                    "features": sorted(held.grant.features),
                    "effective_at": held.grant.effective_at,
                    "expires_at": held.grant.expires_at,
                    "voided_at": held.grant.voided_at,
                }
                for held in found
            ]
            print_json({"grants": body})
            return
        table = Table("grant", "left", "of", "held", "priority", "only for", "from", "until", box=None)
        for held in found:
            end = held.grant.ends_at
            figures = (plain(figure) for figure in (held.remaining, held.grant.amount, held.reserved))
            span = (format_instant(held.grant.effective_at), "" if end is None else format_instant(end))
            only_for = ", ".join(sorted(held.grant.features))
            table.add_row(to_wire("grt", held.id), *figures, str(held.grant.priority), only_for, *span)
        out.print(table)
        out.print(counted(len(found), "grant"), style="dim")


def reserve(
    customer: CustomerArgument,
    amount: AmountArgument,
    *,
    tenant: TenantOption,
    until: Annotated[str, typer.Option(help="Instant at which it ends by itself.")],
    key: Annotated[str, typer.Option(help="Your own name for this use; the same key is used once.")],
    code: CodeOption = "main",
    feature: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold credit for a use whose size is known later; nothing else can use it meanwhile."""
    with refusals(as_json=as_json), place(tenant, customer) as at:
        found = find_wallet(at.uow, at.customer_id, code)
        request = UseRequest(found.id, parse_decimal(amount, name="amount"), key, feature)
        expires_at = parse_instant(until, name="--until")
        held = reserve_credits(at.uow, request, expires_at=expires_at, now=at.now).use
        body = {"use_id": to_wire("use", held.id), "held": held.asked, "expires_at": held.expires_at}
        words = f"Held {plain(held.asked)} {found.terms.unit} as {body['use_id']}; commit or release it"
        tell(body, words, as_json=as_json)


def commit(
    use_id: UseArgument,
    amount: Annotated[str, typer.Argument(help="What was really used; the rest is free again.")],
    *,
    tenant: TenantOption,
    as_json: JsonOption = False,
) -> None:
    """Use what is held. More than was held is drawn on what else is there."""
    with refusals(as_json=as_json), work(tenant) as (uow, now):
        used = commit_reservation(uow, _use_id(use_id), parse_decimal(amount, name="amount"), now=now).use
        body = {"use_id": use_id, "used": used.used, "uncovered": used.uncovered}
        tell(body, f"Used {plain(used.used)} of {plain(used.asked)} that were held", as_json=as_json)


def release(use_id: UseArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Give free what is held, exactly to the grants that it was held of."""
    with refusals(as_json=as_json), work(tenant) as (uow, now):
        use = release_reservation(uow, _use_id(use_id), now=now).use
        tell({"use_id": use_id, "released": use.asked}, f"Gave {plain(use.asked)} free", as_json=as_json)


def give_back(
    use_id: UseArgument,
    amount: Annotated[str | None, typer.Argument(help="How much of it; all by default.")] = None,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "given back by the command line",
    as_json: JsonOption = False,
) -> None:
    """Take a use back, or part of it: its grants have that again, what was drawn last first."""
    with refusals(as_json=as_json), work(tenant) as (uow, now):
        asked: Decimal | None = None if amount is None else parse_decimal(amount, name="amount")
        given = give_back_credits(uow, _use_id(use_id), asked, now=now, actor=actor, reason=reason)
        restored = sum((movement.amount for _, movement in given.entries if movement.kind != "voided"), Decimal(0))
        body = {"use_id": use_id, "given_back": restored, "used": given.use.used}
        tell(body, f"Gave {plain(restored)} back; {plain(given.use.used)} stay used", as_json=as_json)


def _use_id(text: str) -> WalletUseId:
    if not text.startswith("use_"):
        raise Malformed(f"{text!r} is no use: `tenor wallet use` and `reserve` print its id, use_…")
    return WalletUseId(from_wire("use", text))
