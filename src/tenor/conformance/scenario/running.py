"""Bill runs: what is due becomes lines of an invoice, or a credit note where the vendor gives those."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tenor.conformance.scenario import coupons, notes, prepaid, sums
from tenor.conformance.scenario.calendar import run_target
from tenor.conformance.scenario.credit import settle_credit
from tenor.conformance.scenario.documents import Account, Invoice, Line
from tenor.conformance.scenario.family import gather
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.netting import credit_line, netted
from tenor.conformance.scenario.owing import Due, due
from tenor.conformance.scenario.payments import collect
from tenor.conformance.scenario.world import World
from tenor.pricing.rules.proration import UnusedTime


def run(
    world: World,
    customer: str,
    *,
    subscriptions: Sequence[Subscription] | None = None,
    target: datetime | None = None,
    reason: str | None = None,
    unused_time: UnusedTime | None = None,
    invoices_nothing: bool = False,
    invoices: bool = True,
    fees_alone: bool = False,
) -> list[Invoice]:
    """Bill what is due by `target` (default: now) and return the invoices made; none when nothing is due.

    `subscriptions` limits the run to some of the customer's, which an account does not know. An account never
    looks less far than it did before. `unused_time` overrules the policy; with `invoices_nothing` an invoice is
    made though nothing is due, without `invoices` none is: then time is only given back. `fees_alone` bills what plans
    cost, not what was used or bought by number.
    """
    account = world.account(customer)
    if is_held(world, account):
        return []
    until = target or run_target(world, customer, world.now)
    if world.terms.is_account_centred:
        until = account.looked_until = max(until, account.looked_until or until)
    made = []
    for group in _groups(world, customer, subscriptions):
        found = due(world, group, target=until, fees_alone=fees_alone)
        back = unused_time or world.terms.policy.proration.unused_time
        lines = _settled(world, account, found, unused_time=back)
        for fee in (line for line in lines if not line.is_invoiceable):
            account.keep_loose(fee, at=world.now)
        lines = [line for line in lines if line.is_invoiceable]
        if invoices and (lines or invoices_nothing):
            billed_for = tuple(entry.id for entry in group)
            made.append(enter(world, account, lines, reason=reason, billed_for=billed_for))
    return made


def preview(world: World, customer: str, *, target: datetime) -> Invoice | None:
    """Keep what a run for `target` would bill as a preview on the account; nothing else changes."""
    account = world.account(customer)
    found = due(world, _billable(world, customer, None), target=target)
    if found.is_empty:
        return None
    lines = [*_gross_lines(world, found), *account.tax_lines]
    invoice = Invoice(0, customer, world.now, lines=lines)
    account.tax_lines = []
    sums.reckon(world, account, invoice)
    shadow = Account(customer, account.anchor_day, account.credit, invoices=[invoice])
    settle_credit(world, shadow)
    account.previews.append(invoice)
    return invoice


def is_held(world: World, account: Account) -> bool:
    """Whether nothing is billed for a customer: invoicing is off, or a stage of dunning blocks it."""
    stage = account.stages[-1][1] if account.stages else None
    stages = world.story.dunning.stages if world.story.dunning else ()
    return "invoicing_off" in account.flags or any(entry.blocks_billing and entry.name == stage for entry in stages)


def enter(
    world: World,
    account: Account,
    lines: Iterable[Line],
    *,
    reason: str | None = None,
    as_draft: bool = False,
    is_final: bool = False,
    billed_for: tuple[str, ...] = (),
) -> Invoice:
    """Add lines to the open draft that may take them, or to a new invoice, and settle it.

    `billed_for` are the subscriptions of the run that found the lines. With `is_final` it skips being a draft.
    """
    is_draft = not is_final and (as_draft or opens_draft(world, account))
    open_draft = _open_draft(world, account) if is_draft else None
    invoice = open_draft or _new_invoice(world, account, reason=reason, is_draft=is_draft)
    invoice.lines.extend(lines)
    invoice.billed_for = tuple(dict.fromkeys([*invoice.billed_for, *billed_for]))
    sums.reckon(world, account, invoice)
    if not invoice.is_draft:
        finalised(world, account, invoice)
    return invoice


def finalised(world: World, account: Account, invoice: Invoice) -> None:
    """Do what follows from an invoice that is final: coupons and credits are used, money is collected."""
    sums.reckon(world, account, invoice)
    coupons.count_use(world, account, invoice)
    notes.release(account, invoice)
    notes.draw(account, invoice)
    prepaid.draw(world, account, invoice)
    settle_credit(world, account)
    if world.buyer(account.id).parent is None:
        collect(world, account, invoice)
    else:
        gather(world, account, invoice)


def _groups(world: World, customer: str, subscriptions: Sequence[Subscription] | None) -> list[list[Subscription]]:
    billable = _billable(world, customer, subscriptions)
    return [billable] if world.terms.consolidates else [[entry] for entry in billable]


def _billable(world: World, customer: str, subscriptions: Sequence[Subscription] | None) -> list[Subscription]:
    everything = subscriptions is None or world.terms.is_account_centred
    chosen = world.subscriptions_of(customer) if everything else list(subscriptions or ())
    return [entry for entry in chosen if entry.is_invoiced]


def _settled(world: World, account: Account, found: Due, *, unused_time: UnusedTime) -> list[Line]:
    """Return the lines to invoice, with what is given back noted on the lines that had billed it, or credited."""
    if not world.terms.keeps_balance:
        for credit in found.credits:
            notes.give_back(world, account, credit, unused_time=unused_time)
        return found.lines
    lines = _gross_lines(world, found)
    for credit in found.credits:
        credit.line.give_back(credit.given)
    return lines


def _gross_lines(world: World, found: Due) -> list[Line]:
    given_back = [credit_line(world, credit) for credit in found.credits]
    return netted(world, [*given_back, *found.lines])


def opens_draft(world: World, account: Account) -> bool:
    """Whether a customer's next invoice is a draft at first."""
    return (
        world.terms.policy.states.invoice_start == "draft"
        or "invoicing_draft" in account.flags
        or world.buyer(account.id).grace_days > 0
    )


def _new_invoice(world: World, account: Account, *, reason: str | None, is_draft: bool) -> Invoice:
    state = "draft" if is_draft else "finalized"
    invoice = Invoice(len(account.invoices) + 1, account.id, world.now, state=state, reason=reason)
    account.invoices.append(invoice)
    invoice.lines.extend(account.tax_lines)
    account.tax_lines = []
    return invoice


def _open_draft(world: World, account: Account) -> Invoice | None:
    if not world.terms.policy.states.reuse_draft:
        return None
    return next((invoice for invoice in account.invoices if invoice.is_draft), None)
