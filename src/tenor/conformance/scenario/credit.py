"""Account credit: what an invoice has too much is put aside, and drawn on by what is open, the oldest first."""

from decimal import Decimal

from tenor.conformance.scenario.documents import Account, Invoice, Line
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date, midnight_of
from tenor.kernel.period import Period


def settle_credit(world: World, account: Account) -> None:
    """Put aside what invoices have too much, then draw on the credit for those that are open.

    An account without credit (its source runs the generator alone) keeps its invoices as they are, and who gives
    credit notes has no balance to put anything on.
    """
    terms = world.terms
    if not terms.keeps_balance or not (terms.policy.billing.account_credit_lines or not terms.is_account_centred):
        return
    for invoice in account.invoices:
        if invoice.outstanding < 0:
            _move(world, account, invoice, -invoice.outstanding)
    for invoice in account.open_invoices:
        drawn = min(invoice.outstanding, account.credit)
        if drawn > 0:
            _move(world, account, invoice, -drawn)


def span_of_day(world: World, account: Account) -> Period:
    """Return the local day of now as the empty span of a line."""
    zone = world.zone(account.id)
    day = midnight_of(local_date(world.now, zone), zone)
    return Period(day, day)


def _move(world: World, account: Account, invoice: Invoice, put_aside: Decimal) -> None:
    """Move money from the invoice to the credit (negative: back), as a line where the account is what is billed."""
    account.credit += put_aside
    if world.terms.is_account_centred:
        invoice.lines.append(Line("account_credit", put_aside, span_of_day(world, account)))
    else:
        invoice.balance_applied -= put_aside
