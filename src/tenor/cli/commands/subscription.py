"""`tenor subscription`: subscribe customers, change and cancel."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.markup import escape

from tenor.cli.output import JsonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customers_by_external_id
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_decimal, parse_quantity, plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.subscriptions import (
    Effective,
    NewSubscription,
    Standing,
    Subscription,
    cancel,
    change_plan,
    change_quantity,
    find_subscription,
    load_items,
    subscribe,
)

app = typer.Typer(help="Subscribe customers to plans, change and cancel.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="External id of the subscription.")]
EffectiveOption = Annotated[str, typer.Option(help="now, period_end, or an instant, past or future.")]
ActorOption = Annotated[str, typer.Option(help="Who does it, for the audit.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the journal.")]
VersionOption = Annotated[
    int | None, typer.Option(help="Version that the change was decided on; refused when it is another by now.")
]
QuantityOption = Annotated[list[str] | None, typer.Option("--quantity", "-q", help="CHARGE=UNITS; may be repeated.")]


@app.command("create")
def create(
    name: NameArgument,
    *,
    tenant: TenantOption,
    customer: Annotated[str, typer.Option(help="External id of the customer.")],
    plan: Annotated[str, typer.Option(help="Code of the plan.")],
    start: Annotated[str | None, typer.Option(help="When it starts, past or future; now by default.")] = None,
    quantity: QuantityOption = None,
    price: Annotated[list[str] | None, typer.Option(help="CHARGE=AMOUNT that overrules the plan's.")] = None,
    discount_percent: Annotated[str, typer.Option(help="Taken off every charge but commitments.")] = "0",
    trial_days: Annotated[int | None, typer.Option(min=0, help="Instead of the plan's.")] = None,
    trial_converts: Annotated[bool, typer.Option(help="Whether the trial goes over into the paid plan.")] = True,
    actor: ActorOption = "operator",
    reason: ReasonOption = "subscribed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Subscribe a customer to a plan. Repeating it with the same content changes nothing."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        now = tenant_now(of)
        with opened.database.transaction(of.tenant_id) as uow:
            found = customers_by_external_id(uow, [customer])
            if customer not in found:
                raise NotFound(f"there is no customer {customer!r}; `tenor customer add` registers one")
            request = NewSubscription(
                external_id=name,
                customer_id=found[customer].id,
                plan=plan,
                starts_at=parse_instant(start, name="--start") if start is not None else now,
                quantities=_decimals(quantity, "--quantity"),
                prices=_decimals(price, "--price"),
                discount_percent=parse_decimal(discount_percent, name="--discount-percent"),
                trial_days=trial_days,
                trial_converts=trial_converts,
            )
            (subscription_id,) = subscribe(uow, [request], now=now, actor=actor, reason=reason)
            (standing,) = load_items(uow, [subscription_id])
        _print(standing.subscription, as_json=as_json)


@app.command("change-plan")
def change_plan_command(
    name: NameArgument,
    *,
    tenant: TenantOption,
    plan: Annotated[str, typer.Option(help="Code of the plan to have from then on.")],
    quantity: QuantityOption = None,
    effective: EffectiveOption = "now",
    version: VersionOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "changed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Put a subscription on another plan, or on the newest edition of its own."""

    def change(uow: UnitOfWork, held: Subscription, now: datetime) -> Subscription:
        return change_plan(
            uow,
            held.id,
            plan=plan,
            effective=_effective(effective),
            version=held.version if version is None else version,
            now=now,
            actor=actor,
            reason=reason,
            quantities=_decimals(quantity, "--quantity"),
        )

    _change(name, tenant, change, as_json=as_json)


@app.command("change-quantity")
def change_quantity_command(
    name: NameArgument,
    *,
    tenant: TenantOption,
    quantity: QuantityOption = None,
    effective: EffectiveOption = "now",
    version: VersionOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "changed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Set the units of seat charges."""

    def change(uow: UnitOfWork, held: Subscription, now: datetime) -> Subscription:
        return change_quantity(
            uow,
            held.id,
            quantities=_decimals(quantity, "--quantity"),
            effective=_effective(effective),
            version=held.version if version is None else version,
            now=now,
            actor=actor,
            reason=reason,
        )

    _change(name, tenant, change, as_json=as_json)


@app.command("cancel")
def cancel_command(
    name: NameArgument,
    *,
    tenant: TenantOption,
    effective: EffectiveOption = "period_end",
    version: VersionOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "cancelled by the command line",
    as_json: JsonOption = False,
) -> None:
    """End a subscription. The next run credits what was paid beyond its end."""

    def change(uow: UnitOfWork, held: Subscription, now: datetime) -> Subscription:
        return cancel(
            uow,
            held.id,
            effective=_effective(effective),
            version=held.version if version is None else version,
            now=now,
            actor=actor,
            reason=reason,
        )

    _change(name, tenant, change, as_json=as_json)


@app.command("show")
def show(name: NameArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Print how a subscription stands, with its timeline."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            held = find_subscription(uow, name)
            (standing,) = load_items(uow, [held.id])
            plans = plan_versions(uow, {item.plan_version_id for item in standing.items})
        names = {key: f"{version.plan} version {version.version}" for key, version in plans.items()}
        if as_json:
            print_json({**_subscription_json(held), "timeline": _timeline_json(standing, names)})
            return
        _print(held, as_json=False)
        for row in _timeline_json(standing, names):
            terms = ", ".join(f"{charge} {units}" for charge, units in row["quantities"].items())
            billable = "" if row["is_billable"] else "  (not billed)"
            end = row["end"] or "open"
            out.print(f"  {row['start']} – {end}  {row['plan']}  {terms}{billable}", markup=False)


def _change(
    name: str, tenant: str, change: Callable[[UnitOfWork, Subscription, datetime], Subscription], *, as_json: bool
) -> None:
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            changed = change(uow, find_subscription(uow, name), tenant_now(of))
        _print(changed, as_json=as_json)


def _print(subscription: Subscription, *, as_json: bool) -> None:
    if as_json:
        print_json(_subscription_json(subscription))
        return
    end = f", ends {format_instant(subscription.ends_at)}" if subscription.ends_at else ""
    trial = f", trial until {format_instant(subscription.trial_ends_at)}" if subscription.trial_ends_at else ""
    out.print(f"[bold]{escape(subscription.external_id)}[/]  {to_wire('sub', subscription.id)}")
    out.print(
        f"  {subscription.status.value}, version {subscription.version}, "
        f"since {format_instant(subscription.starts_at)}{trial}{end}"
    )


def _subscription_json(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": to_wire("sub", subscription.id),
        "external_id": subscription.external_id,
        "status": subscription.status.value,
        "version": subscription.version,
        "currency": subscription.currency,
        "starts_at": subscription.starts_at,
        "trial_ends_at": subscription.trial_ends_at,
        "ends_at": subscription.ends_at,
    }


def _timeline_json(standing: Standing, plans: Mapping[Any, str]) -> list[dict[str, Any]]:
    return [
        {
            "plan": plans[item.plan_version_id],
            "start": format_instant(phase.starts_at),
            "end": format_instant(phase.ends_at) if phase.ends_at else None,
            "is_billable": phase.is_billable,
            "quantities": {charge: plain(units) for charge, units in phase.terms.quantities.items()},
        }
        for item in standing.items
        for phase in item.phases
    ]


def _effective(text: str) -> Effective:
    match text:
        case "now" | "period_end":
            return text
        case _:
            return parse_instant(text, name="--effective")


def _decimals(texts: list[str] | None, option: str) -> dict[str, Decimal]:
    """Read options of the form CHARGE=NUMBER."""
    numbers: dict[str, Decimal] = {}
    for text in texts or []:
        charge, equals, number = text.partition("=")
        if not equals or charge in numbers:
            raise Malformed(f"{option} {text!r}: write CHARGE=NUMBER, each charge once")
        numbers[charge] = parse_quantity(number, name=f"{option} {charge}")
    return numbers
