"""`tenor invoice drafts`: what would be invoiced now, and what grace keeps open."""

from typing import Annotated

import typer

from tenor.cli.commands.invoice_frame import desk
from tenor.cli.commands.quoting import draft_json, print_drafts
from tenor.cli.output import JsonOption, TenantOption, print_json
from tenor.invoicing import drafts_of
from tenor.kernel.calendar import parse_zone
from tenor.subscriptions import find_subscription


def drafts(
    *,
    tenant: TenantOption,
    subscription: Annotated[str, typer.Option(help="External id of the subscription.")],
    as_json: JsonOption = False,
) -> None:
    """Print the documents of a subscription that are not issued yet, with those that grace keeps open."""
    with desk(tenant, as_json=as_json) as at:
        held = find_subscription(at.uow, subscription)
        found = drafts_of(at.uow, held, as_of=at.now)
    if as_json:
        print_json({"subscription": subscription, "drafts": [draft_json(draft) for draft in found]})
    else:
        print_drafts(found, zone=parse_zone(held.timezone), empty="Nothing waits to be invoiced.")
