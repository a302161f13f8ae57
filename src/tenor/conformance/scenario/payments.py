"""Money: payments of invoices, what is taken back of them, and what of a line is given back."""

from decimal import Decimal

from tenor.conformance.scenario.credit import settle_credit, span_of_day
from tenor.conformance.scenario.documents import ZERO, Account, Invoice, Line, Payment
from tenor.conformance.scenario.strict import StepRefused
from tenor.conformance.scenario.world import World


def collect(world: World, account: Account, invoice: Invoice) -> None:
    """Take the money for what an invoice leaves unpaid, unless it is collected by hand."""
    buyer = world.buyer(account.id)
    by_hand = "auto_pay_off" in account.flags or not buyer.auto_pay or not buyer.has_payment_method
    if world.terms.keeps_balance and invoice.balance > 0 and not by_hand:
        pay(world, account, invoice, invoice.balance)
        invoice.payments[-1].has_failed = account.payments_fail


def pay(world: World, account: Account, invoice: Invoice, amount: Decimal) -> None:
    """Pay an invoice, in part or whole."""
    invoice.payments.append(Payment(len(account.payments) + 1, world.now, amount))
    settle_credit(world, account)


def pay_all(world: World, account: Account) -> None:
    """Pay everything that is open; payments succeed again."""
    account.payments_fail = False
    for invoice in account.open_invoices:
        pay(world, account, invoice, invoice.balance)


def fail(world: World, account: Account, *, all_from_now: bool) -> None:
    """Let the payments of this instant fail, and with `all_from_now` every later one."""
    account.payments_fail = account.payments_fail or all_from_now
    for payment in account.payments:
        payment.has_failed = payment.has_failed or payment.at == world.now


def refuse(world: World, account: Account, invoice: Invoice) -> None:
    """Try to take the money for an invoice, in vain."""
    invoice.payments.append(Payment(len(account.payments) + 1, world.now, invoice.outstanding, has_failed=True))


def settle(account: Account, amount: Decimal, *, own_currency: bool) -> None:
    """Correct the latest payment to what the provider settled; in another currency it stays paid as it was."""
    payment = latest_payment(account)
    if own_currency:
        payment.amount = amount


def take_back(account: Account) -> None:
    """Take the oldest payment that still counts back whole (a chargeback)."""
    oldest_payment(account).is_taken_back = True


def give_again(account: Account) -> None:
    """Reverse the oldest chargeback.

    Raises:
        StepRefused: there is none.
    """
    payment = next((payment for payment in account.payments if payment.is_taken_back), None)
    if payment is None:
        raise StepRefused(f"customer {account.id} has taken nothing back")
    payment.is_taken_back = False


def refund(world: World, account: Account, payment: Payment, amount: Decimal, *, line: Line | None) -> None:
    """Pay back a part of a payment; with `line`, that much of the line is given back, too."""
    if amount > payment.counts:
        raise StepRefused(f"a refund of {amount} is more than the {payment.counts} that were paid")
    payment.refunded += amount
    if line is not None:
        take_off(world, account, line, amount)
    settle_credit(world, account)


def adjust(world: World, account: Account, line: Line, amount: Decimal) -> None:
    """Take a part of a line back; what was paid of it becomes credit."""
    take_off(world, account, line, amount)
    settle_credit(world, account)


def take_off(world: World, account: Account, line: Line, amount: Decimal) -> None:
    """Enter an adjustment next to `line`, and on a parent's final invoice too while that is unpaid."""
    invoice = next(invoice for invoice in account.invoices if line in invoice.lines)
    parents = invoice.gathered_on
    line.take_off(world.terms.minor(amount))
    invoice.lines.append(Line("adjustment", -amount, span_of_day(world, account), subscription=line.subscription))
    if parents is not None and parents.outstanding > 0:
        day = span_of_day(world, world.account(parents.customer))
        parents.lines.append(Line("adjustment", -amount, day, customer=account.id))
        invoice.gathered_total -= amount


def grant(world: World, account: Account, invoice: Invoice, amount: Decimal) -> None:
    """Enter an invoice of nothing but a credit that is granted."""
    invoice.lines.append(Line("credit_grant", -amount, span_of_day(world, account)))
    settle_credit(world, account)


def oldest_payment(account: Account) -> Payment:
    """Return the oldest payment that still counts.

    Raises:
        StepRefused: there is none.
    """
    payment = next((payment for payment in account.payments if payment.counts), None)
    if payment is None:
        raise StepRefused(f"customer {account.id} has paid nothing")
    return payment


def latest_payment(account: Account) -> Payment:
    """Return the latest payment.

    Raises:
        StepRefused: there is none.
    """
    if not account.payments:
        raise StepRefused(f"customer {account.id} has paid nothing")
    return account.payments[-1]


def refunded_sum(account: Account) -> Decimal:
    """Return all that was paid back."""
    return sum((payment.refunded for payment in account.payments), ZERO)
