"""Credit notes: what unused time, a wish or a void gives back of an invoice, and the credit that they leave."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tenor.conformance.discount import decimal
from tenor.conformance.scenario.documents import ZERO, Account, CreditNote, Invoice, Line
from tenor.conformance.scenario.owing import Credit
from tenor.conformance.scenario.strict import StepRefused
from tenor.conformance.scenario.world import World
from tenor.invoicing.rules.credit_notes import part_of_note
from tenor.invoicing.rules.spans import GivenBack
from tenor.kernel.money import RoundingMode, round_decimal
from tenor.kernel.period import Period
from tenor.pricing.rules.discounts import discount_back
from tenor.pricing.rules.proration import Share, TerminatedCharge, UnusedTime, termination_credit


def give_back(world: World, account: Account, credit: Credit, *, unused_time: UnusedTime) -> None:
    """Give the unused time of a line back by a note, unless it lapses; a note on a draft is a draft itself.

    What stands on a void invoice is given back already.
    """
    invoice = invoice_of(account, credit.line)
    if unused_time == "none" or invoice.state == "void":
        credit.line.give_back(credit.given)
        return
    state = "draft" if invoice.is_draft else "available"
    note = CreditNote(invoice, credit.line, state, unused=credit.given.span, unused_time=unused_time)
    _reckon_termination(world, account, note)
    credit.line.give_back(GivenBack(credit.given.span, world.terms.minor(note.item)))
    if note.total > 0:
        account.notes.append(note)


def credit_line(
    world: World,
    account: Account,
    line: Line,
    amount: Decimal,
    *,
    to_credit: Decimal | None,
    to_refund: Decimal | None,
) -> None:
    """Credit a part of a line, before its coupon and tax. None: nothing is refunded, all the rest becomes credit.

    Raises:
        StepRefused: more than is left of the line, than the note comes to, or than was paid.
    """
    invoice = invoice_of(account, line)
    before = [note for note in _notes_on(account, invoice) if note.line is line]
    if amount > line.amount - sum((note.item for note in before), ZERO):
        raise StepRefused(f"{amount} is more than is left of a line of {line.amount}")
    note = CreditNote(invoice, line, "available", item=amount)
    _reckon_wish(world, account, note)
    note.to_refund = to_refund or ZERO
    note.to_credit = note.total - note.to_refund if to_credit is None else to_credit
    if note.to_credit + note.to_refund > note.total or note.to_refund > refundable(account, invoice):
        raise StepRefused(f"{note.to_credit} and a refund of {note.to_refund} are more than the {note.total} due")
    account.notes.append(note)


def follow_draft(world: World, account: Account, invoice: Invoice) -> None:
    """Work the notes on a draft out again, from its lines as they are now."""
    for note in _notes_on(account, invoice):
        if note.state == "draft":
            _reckon_termination(world, account, note)


def release(account: Account, invoice: Invoice) -> None:
    """Make the notes on an invoice that has become final usable."""
    for note in _notes_on(account, invoice):
        if note.state == "draft":
            note.state = "available"


def draw(account: Account, invoice: Invoice) -> None:
    """Use the credit of notes on other invoices for a final one, the oldest first."""
    for note in account.notes:
        is_usable = note.state == "available" and note.invoice is not invoice
        amount = min(note.balance, invoice.total) if is_usable else ZERO
        if amount > 0:
            note.drawn.append((invoice, amount))
            invoice.credit_notes_applied += amount


def void(
    world: World, account: Account, invoice: Invoice, *, to_credit: Decimal | None, to_refund: Decimal | None
) -> None:
    """Make an invoice void; what it used of notes is free again.

    With amounts given a note gives them back, and what is left of the invoice becomes a note that is void itself, so
    that the notes add up to the invoice.

    Raises:
        StepRefused: it is not final, less is left of it, or a refund of more than was paid.
    """
    if invoice.state != "finalized":
        raise StepRefused(f"invoice {invoice.number} is {invoice.state}")
    given = (to_credit or ZERO) + (to_refund or ZERO)
    left = creditable(account, invoice)
    if given > left or (to_refund or ZERO) > refundable(account, invoice):
        raise StepRefused(f"{given} is more than is left of invoice {invoice.number}")
    invoice.state, invoice.stays_billed = "void", True
    for note in account.notes:
        note.drawn = [(other, amount) for other, amount in note.drawn if other is not invoice]
    if to_credit is None and to_refund is None:
        return
    if given:
        account.notes.append(_of_whole(world, invoice, "available", to_credit or ZERO, to_refund or ZERO))
    if left > given:
        account.notes.append(_of_whole(world, invoice, "void", left - given, ZERO))


def creditable(account: Account, invoice: Invoice) -> Decimal:
    """Return what of an invoice can still be credited."""
    return invoice.gross - sum((note.total for note in _notes_on(account, invoice)), ZERO)


def refundable(account: Account, invoice: Invoice) -> Decimal:
    """Return what was paid of an invoice and not refunded yet."""
    return invoice.paid - sum((note.to_refund for note in _notes_on(account, invoice)), ZERO)


def balance(account: Account) -> Decimal:
    """Return the credit of all notes that is not used yet."""
    return sum((note.balance for note in account.notes if note.state == "available"), ZERO)


def invoice_of(account: Account, line: Line) -> Invoice:
    """Return the invoice that a line stands on."""
    return next(invoice for invoice in account.invoices if line in invoice.lines)


def _notes_on(account: Account, invoice: Invoice) -> list[CreditNote]:
    return [note for note in account.notes if note.invoice is invoice and note.state != "void"]


def _of_whole(world: World, invoice: Invoice, state: str, to_credit: Decimal, to_refund: Decimal) -> CreditNote:
    """Return a note for a part of a whole invoice, with the same part of its tax."""
    total = to_credit + to_refund
    share = Fraction(total) / Fraction(invoice.gross) if invoice.gross else Fraction(0)
    tax = world.terms.money.apply(decimal(Fraction(invoice.tax) * share))
    return CreditNote(
        invoice, None, state, item=total - tax, subtotal=total - tax, tax=tax, to_credit=to_credit, to_refund=to_refund
    )


def _reckon_termination(world: World, account: Account, note: CreditNote) -> None:
    """Work out a note for unused time: the price of its days, less the line's part of coupons, plus tax.

    The price is that of the whole period; where a draft's line was edited, it is scaled with the line.
    """
    line, invoice, unused = note.line, note.invoice, note.unused
    if line is None or line.billed is None or unused is None or not line.billed.amount_minor:
        return
    if not line.amount:
        note.item = note.tax = note.subtotal = note.to_credit = note.to_refund = note.discount_reversed = ZERO
        return
    billed, original = line.billed, world.terms.major(line.billed.amount_minor)
    price = world.terms.major(billed.price_minor) * line.amount / original
    scale = Fraction(billed.price_minor, billed.amount_minor)
    rate = Fraction(line.tax_percent) / 100
    used = Period(billed.span.start, max(billed.span.start, unused.start))
    before = [other.item for other in _notes_on(account, invoice) if other.line is line and other is not note]
    found = termination_credit(
        TerminatedCharge(
            amount=price,
            tax_rate=rate,
            coupon=decimal(Fraction(line.discount) * scale),
            credited_before=sum(before, ZERO),
            invoice_total=decimal(Fraction(invoice.total) * scale),
            invoice_paid=invoice.paid,
        ),
        unused=_share(world, billed.whole, unused, account),
        used=_share(world, billed.whole, used, account),
        unused_time=note.unused_time,
        rounding=world.terms.policy.rounding,
        currency_digits=world.terms.digits,
    )
    note.item, note.tax, note.subtotal = found.item, found.tax, found.total - found.tax
    note.discount_reversed = _shown(
        world, Fraction(line.discount) * Fraction(found.item_precise) / Fraction(line.amount)
    )
    note.tax_exact = (Fraction(found.item_precise) - Fraction(note.discount_reversed)) * rate
    note.to_credit, note.to_refund = found.to_credit + found.to_offset, found.to_refund


def _reckon_wish(world: World, account: Account, note: CreditNote) -> None:
    """Work out a note for an amount of a line: its part of the coupon, and tax on the rest.

    What rounding leaves over goes to the last note of the invoice, or into each next one, as the policy says.
    """
    line, invoice = note.line, note.invoice
    if line is None:
        return
    before = _notes_on(account, invoice)
    back = discount_back(
        line_discount=line.discount,
        coupon_discount=invoice.discount,
        credited=Fraction(note.item) / Fraction(line.amount),
        basis=world.terms.policy.discounts.discount_basis,
        given_back=sum((other.discount_reversed for other in before if other.line is line), ZERO),
    )
    note.discount_reversed = _shown(world, back)
    note.tax_exact = _net(note) * Fraction(line.tax_percent) / 100
    credited = sum((other.item for other in [*before, note]), ZERO)
    is_last = credited == sum((entry.amount for entry in invoice.lines), ZERO)
    nets = _Part(invoice.net, [_net(other) for other in before], [other.subtotal for other in before])
    taxes = _Part(invoice.tax, [other.tax_exact for other in before], [other.tax for other in before])
    note.subtotal = _rounded_part(world, _net(note), nets, is_last=is_last)
    note.tax = _rounded_part(world, note.tax_exact, taxes, is_last=is_last)
    carries = world.terms.policy.states.credit_note_residue == "carry" or is_last
    carried = sum(taxes.exact, Fraction(0)) - Fraction(sum(taxes.given, ZERO)) if carries else Fraction(0)
    note.tax_rounding_adjustment = decimal(Fraction(note.tax) - note.tax_exact - carried)


class _Part(NamedTuple):
    """A part of an invoice, its net or its tax, and what earlier notes gave back of it: unrounded, and rounded."""

    whole: Decimal
    exact: Sequence[Fraction]
    given: Sequence[Decimal]


def _rounded_part(world: World, exact: Fraction, of: _Part, *, is_last: bool) -> Decimal:
    """Return what a note gives back of a part of its invoice; the last note takes what is left."""
    scale: int = 10**world.terms.digits
    before = sum(of.exact, Fraction(0))
    minor = part_of_note(
        (Fraction(of.whole) - before if is_last else exact) * scale,
        whole_minor=world.terms.minor(of.whole),
        exact_before_minor=before * scale,
        given_minor=world.terms.minor(sum(of.given, ZERO)),
        residue=world.terms.policy.states.credit_note_residue,
    )
    return world.terms.major(minor)


def _net(note: CreditNote) -> Fraction:
    """Return what a note gives back before tax, unrounded."""
    return Fraction(note.item) - Fraction(note.discount_reversed)


def _share(world: World, whole: Period, part: Period, account: Account) -> Share:
    return world.terms.share(whole, part, world.zone(account.id)) or Share(1, 1)


def _shown(world: World, amount: Fraction) -> Decimal:
    """Round a share of a coupon to the digits to which the policy keeps it."""
    kept = world.terms.policy.discounts.coupon_share_digits
    digits = world.terms.digits if kept is None else kept
    return round_decimal(decimal(amount), digits=digits, mode=RoundingMode.HALF_UP)
