"""Drafts: what changes one while its grace lasts, and what makes it final."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from tenor.conformance.scenario import notes, sums
from tenor.conformance.scenario.documents import Account, Invoice
from tenor.conformance.scenario.owing import due
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.running import finalised
from tenor.conformance.scenario.selecting import line_in, select_invoices
from tenor.conformance.scenario.strict import StepRefused
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date
from tenor.kernel.quantity import parse_decimal

_WORKED_OUT_AGAIN: Final = frozenset({"usage", "true_up", "commitment"})


def finalise(world: World, account: Account, invoice: Invoice) -> None:
    """Make a draft final; where no later run would pick it up, with all usage that has come in by now."""
    if world.terms.waits_for_jobs:
        refresh(world, account, invoice)
    invoice.state = "finalized"
    finalised(world, account, invoice)


def finalise_over(world: World, account: Account) -> None:
    """Make the drafts final whose days of grace are over."""
    zone, grace = world.zone(account.id), timedelta(days=world.buyer(account.id).grace_days)
    for invoice in account.invoices:
        if invoice.is_draft and grace and local_date(invoice.issued_at, zone) + grace <= local_date(world.now, zone):
            finalise(world, account, invoice)


def refresh(world: World, account: Account, invoice: Invoice) -> None:
    """Work out again what a run had found of usage, and all that follows; edited lines stay as they are."""
    subscriptions = [world.subscription(name) for name in invoice.billed_for]
    if subscriptions:
        invoice.lines = [line for line in invoice.lines if line.kind not in _WORKED_OUT_AGAIN or line.is_edited]
        found = due(world, subscriptions, target=invoice.issued_at)
        invoice.lines += [line for line in found.lines if line.kind in _WORKED_OUT_AGAIN]
    _follow(world, account, invoice)


def refresh_invoice(world: World, step: Step) -> None:
    """Refresh drafts."""
    for account in world.accounts.values():
        for invoice in select_invoices(world, account, step.body["invoice"]):
            if invoice.is_draft:
                refresh(world, account, invoice)


def edit_line(world: World, step: Step) -> None:
    """Change units or price of a line of a draft, the newest where none is named.

    Raises:
        StepRefused: there is no such draft.
    """
    account = world.account(None)
    which = step.body.get("invoice", "latest_draft")
    invoice = next((entry for entry in select_invoices(world, account, which) if entry.is_draft), None)
    if invoice is None:
        raise StepRefused(f"customer {account.id} has no draft {which!r}")
    line = line_in(invoice.lines, step.body["line"], world.zone(account.id))
    had = line.quantity if line.units is None else line.units
    units = parse_decimal(step.body.get("units", had or Decimal(1)), name="units")
    unit_amount = line.amount / (had or Decimal(1))
    if "unit_amount" in step.body:
        unit_amount = parse_decimal(step.body["unit_amount"], name="unit_amount")
    line.amount = world.terms.money.apply(units * unit_amount)
    line.units, line.unit_amount, line.is_edited = units, unit_amount, True
    _follow(world, account, invoice)


def _follow(world: World, account: Account, invoice: Invoice) -> None:
    sums.reckon(world, account, invoice)
    notes.follow_draft(world, account, invoice)
