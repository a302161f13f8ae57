"""A parent is billed for its children: their invoices of a day are gathered on one draft of the parent's."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from tenor.conformance.scenario.credit import span_of_day
from tenor.conformance.scenario.documents import ZERO, Account, Invoice, Line
from tenor.conformance.scenario.payments import collect
from tenor.conformance.scenario.terms import later_by_days
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date, midnight_of

GATHERED = "children"


def gather(world: World, child: Account, invoice: Invoice) -> None:
    """Put a child's invoice on the parent's draft of today."""
    parent = world.account(world.buyer(child.id).parent)
    draft = next((entry for entry, _ in _gathering(world, parent)), None)
    if draft is None:
        draft = Invoice(len(parent.invoices) + 1, parent.id, world.now, state="draft", reason=GATHERED)
        parent.invoices.append(draft)
    invoice.gathered_on = draft
    reckon(world, parent)


def reckon(world: World, parent: Account) -> None:
    """Make each line of the parent's drafts, one for a child, what that child's gathered invoices come to."""
    for draft, _ in _gathering(world, parent):
        amounts: dict[str, Decimal] = {}
        for invoice in _gathered(world, draft):
            amounts[invoice.customer] = amounts.get(invoice.customer, ZERO) + invoice.total
        day = span_of_day(world, parent)
        draft.lines = [Line("children_summary", amount, day, customer=child) for child, amount in amounts.items()]


def gathering_ends(world: World, parent: Account) -> Iterator[datetime]:
    """Yield when the parent's drafts become final: at the end of the day on which they were opened."""
    yield from (ends_at for _, ends_at in _gathering(world, parent))


def close(world: World, parent: Account) -> None:
    """Make the drafts final whose day is over, and collect them; with that the children's invoices are paid."""
    for draft, ends_at in list(_gathering(world, parent)):
        if ends_at <= world.now:
            draft.state = "finalized"
            for invoice in _gathered(world, draft):
                invoice.gathered_total = invoice.total
            collect(world, parent, draft)


def _gathering(world: World, parent: Account) -> Iterator[tuple[Invoice, datetime]]:
    zone = world.zone(parent.id)
    for draft in parent.invoices:
        if draft.is_draft and draft.reason == GATHERED:
            yield draft, later_by_days(midnight_of(local_date(draft.issued_at, zone), zone), 1, zone)


def _gathered(world: World, draft: Invoice) -> Iterator[Invoice]:
    for account in world.accounts.values():
        yield from (invoice for invoice in account.invoices if invoice.gathered_on is draft)
