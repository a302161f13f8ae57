"""`tenor entitlement`: what customers may use, and what a person decides over their plans."""

from typing import Annotated, NamedTuple

import typer

from tenor.cli.groups import command_group
from tenor.cli.output import (
    ActorOption,
    ExitCode,
    JsonOption,
    ReasonOption,
    TenantOption,
    counted,
    out,
    print_json,
    refusals,
    stop,
)
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import OverrideId, from_wire, to_wire
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_quantity, plain
from tenor.subscriptions import (
    Access,
    Entitlement,
    NewOverride,
    Status,
    check_entitlement,
    entitlements_of,
    find_subscription,
    override_entitlement,
    revoke_override,
    set_access,
)
from tenor.wire import entitlement_json

app = command_group("Check what customers may use; grant, deny and revoke.")

CustomerArgument = Annotated[str, typer.Argument(help="External id of the customer.")]
FeatureArgument = Annotated[str, typer.Argument(help="Code of the feature.")]
AtOption = Annotated[str | None, typer.Option(help="Instant that is asked about, past or future; now by default.")]
SubscriptionOption = Annotated[
    str | None, typer.Option(help="External id of the one subscription that it is for; all of the customer by default.")
]
UntilOption = Annotated[str | None, typer.Option(help="When it ends by itself; never by default.")]


@app.command("check")
def check(
    customer: CustomerArgument,
    feature: FeatureArgument,
    *,
    tenant: TenantOption,
    at: AtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a customer may do with a feature, and why. Exit code 1 when it may not be used."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        instant = tenant_now(of) if at is None else parse_instant(at, name="--at")
        with opened.database.transaction(of.tenant_id) as uow:
            found = check_entitlement(uow, customer, feature, instant)
        if as_json:
            print_json(entitlement_json(found))
        else:
            _print(found)
        if not found.allowed:
            raise stop(ExitCode.FOUND)


@app.command("list")
def list_entitlements(
    customer: CustomerArgument, *, tenant: TenantOption, at: AtOption = None, as_json: JsonOption = False
) -> None:
    """List every feature that a plan, an add-on or an override of a customer names."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        instant = tenant_now(of) if at is None else parse_instant(at, name="--at")
        with opened.database.transaction(of.tenant_id) as uow:
            found = entitlements_of(uow, customer, instant)
        if as_json:
            print_json({"entitlements": [entitlement_json(one) for one in found]})
            return
        if not found:
            out.print("Nothing that the customer has names a feature at that instant.")
            return
        for one in found:
            _print(one)
        out.print(counted(len(found), "feature"), style="dim")


@app.command("grant")
def grant(
    customer: CustomerArgument,
    feature: FeatureArgument,
    *,
    tenant: TenantOption,
    limit: Annotated[str | None, typer.Option(help="Up to how many; unlimited by default.")] = None,
    subscription: SubscriptionOption = None,
    until: UntilOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "granted by the command line",
    as_json: JsonOption = False,
) -> None:
    """Grant a feature whatever the plans say. Of several decisions about it the newest counts."""
    with refusals(as_json=as_json):
        override_id = _decide(
            Decision(customer, feature, subscription, until, limit=limit), tenant, actor=actor, reason=reason
        )
        _print_override(override_id, "Granted", as_json=as_json)


@app.command("deny")
def deny(
    customer: CustomerArgument,
    feature: FeatureArgument,
    *,
    tenant: TenantOption,
    subscription: SubscriptionOption = None,
    until: UntilOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "denied by the command line",
    as_json: JsonOption = False,
) -> None:
    """Deny a feature whatever the plans say. Of several decisions about it the newest counts."""
    with refusals(as_json=as_json):
        override_id = _decide(
            Decision(customer, feature, subscription, until, is_granted=False), tenant, actor=actor, reason=reason
        )
        _print_override(override_id, "Denied", as_json=as_json)


@app.command("revoke")
def revoke(
    override: Annotated[str, typer.Argument(help="Id of the grant or denial, ovr_…")],
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "revoked by the command line",
    as_json: JsonOption = False,
) -> None:
    """Let a grant or denial say nothing from now on; an earlier one that still holds counts again."""
    with refusals(as_json=as_json):
        override_id = OverrideId(from_wire("ovr", override))
        with session() as opened:
            of = opened.tenant(tenant)
            with opened.database.transaction(of.tenant_id) as uow:
                revoke_override(uow, override_id, now=tenant_now(of), actor=actor, reason=reason)
        _print_override(override_id, "Revoked", as_json=as_json)


@app.command("access")
def access_command(
    status: Annotated[Status, typer.Argument(help="past_due, paused or suspended.")],
    access: Annotated[Access, typer.Argument(help="What it leaves of the features.")],
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Set what a state leaves of the features, for all customers of the tenant."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            set_access(uow, status, access, now=tenant_now(of), actor=actor, reason=reason)
        if as_json:
            print_json({"status": status.value, "access": access.value})
        else:
            out.print(f"[green]Set[/]  {status.value} leaves {access.value}")


class Decision(NamedTuple):
    """What the words of a command say about a feature of a customer."""

    customer: str
    feature: str
    subscription: str | None
    until: str | None
    is_granted: bool = True
    limit: str | None = None


def _decide(decision: Decision, tenant: str, *, actor: str, reason: str) -> OverrideId:
    with session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            known = customer_ids(uow, [decision.customer])
            if decision.customer not in known:
                raise NotFound(f"there is no customer {decision.customer[:60]!r}; `tenor customer add` registers one")
            asked = NewOverride(
                customer_id=known[decision.customer],
                feature=decision.feature,
                is_granted=decision.is_granted,
                limit=None if decision.limit is None else parse_quantity(decision.limit, name="--limit"),
                subscription_id=find_subscription(uow, decision.subscription).id if decision.subscription else None,
                ends_at=None if decision.until is None else parse_instant(decision.until, name="--until"),
            )
            return override_entitlement(uow, asked, now=tenant_now(of), actor=actor, reason=reason)


def _print(found: Entitlement) -> None:
    limit = "unlimited" if found.limit is None else f"up to {plain(found.limit)}"
    words = f"{found.access.value}, {limit}" if found.access is not Access.NONE else found.access.value
    source = f", {found.source}" if found.source else ""
    out.print(f"{found.feature}: {words} ({found.reason.value}{source})", markup=False)


def _print_override(override_id: OverrideId, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": to_wire("ovr", override_id)})
    else:
        out.print(f"[green]{what}[/]  {to_wire('ovr', override_id)}")
