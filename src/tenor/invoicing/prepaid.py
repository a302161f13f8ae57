"""Prepaid credit: what wallets pay of the lines of documents before anybody is asked for money (ADR 23).

What they have paid goes back to them when a credit note gives the line back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.invoicing.model import DocumentKind, Draft, Key, Line, WalletPayment
from tenor.invoicing.rules.prepaid import LineToLower, PaidPart, payable_minor, restored_parts
from tenor.kernel.ids import ChargeId, CustomerId, InvoiceId, WalletId, WalletUseId, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import Charge
from tenor.wallets import LineToPay, RestoredPayment, lock_wallets_of, pay_lines, restore_payments, wallet_owners


class Prepaid(NamedTuple):
    """What a use of a wallet still pays of a line: `part`, and whose wallet of which unit it is."""

    part: PaidPart
    wallet_id: WalletId
    unit: str


def owners_among(uow: UnitOfWork, drafts: Iterable[Draft]) -> set[CustomerId]:
    """Return whose wallets may pay, or get back, something of these documents, in one statement at most."""
    asked = {draft.customer_id for draft in drafts if draft.total_minor}
    return wallet_owners(uow, asked) if asked else set()


def settle_with_wallets(
    uow: UnitOfWork,
    drafts: Sequence[Draft],
    owners: set[CustomerId],
    charges: Mapping[ChargeId, Charge],
    *,
    at: datetime,
) -> list[Draft]:
    """Return documents with what the wallets of `owners` pay of them, in their order; all of it is drawn and booked.

    A line is paid with its tax. Credit notes come first: what their lines give back goes back to the wallets that had
    paid for it. `charges` are those of the lines; an adjustment has none. A few statements for all documents.
    """
    notes = [draft for draft in drafts if draft.kind is DocumentKind.CREDIT_NOTE and draft.customer_id in owners]
    restored = {note.id: note for note in _settled_notes(uow, notes, owners, at=at)}
    places: dict[str, tuple[InvoiceId, int]] = {}
    lines = []
    for draft in drafts:
        if draft.customer_id in owners:
            for number, line in _lines_to_pay(draft, charges):
                places[line.key] = (draft.id, number)
                lines.append(line)
    found: dict[InvoiceId, list[WalletPayment]] = defaultdict(list)
    for part in pay_lines(uow, lines, now=at).paid:
        document_id, number = places[part.line.key]
        use = part.use
        payment = WalletPayment(number, use.wallet_id, use.id, part.unit, use.asked, part.paid_minor)
        found[document_id].append(payment)
    return [
        replace(draft, wallet_payments=tuple(found[draft.id])) if draft.id in found else restored.get(draft.id, draft)
        for draft in drafts
    ]


def settled_with_wallets(uow: UnitOfWork, draft: Draft) -> Draft:
    """Return a document that bills no charge of a plan with what its customer's wallets pay of it."""
    owners = owners_among(uow, [draft])
    return settle_with_wallets(uow, [draft], owners, {}, at=draft.issued_at)[0] if owners else draft


def prepaid_of(uow: UnitOfWork, invoice_id: InvoiceId) -> list[Prepaid]:
    """Return what wallets still pay of the lines of an invoice, in their order."""
    rows = uow.fetch_all(_PREPAID_OF_INVOICE, [invoice_id])
    return [Prepaid(PaidPart(*part), wallet_id, unit) for wallet_id, unit, *part in rows]


def restored_notes(
    uow: UnitOfWork,
    notes: Sequence[Draft],
    prepaid: Mapping[InvoiceId, Sequence[Prepaid]],
    *,
    elsewhere_minor: Mapping[InvoiceId, int],
    now: datetime,
    actor: str,
    reason: str,
) -> list[Draft]:
    """Return credit notes with what of each goes back to wallets, which have it when this returns; in a few statements.

    `prepaid` says what they pay, by the number of the line of the note that gives it back (0: of none), and
    `elsewhere_minor` what was or is to be paid otherwise of what the note gives back.
    """
    parts = {
        note.id: restored_parts(
            {number: -entry.gross_minor for number, entry in enumerate(note.lines, start=1)},
            [entry.part for entry in prepaid.get(note.id, ())],
            elsewhere_minor=elsewhere_minor[note.id],
        )
        for note in notes
    }
    asked = [RestoredPayment(part.use_id, part.paid_minor) for found in parts.values() for part in found]
    if not asked:
        return [*notes]
    amounts: dict[WalletUseId, Decimal] = dict.fromkeys((use_id for use_id, _ in asked), Decimal(0))
    for _, movement in restore_payments(uow, asked, now=now, actor=actor, reason=reason):
        if movement.kind == "restored" and movement.use_id is not None:
            amounts[movement.use_id] += movement.amount
    by_use = {entry.part.use_id: entry for entries in prepaid.values() for entry in entries}
    return [
        replace(note, wallet_payments=tuple(_given_back(part, by_use[part.use_id], amounts) for part in parts[note.id]))
        for note in notes
    ]


def _given_back(part: PaidPart, prepaid: Prepaid, amounts: Mapping[WalletUseId, Decimal]) -> WalletPayment:
    return WalletPayment(
        max(1, part.line_no), prepaid.wallet_id, part.use_id, prepaid.unit, -amounts[part.use_id], -part.paid_minor
    )


def _settled_notes(
    uow: UnitOfWork, notes: Sequence[Draft], owners: Collection[CustomerId], *, at: datetime
) -> list[Draft]:
    """Return credit notes of settlements with what goes back to the wallets that had paid for their lines."""
    asked = [
        (place, number, entry.line.key)
        for place, note in enumerate(notes)
        for number, entry in enumerate(note.lines, start=1)
        if isinstance(entry.line.key, Key) and entry.line.amount_minor < 0
    ]
    if not asked:
        return [*notes]
    rows = uow.fetch_all(
        _PREPAID_OF_KEYS,
        [
            [place for place, _, _ in asked],
            [number for _, number, _ in asked],
            [key.item_id for _, _, key in asked],
            [key.charge_id for _, _, key in asked],
            [key.period.start for _, _, key in asked],
            [key.dimension for _, _, key in asked],
        ],
    )
    prepaid: dict[InvoiceId, list[Prepaid]] = defaultdict(list)
    for place, wallet_id, unit, *part in rows:
        prepaid[notes[place].id].append(Prepaid(PaidPart(*part), wallet_id, unit))
    if prepaid:
        lock_wallets_of(uow, owners)  # also those that pay next
    return restored_notes(
        uow,
        notes,
        prepaid,
        elsewhere_minor={note.id: -note.total_minor for note in notes},
        now=at,
        actor="settlement",
        reason="given back by a credit note",
    )


def _lines_to_pay(draft: Draft, charges: Mapping[ChargeId, Charge]) -> Iterator[tuple[int, LineToPay]]:
    of_lines = [_charge_of(entry.line, charges) for entry in draft.lines]
    metrics = [None if charge is None else charge.metric for charge in of_lines]
    payable = payable_minor(
        [LineToLower(entry.gross_minor, metric is not None) for entry, metric in zip(draft.lines, metrics, strict=True)]
    )
    for number, (entry, charge, metric, amount_minor) in enumerate(
        zip(draft.lines, of_lines, metrics, payable, strict=True), start=1
    ):
        if amount_minor:
            yield (
                number,
                LineToPay(
                    key=f"{to_wire('inv', draft.id)}/{number}",
                    customer_id=draft.customer_id,
                    currency=draft.currency,
                    amount_minor=amount_minor,
                    feature=metric,
                    period_end=entry.line.key.period.end,
                    is_metered=metric is not None,
                    charge=None if charge is None else charge.code,
                ),
            )


def _charge_of(line: Line, charges: Mapping[ChargeId, Charge]) -> Charge | None:
    return charges[line.key.charge_id] if isinstance(line.key, Key) else None


_PREPAID_OF_INVOICE: Final = """
    select own.wallet_id, own.unit, own.line_no, own.use_id, sum(p.paid_minor)::bigint
    from wallet_payments own
    join wallets w on w.id = own.wallet_id
    join wallet_payments p on p.use_id = own.use_id
    where own.invoice_id = %s and own.paid_minor > 0
    group by own.wallet_id, own.unit, own.line_no, own.use_id, w.opened_at, w.code
    having sum(p.paid_minor) > 0 order by own.line_no, w.opened_at, w.code
"""

_PREPAID_OF_KEYS: Final = """
    select k.place, own.wallet_id, own.unit, k.line_no, own.use_id, sum(p.paid_minor)::bigint
    from unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[])
        as k (place, line_no, item_id, charge_id, period_start, dimension)
    join invoice_lines l on l.item_id = k.item_id and l.charge_id = k.charge_id
        and l.period_start = k.period_start and l.dimension = k.dimension
    join wallet_payments own on own.invoice_id = l.invoice_id and own.line_no = l.line_no and own.paid_minor > 0
    join wallets w on w.id = own.wallet_id
    join wallet_payments p on p.use_id = own.use_id
    group by k.place, own.wallet_id, own.unit, k.line_no, own.use_id, l.issued_at, w.opened_at, w.code
    having sum(p.paid_minor) > 0 order by k.place, k.line_no, l.issued_at, w.opened_at, w.code
"""
