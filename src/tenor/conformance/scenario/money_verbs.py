"""Verbs of money and documents: payments, what is taken back, and invoices made by hand."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tenor.conformance.cases import read_when
from tenor.conformance.scenario import payments
from tenor.conformance.scenario.credit import span_of_day
from tenor.conformance.scenario.documents import Account, Invoice, Line
from tenor.conformance.scenario.owing import billed_span, owed_for
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.running import enter
from tenor.conformance.scenario.selecting import line_in, select_invoice
from tenor.conformance.scenario.world import World
from tenor.kernel.period import Period
from tenor.kernel.quantity import parse_decimal


def pay(world: World, step: Step) -> None:
    """Pay an invoice, or everything that is open."""
    account = world.account(step.body.get("customer"))
    if step.body.get("all"):
        payments.pay_all(world, account)
    else:
        invoice = select_invoice(world, account, step.body["invoice"])
        amount = _amount(step) if "amount" in step.body else invoice.balance
        payments.pay(world, account, invoice, amount)


def fail_payment(world: World, step: Step) -> None:
    """Let a payment of one invoice fail, else those of this instant, with `all` every later one too."""
    account = world.account(step.body.get("customer"))
    if "invoice" in step.body:
        payments.refuse(world, account, select_invoice(world, account, step.body["invoice"]))
        return
    payments.fail(world, account, all_from_now=step.body.get("all", False))


def settle_payment(world: World, step: Step) -> None:
    """Take over what the provider settled of the latest payment."""
    account = world.account(step.body.get("customer"))
    payments.settle(account, _amount(step), own_currency=not _is_foreign(world, step))


def refund(world: World, step: Step) -> None:
    """Pay back a part of the n-th payment, else of the oldest; `adjust_line` gives the line back, too."""
    account = world.account(step.body.get("customer"))
    number = step.body.get("payment")
    payment = account.payments[number - 1] if number else payments.oldest_payment(account)
    selector = step.body.get("adjust_line")
    line = None if selector is None else line_in(account.lines, selector, world.zone(account.id))
    payments.refund(world, account, payment, _amount(step), line=line)


def chargeback(world: World, step: Step) -> None:
    """Take a payment back."""
    payments.take_back(world.account(step.body.get("customer")))


def chargeback_reversal(world: World, step: Step) -> None:
    """Give a payment again that was taken back."""
    payments.give_again(world.account(step.body.get("customer")))


def credit_account(world: World, step: Step) -> None:
    """Grant a customer credit."""
    account = world.account(step.body["customer"])
    enter(world, account, [Line("credit_grant", -_amount(step), span_of_day(world, account))])


def adjust_line(world: World, step: Step) -> None:
    """Take a part of a line back."""
    account = world.account(step.body.get("customer"))
    name = step.body.get("subscription")
    lines = [line for line in account.lines if name is None or line.subscription == name]
    line = line_in(lines, step.body["line"], world.zone(account.id))
    invoice = next(entry for entry in account.invoices if line in entry.lines)
    invoice.lines.extend(tax_lines(world, account, step.body))
    payments.adjust(world, account, line, _amount(step))


def one_off_invoice(world: World, step: Step) -> None:
    """Invoice lines made by hand."""
    account = world.account(step.body["customer"])
    lines = [_line(world, account, body) for body in step.body["lines"]]
    enter(world, account, lines, reason="one_off", as_draft=step.body.get("draft", False))


def import_invoice(world: World, step: Step) -> None:
    """Enter an invoice that was billed elsewhere, as if its lines had been billed here."""
    account = world.account(step.body["customer"])
    lines = [_imported(world, account, body) for body in step.body["lines"]]
    account.invoices.append(Invoice(len(account.invoices) + 1, account.id, world.now, reason="imported", lines=lines))


def _imported(world: World, account: Account, body: Mapping[str, Any]) -> Line:
    """Return a line as billed: one of time stands for the charge that serves its span."""
    line = _line(world, account, body)
    line.kind = body["kind"]
    owed = owed_for(world, account.id, line.span) if line.kind == "recurring" and line.span is not None else None
    if owed is not None and line.span is not None:
        line.subscription, line.plan = owed.subscription.id, owed.stretch.plan.id
        line.billed = billed_span(world, owed, line.span, line.amount)
    return line


def _line(world: World, account: Account, body: Mapping[str, Any]) -> Line:
    zone = world.zone(account.id)
    bounds = [read_when(body[name], zone) for name in ("from", "to") if name in body]
    span = Period(bounds[0], bounds[-1]) if bounds else span_of_day(world, account)
    return Line("one_off", parse_decimal(body["amount"], name="amount"), span, item=body.get("item"))


def tax_lines(world: World, account: Account, body: Mapping[str, Any]) -> list[Line]:
    """Return the tax lines that an outside calculator gives with a step."""
    lines = [_line(world, account, given) for given in body.get("tax_lines", ())]
    for line in lines:
        line.kind = "tax"
    return lines


def _amount(step: Step) -> Decimal:
    return parse_decimal(step.body["amount"], name="amount")


def _is_foreign(world: World, step: Step) -> bool:
    return "currency" in step.body and step.body["currency"] != world.terms.currency
