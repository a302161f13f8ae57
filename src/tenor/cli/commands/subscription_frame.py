"""What all commands that change a subscription have in common: their options, their transaction, their answer."""

import inspect
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple, TypedDict

import typer
from rich.markup import escape

from tenor.cli.commands.quoting import print_issued, print_quote
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import Session, session, tenant_now
from tenor.customers import customers_by_external_id
from tenor.invoicing import (
    IssuedDocument,
    accept_quote,
    find_document,
    prefetch_taxes,
    quote_change,
    settle_now,
)
from tenor.kernel.calendar import Interval, Unit, parse_zone
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_quantity
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Effective, Status, Subscription, find_subscription
from tenor.wire import QuoteText, issued_json, quote_from_text, subscription_json

NameArgument = Annotated[str, typer.Argument(help="External id of the subscription.")]
EffectiveOption = Annotated[
    str, typer.Option("--effective", "--at", help="now, period_end, or an instant, past or future.")
]
PreviewOption = Annotated[
    bool, typer.Option("--preview", help="Only tell what it would cost now, with a quote to accept it by.")
]
QuoteOption = Annotated[
    str | None, typer.Option("--quote", help="Accept a quote of this very change: it costs what was quoted.")
]
InvoiceOption = Annotated[bool, typer.Option("--invoice", help="Invoice at once what the change comes to.")]
VersionOption = Annotated[
    int | None, typer.Option(help="Version that the change was decided on; refused when it is another by now.")
]
QuantityOption = Annotated[list[str] | None, typer.Option("--quantity", "-q", help="CHARGE=UNITS; may be repeated.")]


_INTERVAL: Final = re.compile(r"([1-9][0-9]{0,2}) *(hour|day|week|month|year)s?", re.ASCII)


class Decided(TypedDict):
    """What every operation is told of a change: the version that it was decided on, when, by whom and why."""

    version: int
    now: datetime
    actor: str
    reason: str


class Call(NamedTuple):
    """One call of a command: the transaction, the subscription as it stands, when to take effect, and the rest."""

    uow: UnitOfWork
    subscription: Subscription
    at: Effective
    decided: Decided


class Handling(NamedTuple):
    """How a change is to be handled: only previewed, made by a quote, invoiced at once; on which version, by whom."""

    preview: bool
    quote: str | None
    invoice: bool
    version: int | None
    actor: str
    reason: str


Make = Callable[[UnitOfWork, datetime, int | None], list[Subscription]]
"""Makes a change as of an instant, on the version of a quote where there is one; returns what it touched."""

Buyer = Callable[[UnitOfWork], tuple[CustomerId, int]]
"""Who will be asked to pay, and the version of the subscription that a quote holds for."""


def carry_out(opened: Session, tenant: str, how: Handling, make: Make, buyer: Buyer, *, as_json: bool) -> None:
    """Preview a change, make it by its quote, or make it, and print what came of it."""
    of = opened.tenant(tenant)
    quote = _accepted(how)
    now = tenant_now(of)
    issued: list[IssuedDocument] | None = None
    touched: list[Subscription] = []

    def change(uow: UnitOfWork, at: datetime) -> list[Subscription]:
        touched[:] = make(uow, at, quote.version if quote else None)
        return touched

    if how.preview or quote or how.invoice:
        with opened.database.transaction(of.tenant_id) as uow:
            customer, version = buyer(uow)
        at = quote.as_of if quote else now
        prefetch_taxes(opened.database, opened.settings, of.tenant_id, at=at, customer_ids=[customer])
        with opened.database.transaction(of.tenant_id) as uow:
            if how.preview:
                offer = quote_change(uow, change, as_of=now)
                print_quote(offer, version=version, zone=parse_zone(touched[0].timezone), as_json=as_json)
                return
            if quote:
                drafts = accept_quote(uow, change, as_of=quote.as_of, digest=quote.digest, now=now)
            else:
                drafts = settle_now(uow, change(uow, now), as_of=now, recorded_at=now)
            issued = [find_document(uow, to_wire("inv", draft.id)) for draft in drafts]
    else:
        with opened.database.transaction(of.tenant_id) as uow:
            change(uow, now)
    _print_change(touched[0], issued, as_json=as_json)


def _accepted(how: Handling) -> QuoteText | None:
    """Return the quote that is accepted; refuse a call that would also be a preview."""
    if how.quote is None:
        return None
    if how.preview:
        raise Malformed("--preview asks for a quote and --quote accepts one; give one of them")
    return quote_from_text(how.quote)


def _print_change(changed: Subscription, issued: Sequence[IssuedDocument] | None, *, as_json: bool) -> None:
    """Print how a subscription stands after a change, and what was issued; None: nothing was to be."""
    if as_json:
        documents = {} if issued is None else {"documents": issued_json(issued)}
        print_json({**subscription_json(changed), **documents})
        return
    print_subscription(changed, as_json=False)
    if issued is not None:
        print_issued(issued)


def change_command(app: typer.Typer, name: str, *, at: str | None) -> Callable[[Callable[..., Subscription]], None]:
    """Make a function `(call, *, its own options) -> Subscription` the command `name` of `app`.

    The command has the options of every change beside the function's own. `at` is when the change takes effect
    where the call does not say; None: the command has no such option.
    """

    def register(change: Callable[..., Subscription]) -> None:
        def command(name: str, *, tenant: str, as_json: bool, **options: Any) -> None:
            how = Handling(*(options.pop(option) for option in Handling._fields))
            with refusals(as_json=as_json), session() as opened:
                effective = _effective(options.pop("effective", "now"))

                def make(uow: UnitOfWork, at: datetime, quoted_version: int | None) -> list[Subscription]:
                    held = find_subscription(uow, name)
                    version = next(one for one in (quoted_version, how.version, held.version) if one is not None)
                    decided = Decided(version=version, now=at, actor=how.actor, reason=how.reason)
                    changed = change(Call(uow, held, effective, decided), **options)
                    return [changed] if changed.id == held.id else [changed, held]

                def buyer(uow: UnitOfWork) -> tuple[CustomerId, int]:
                    held = find_subscription(uow, name)
                    return held.customer_id, held.version

                carry_out(opened, tenant, how, make, buyer, as_json=as_json)

        command.__doc__ = change.__doc__
        parameters = _parameters(change, at)
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
        app.command(name)(command)

    return register


def _parameters(change: Callable[..., Subscription], at: str | None) -> list[inspect.Parameter]:
    """Return the parameters of a command: the name, the tenant, the function's own, and those of every change."""
    named = inspect.Parameter.KEYWORD_ONLY
    _, *own = inspect.signature(change).parameters.values()
    when = [] if at is None else [inspect.Parameter("effective", named, annotation=EffectiveOption, default=at)]
    return [
        inspect.Parameter("name", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=NameArgument),
        inspect.Parameter("tenant", named, annotation=TenantOption),
        *own,
        *when,
        inspect.Parameter("preview", named, annotation=PreviewOption, default=False),
        inspect.Parameter("quote", named, annotation=QuoteOption, default=None),
        inspect.Parameter("invoice", named, annotation=InvoiceOption, default=False),
        inspect.Parameter("version", named, annotation=VersionOption, default=None),
        inspect.Parameter("actor", named, annotation=ActorOption, default="operator"),
        inspect.Parameter("reason", named, annotation=ReasonOption, default="changed by the command line"),
        inspect.Parameter("as_json", named, annotation=JsonOption, default=False),
    ]


def print_subscription(subscription: Subscription, *, as_json: bool) -> None:
    """Print how a subscription stands."""
    if as_json:
        print_json(subscription_json(subscription))
        return
    is_over = subscription.status in {Status.CANCELLED, Status.EXPIRED}
    verb = "ended" if is_over else "cancelled for" if subscription.cancels_at_end else "ends"
    end = f", {verb} {format_instant(subscription.ends_at)}" if subscription.ends_at else ""
    tries = subscription.trial_ends_at if subscription.status in {Status.CREATED, Status.TRIALING} else None
    trial = "" if tries is None else f", trial until {format_instant(tries)}"
    out.print(f"[bold]{escape(subscription.external_id)}[/]  {to_wire('sub', subscription.id)}")
    out.print(
        f"  {subscription.status.value}, version {subscription.version}, "
        f"since {format_instant(subscription.starts_at)}{trial}{end}"
    )


def customer_id(uow: UnitOfWork, external_id: str) -> CustomerId:
    """Return the id of a customer; refuse one that there is not."""
    found = customers_by_external_id(uow, [external_id])
    if external_id not in found:
        raise NotFound(f"there is no customer {external_id[:60]!r}; `tenor customer add` registers one")
    return found[external_id].id


def decimals(texts: list[str] | None, option: str) -> dict[str, Decimal]:
    """Read options of the form CHARGE=NUMBER."""
    numbers: dict[str, Decimal] = {}
    for charge, number in pairs(texts, option, form="CHARGE=NUMBER, each charge once").items():
        numbers[charge] = parse_quantity(number, name=f"{option} {charge}")
    return numbers


def pairs(texts: list[str] | None, option: str, *, form: str) -> dict[str, str]:
    """Read options NAME=VALUE, each name once; `form` says it in the words of the option."""
    found: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not equals or name in found:
            raise Malformed(f"{option} {text!r}: write {form}")
        found[name] = value
    return found


def interval(text: str) -> Interval:
    """Read a length of time: '1 year', '6 months'."""
    written = _INTERVAL.fullmatch(text.strip())
    if written is None:
        raise Malformed(f"{text[:40]!r} is no length such as '1 year' or '6 months'")
    count, unit = written.groups()
    return Interval(Unit(unit), int(count))


def _effective(text: str) -> Effective:
    match text:
        case "now" | "period_end":
            return text
        case _:
            return parse_instant(text, name="--effective")
