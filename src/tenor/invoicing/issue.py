"""Issue documents: write what they hold, give them their numbers, book them; all or nothing."""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

from tenor.invoicing.model import DocumentKind, Draft
from tenor.invoicing.rules.documents import transfers_of
from tenor.invoicing.store import (
    CLAIM_COLUMNS,
    INVOICE_COLUMNS,
    LINE_COLUMNS,
    WALLET_PAYMENT_COLUMNS,
    invoice_row,
    line_rows,
    take_numbers,
)
from tenor.kernel.ids import InvoiceId, derived_id, to_wire
from tenor.ledger import customer_credits, move_customer_credits, open_accounts, write_transfers
from tenor.platform.outbox import Event, copy_events, tell_subscribers
from tenor.platform.unit_of_work import UnitOfWork

SERIES: Final = {DocumentKind.INVOICE: "INV", DocumentKind.ONE_OFF: "INV", DocumentKind.CREDIT_NOTE: "CN"}
"""The number series of each kind of document: a one-off invoice is an invoice for the law."""

CreditAccount = tuple[UUID, str]
"""Whose credit, in which currency."""

DocumentLines = list[tuple[Any, ...]]
"""The lines of one document as they are written, rows of `LINE_COLUMNS`."""


class IssuedNumber(NamedTuple):
    """A document and the legal number that it took."""

    id: InvoiceId
    series: str
    number: int


def issue_documents(
    uow: UnitOfWork, drafts: Sequence[Draft], *, claims: Iterable[tuple[Any, ...]] = (), recorded_at: datetime
) -> list[IssuedNumber]:
    """Write documents with their lines, claims (rows of `CLAIM_COLUMNS`), transfers, events and numbers.

    Draws nothing: `draw_credit` says before what each document draws of its customer's credit.

    Raises:
        CreditGone: a draft draws credit that is not there.
    """
    lines = write_contents(uow, drafts, claims=claims, recorded_at=recorded_at)
    moved: dict[CreditAccount, int] = {}
    for draft in drafts:
        _move(moved, draft)
    move_customer_credits(uow, moved)
    return number_documents(uow, drafts, lines)


def write_contents(
    uow: UnitOfWork, drafts: Sequence[Draft], *, claims: Iterable[tuple[Any, ...]], recorded_at: datetime
) -> list[DocumentLines]:
    """Write all of the documents but the rows that bear their numbers, which must follow in this transaction.

    Returns the lines of each document, whose digest covers them.
    """
    lines = [line_rows(draft) for draft in drafts]
    accounts = open_accounts(uow, {draft.currency for draft in drafts})
    uow.copy_rows("invoice_lines", LINE_COLUMNS, chain.from_iterable(lines))
    uow.copy_rows("claims", CLAIM_COLUMNS, claims)
    if any(draft.wallet_payments for draft in drafts):
        payments = ((draft.id, *payment) for draft in drafts for payment in draft.wallet_payments)
        uow.copy_rows("wallet_payments", WALLET_PAYMENT_COLUMNS, payments)
    write_transfers(uow, [transfer for draft in drafts for transfer in transfers_of(draft)], accounts)
    events = ((derived_id(draft.issued_at, draft.id.bytes, b"finalised"), _finalised(draft)) for draft in drafts)
    copy_events(uow, events, recorded_at=recorded_at)
    return lines


def number_documents(uow: UnitOfWork, drafts: Sequence[Draft], lines: Sequence[DocumentLines]) -> list[IssuedNumber]:
    """Give documents the next numbers of their series, in their order, and write the rows that bear them.

    `lines` is what `write_contents` returned for them.

    Now they are finalised, and subscribers are told so. The series stay locked until the transaction ends.
    """
    counts = {
        series: sum(SERIES[draft.kind] == series for draft in drafts) for series in dict.fromkeys(SERIES.values())
    }
    numbers = take_numbers(uow, counts)
    rows, issued = [], []
    for draft, its_lines in zip(drafts, lines, strict=True):
        series = SERIES[draft.kind]
        rows.append(invoice_row(draft, its_lines, series, numbers[series]))
        issued.append(IssuedNumber(draft.id, series, numbers[series]))
        numbers[series] += 1
    uow.copy_rows("invoices", INVOICE_COLUMNS, rows)
    followed = {kind for kind in DocumentKind if f"{kind.value}.finalised" in uow.subscribers}
    tell_subscribers(uow, (_finalised(draft) for draft in drafts if draft.kind in followed))
    return issued


def draw_credit(uow: UnitOfWork, drafts: Sequence[Draft]) -> list[Draft]:
    """Return documents with the credit that they draw, in their order."""
    customers = list({draft.customer_id for draft in drafts})
    drawn, _ = with_credit(drafts, customer_credits(uow, customers))
    return drawn


def with_credit(
    drafts: Sequence[Draft], available: Mapping[CreditAccount, int]
) -> tuple[list[Draft], dict[CreditAccount, int]]:
    """Return documents with the credit that they draw, in their order, and how each credit moves.

    Credit notes come first: nobody is asked for what the same documents give back.
    """
    rest = dict(available)
    moved: dict[CreditAccount, int] = {}
    found = list(drafts)
    for place in sorted(range(len(found)), key=lambda place: found[place].kind is not DocumentKind.CREDIT_NOTE):
        draft = found[place]
        account = (draft.customer_id, draft.currency)
        drawn = min(rest.get(account, 0), max(0, draft.charged_minor))
        if drawn:
            draft = found[place] = replace(draft, credit_applied_minor=drawn)
        rest[account] = rest.get(account, 0) + _move(moved, draft)
    return found, moved


def _move(moved: MutableMapping[CreditAccount, int], draft: Draft) -> int:
    """Add how a document moves its customer's credit to `moved`; return it."""
    if draft.kind is DocumentKind.CREDIT_NOTE:
        change = -draft.charged_minor if draft.settles == "balance" else 0
    else:
        change = -draft.credit_applied_minor
    if change:
        account = (draft.customer_id, draft.currency)
        moved[account] = moved.get(account, 0) + change
    return change


def _finalised(draft: Draft) -> Event:
    return Event(
        f"{draft.kind.value}.finalised",
        draft.id,
        {
            "kind": draft.kind.value,
            "customer_id": to_wire("cus", draft.customer_id),
            "subscription_id": None if draft.subscription_id is None else to_wire("sub", draft.subscription_id),
            "currency": draft.currency,
            "total_minor": draft.total_minor,
            "due_minor": draft.due_minor,
        },
        draft.issued_at,
    )
