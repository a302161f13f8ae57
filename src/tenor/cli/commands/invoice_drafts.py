"""`tenor invoice drafts` and `finalise`: what would be invoiced now, what grace keeps open, and its early end."""

from typing import Annotated

import typer

from tenor.cli.commands.invoice_frame import desk
from tenor.cli.commands.quoting import print_drafts, print_issued
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, print_json
from tenor.invoicing import drafts_of, finalise_drafts, find_document
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import to_wire
from tenor.subscriptions import find_subscription
from tenor.wire import draft_json, issued_json

SubscriptionOption = Annotated[str, typer.Option(help="External id of the subscription.")]


def drafts(
    *,
    tenant: TenantOption,
    subscription: SubscriptionOption,
    as_json: JsonOption = False,
) -> None:
    """Print the documents of a subscription that are not issued yet, with those that grace keeps open."""
    with desk(tenant, subscription=subscription, as_json=as_json) as at:
        held = find_subscription(at.uow, subscription)
        found = drafts_of(at.uow, held, as_of=at.now)
    if as_json:
        print_json({"subscription": subscription, "drafts": [draft_json(draft) for draft in found]})
    else:
        print_drafts(found, zone=parse_zone(held.timezone), empty="Nothing waits to be invoiced.")


def finalise(
    *,
    tenant: TenantOption,
    subscription: SubscriptionOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "finalised by the command line",
    as_json: JsonOption = False,
) -> None:
    """Issue the drafts of a subscription now, also those that grace still keeps open."""
    with desk(tenant, actor=actor, reason=reason, subscription=subscription, as_json=as_json) as at:
        finalised = finalise_drafts(at.uow, find_subscription(at.uow, subscription), **at.deed)
        issued = [find_document(at.uow, to_wire("inv", draft.id)) for draft in finalised]
    if as_json:
        print_json({"subscription": subscription, "documents": issued_json(issued)})
    else:
        print_issued(issued)
