"""Verbs of documents that exist: a draft is made final, an invoice is made void."""

from decimal import Decimal

from tenor.conformance.scenario import drafts, notes, prepaid
from tenor.conformance.scenario.documents import Account, Invoice
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.selecting import line_in, select_invoice, select_invoices
from tenor.conformance.scenario.strict import StepRefused
from tenor.conformance.scenario.world import World
from tenor.kernel.quantity import parse_decimal


def finalize_invoice(world: World, step: Step) -> None:
    """Make drafts final; what follows from a final invoice follows now."""
    account = world.account(step.body.get("customer"))
    found = [entry for entry in select_invoices(world, account, step.body["invoice"]) if entry.is_draft]
    if not found:
        raise StepRefused(f"customer {account.id} has no draft {step.body['invoice']!r}")
    for invoice in found:
        drafts.finalise(world, account, invoice)


def void_invoice(world: World, step: Step) -> None:
    """Make an invoice void: nothing on it is billed any more, and what it gave back stands again.

    Who gives credit notes gives back by them what was paid.

    Raises:
        StepRefused: it is paid, what it billed was given back since, or what it put aside was drawn.
    """
    account = world.account(step.body.get("customer"))
    for invoice in select_invoices(world, account, step.body["invoice"]):
        if not world.terms.keeps_balance:
            to_credit, to_refund = _amount(step, "to_credit"), _amount(step, "to_refund")
            notes.void(world, account, invoice, to_credit=to_credit, to_refund=to_refund)
            prepaid.release(world, account, invoice)
            continue
        _refuse_void(account, invoice)
        for line in invoice.lines:
            if line.given_back is not None:
                earlier, credit = line.given_back
                earlier.keep(credit)
        account.credit -= _put_aside(invoice)
        invoice.state = "void"


def credit_note(world: World, step: Step) -> None:
    """Credit a part of a line of an invoice; a credit that was only requested is corrected to what is due."""
    account = world.account(step.body.get("customer"))
    invoice = select_invoice(world, account, step.body["invoice"])
    notes.credit_line(
        world,
        account,
        line_in(invoice.lines, step.body["line"], world.zone(account.id)),
        parse_decimal(step.body["amount"], name="amount"),
        to_credit=_amount(step, "to_credit"),
        to_refund=_amount(step, "to_refund"),
    )


def _amount(step: Step, name: str) -> Decimal | None:
    return parse_decimal(step.body[name], name=name) if name in step.body else None


def _refuse_void(account: Account, invoice: Invoice) -> None:
    if invoice.paid > 0:
        raise StepRefused(f"invoice {invoice.number} is paid")
    given_back = [line.given_back[0] for line in account.lines if line.given_back is not None]
    if any(line in given_back for line in invoice.lines):
        raise StepRefused(f"lines of invoice {invoice.number} were given back on a later invoice")
    if _put_aside(invoice) > account.credit:
        raise StepRefused(f"of what invoice {invoice.number} put aside some was drawn")


def _put_aside(invoice: Invoice) -> Decimal:
    """Return what the invoice put aside, less what it drew."""
    return invoice.account_credit - invoice.balance_applied
