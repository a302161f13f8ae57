"""`tenor usage current`, `alert`, `threshold`, `late`: what is told of usage while its period runs, and after it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import typer
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.invoicing import (
    ChargeSoFar,
    Crossing,
    FollowedUsage,
    cost_so_far,
    late_usage,
    remove_usage_alert,
    set_usage_alert,
    set_usage_thresholds,
    subscriptions_with_alerts,
    tell_alerts,
    usage_alerts,
)
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, UsageAlertId, from_wire, to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import UsageThresholds, thresholds_to_json
from tenor.pricing.rules.rating import explain
from tenor.subscriptions import Subscription, find_subscription
from tenor.wire import CrossingJson, cost_so_far_json, crossing_json, late_event_json, usage_alert_json

alert = command_group("Who is told when usage reaches something.")
threshold = command_group("Amounts at which usage is invoiced before its period is over.")

NameArgument = Annotated[str, typer.Argument(help="External id of the subscription.")]


class Place(NamedTuple):
    """A transaction of a tenant, and its time."""

    uow: UnitOfWork
    now: datetime


@contextmanager
def _place(tenant: str, *, as_json: bool) -> Iterator[Place]:
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            yield Place(uow, tenant_now(of))


def current_command(
    name: NameArgument,
    *,
    tenant: TenantOption,
    at: Annotated[str | None, typer.Option(help="Through when; by default now.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a subscription has used in the periods that run, and what that costs so far, before tax."""
    with _place(tenant, as_json=as_json) as (uow, now):
        as_of = parse_instant(at) if at else now
        (so_far,) = cost_so_far(uow, [find_subscription(uow, name).id], as_of=as_of)
    if as_json:
        print_json(cost_so_far_json(so_far))
        return
    currency = so_far.subscription.currency
    table = Table("charge", "period", "units", "cost so far", "billed", "how")
    for one in so_far.charges:
        table.add_row(
            one.charge.code,
            f"{one.period.start:%Y-%m-%d} to {one.period.end:%Y-%m-%d}",
            plain(one.units),
            format_minor(one.amount_minor, currency),
            format_minor(one.billed_minor, currency),
            "; ".join(_steps(one, currency)),
        )
    out.print(f"{name} through {format_instant(so_far.through)}")
    out.print(table)
    amount, billed = format_minor(so_far.amount_minor, currency), format_minor(so_far.billed_minor, currency)
    out.print(f"{amount} {currency} so far, {billed} of it billed", markup=False)


def late_command(
    *,
    tenant: TenantOption,
    since: Annotated[str, typer.Option(help="Those that came since then.")] = "1970-01-01T00:00:00Z",
    limit: Annotated[int, typer.Option(help="At most so many, the latest first.", min=1, max=10_000)] = 100,
    as_json: JsonOption = False,
) -> None:
    """List events that came after the cut-off of their period: not billed, or billed as used when they came."""
    with _place(tenant, as_json=as_json) as (uow, _):
        found = late_usage(uow, since=parse_instant(since), limit=limit)
    if as_json:
        print_json({"late": [late_event_json(event) for event in found]})
        return
    for event in found:
        when, came = format_instant(event.occurred_at), format_instant(event.recorded_at)
        what = f"{event.event_id}  {event.customer} {event.metric} {plain(event.value)} of {when}, came {came}"
        out.print(f"{what}: {event.treatment}", markup=False)
    out.print(counted(len(found), "late event"))


@alert.command("add")
def alert_add(
    name: NameArgument,
    *,
    tenant: TenantOption,
    at: Annotated[str | None, typer.Option(help="Units, or an amount where no metric is named.")] = None,
    percent: Annotated[str | None, typer.Option(help="Instead: so many percent of --of.")] = None,
    of: Annotated[str | None, typer.Option(help="What is 100 percent; by default the units included.")] = None,
    metric: Annotated[str | None, typer.Option(help="Code of the metric; by default what usage costs so far.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Tell once in each period when usage reaches a number of units, or an amount before tax."""
    with _place(tenant, as_json=as_json) as (uow, now):
        added, told = set_usage_alert(
            uow,
            find_subscription(uow, name),
            metric=metric,
            threshold=_number(at, "at"),
            percent=_number(percent, "percent"),
            base=_number(of, "of"),
            now=now,
            actor=actor,
            reason=reason,
        )
    if as_json:
        print_json({**usage_alert_json(added), "told": crossings_json(told)})
        return
    out.print(f"{to_wire('ual', added.id)}: {metric or 'cost'} of {name} at {plain(added.threshold)}", markup=False)
    tell(told)


@alert.command("list")
def alert_list(name: NameArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """List the alerts of a subscription."""
    with _place(tenant, as_json=as_json) as (uow, _):
        found = usage_alerts(uow, [find_subscription(uow, name).id])
    if as_json:
        print_json({"alerts": [usage_alert_json(one) for one in found]})
        return
    for one in found:
        asked = "" if one.percent is None or one.base is None else f" ({plain(one.percent)} % of {plain(one.base)})"
        out.print(f"{to_wire('ual', one.id)}  {one.metric or 'cost'} at {plain(one.threshold)}{asked}", markup=False)
    out.print(counted(len(found), "alert"))


@alert.command("remove")
def alert_remove(
    alert_id: Annotated[str, typer.Argument(help="Id of the alert.", metavar="ALERT")],
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Remove an alert."""
    with _place(tenant, as_json=as_json) as (uow, now):
        found = UsageAlertId(from_wire("ual", alert_id))
        remove_usage_alert(uow, found, now=now, actor=actor, reason=reason)
    if as_json:
        print_json({"removed": alert_id})
        return
    out.print("removed")


@alert.command("check")
def alert_check(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Look at all alerts now, and tell of those that are reached: usage that comes in does so by itself."""
    with _place(tenant, as_json=as_json) as (uow, now):
        told = tell_alerts(uow, subscriptions_with_alerts(uow), as_of=now)
    if as_json:
        print_json({"told": crossings_json(told)})
        return
    tell(told)
    out.print(f"{counted(len(told), 'alert')} told")


@threshold.command("set")
def threshold_set(
    name: Annotated[str | None, typer.Argument(help="External id of the subscription.")] = None,
    *,
    tenant: TenantOption,
    customer: Annotated[str | None, typer.Option(help="Instead, for all subscriptions of this customer.")] = None,
    currency: Annotated[str | None, typer.Option(help="With --customer: of those in this currency.")] = None,
    at: Annotated[list[str] | None, typer.Option(help="Amount before tax; may be repeated, rising.")] = None,
    every: Annotated[str | None, typer.Option(help="And each further so much above the last of them.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Set at which amounts usage so far is invoiced at once; without any, never, whatever the plan says."""
    with _place(tenant, as_json=as_json) as (uow, now):
        wanted = UsageThresholds(tuple(parse_decimal(text, name="at") for text in at or ()), _number(every, "every"))
        holder, of_currency = _holder(uow, name, customer, currency)
        set_usage_thresholds(uow, holder, wanted, currency=of_currency, now=now, actor=actor, reason=reason)
    if as_json:
        print_json({"holder": name or customer, "currency": of_currency, **thresholds_to_json(wanted)})
        return
    amounts = [plain(amount) for amount in wanted.amounts]
    amounts += [] if wanted.step is None else [f"every {plain(wanted.step)}"]
    out.print(f"usage of {name or customer} is invoiced at {', '.join(amounts) or 'no amount'} ({of_currency})")


def tell(crossings: Sequence[Crossing]) -> None:
    """Print the alerts that have been told."""
    for one in crossings:
        what = f"{one.alert.metric or 'cost'} is {plain(one.value)}, told at {plain(one.alert.threshold)}"
        out.print(f"{to_wire('ual', one.alert.id)}: {what}", markup=False)


def tell_followed(followed: FollowedUsage) -> None:
    """Print what followed from usage that came in."""
    if followed.late_items:
        items = counted(followed.late_items, "subscription item")
        out.print(f"usage in settled periods of {items}: the next run bills the difference")
    if followed.after_cut_off:
        out.print(f"{counted(followed.after_cut_off, 'event')} after the cut-off: tenor usage late")
    tell(followed.alerts)


def followed_json(followed: FollowedUsage) -> dict[str, Any]:
    """Return what followed from usage that came in; what did not happen is left out, but for late items."""
    found: dict[str, Any] = {"late_for_items": followed.late_items}
    if followed.after_cut_off:
        found["after_cut_off"] = followed.after_cut_off
    if followed.alerts:
        found["alerts"] = crossings_json(followed.alerts)
    return found


def crossings_json(crossings: Sequence[Crossing]) -> list[CrossingJson]:
    """Return alerts that have been told, for programs."""
    return [crossing_json(one) for one in crossings]


def _steps(one: ChargeSoFar, currency: str) -> list[str]:
    return [sentence for entry in one.owed for sentence in explain(entry.trace["steps"], currency=currency)]


def _holder(
    uow: UnitOfWork, name: str | None, customer: str | None, currency: str | None
) -> tuple[Subscription | CustomerId, str]:
    if (name is None) == (customer is None):
        raise Malformed("name a subscription, or a customer with --customer and --currency")
    if name is not None:
        subscription = find_subscription(uow, name)
        return subscription, subscription.currency
    if currency is None:
        raise Malformed("a customer's thresholds are in one --currency")
    found = customer_ids(uow, [customer or ""]).get(customer or "")
    if found is None:
        raise NotFound(f"there is no customer {customer!r}")
    return found, currency


def _number(text: str | None, name: str) -> Decimal | None:
    return None if text is None else parse_decimal(text, name=name)
