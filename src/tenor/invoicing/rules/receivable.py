"""Receivables: what is due on an invoice, how far it is discharged, and what each payment or credit makes of it."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

from tenor.invoicing.rules.lifecycle import DocumentStatus, DocumentTrigger, next_document_status, voided_status
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import CustomerId, InvoiceId
from tenor.kernel.money import format_minor

DischargedBy = Literal["paid", "credited"]


class NothingOpen(Conflict):
    """A document of which nothing is left to be paid or written off."""

    code = "nothing_open"


class DocumentPaid(Conflict):
    """A document that cannot be voided, because money was received for it."""

    code = "document_paid"


class Receivable(NamedTuple):
    """An invoice with what has become of its `due_minor`, in minor units.

    What is written off is no longer open, and can still be collected: a payment takes the write-off back.
    """

    id: InvoiceId
    name: str
    customer_id: CustomerId
    currency: str
    status: DocumentStatus
    due_minor: int
    paid_minor: int = 0
    credited_minor: int = 0
    written_off_minor: int = 0

    @property
    def collectable_minor(self) -> int:
        """What was neither paid nor credited."""
        return self.due_minor - self.paid_minor - self.credited_minor

    @property
    def open_minor(self) -> int:
        """What is still expected to be paid."""
        return self.collectable_minor - self.written_off_minor

    def shown(self, *, due_on: date | None, on: date) -> str:
        """Return how it stands for a reader on the day `on`: open, overdue, paid, void or written off."""
        match self.status:
            case DocumentStatus.UNCOLLECTIBLE:
                return "written off"
            case DocumentStatus.FINALIZED if not self.open_minor:
                return "paid"
            case DocumentStatus.FINALIZED:
                return "overdue" if due_on is not None and due_on < on else "open"
            case _:
                return self.status.value


class Discharge(NamedTuple):
    """A receivable after a discharge, and how much of what had been written off came back by it, in minor units."""

    receivable: Receivable
    recovered_minor: int


def discharged(receivable: Receivable, amount_minor: int, *, by: DischargedBy) -> Discharge:
    """Return the receivable after a payment or a credit of `amount_minor`, from 0 to what is collectable.

    It takes what is open first, and then what was written off.

    Raises:
        DocumentMoveRefused: the document is void, or a draft.
    """
    after = _reduced(receivable, amount_minor, by=by)
    if amount_minor and not after.receivable.collectable_minor:
        was_lost = receivable.status is DocumentStatus.UNCOLLECTIBLE
        trigger = DocumentTrigger.RECOVERED if was_lost else DocumentTrigger.PAYMENT_SETTLED
        status = next_document_status(receivable.status, trigger)
        after = after._replace(receivable=after.receivable._replace(status=status))
    return after


def voided(receivable: Receivable, *, given_back_on: Sequence[str]) -> Discharge:
    """Return the receivable of a document that is taken back whole; `given_back_on` names what gave back of it already.

    Raises:
        DocumentPaid: money was received for it.
        DocumentGivenBack: lines of it were given back on another document.
        DocumentMoveRefused: its status does not allow it.
    """
    if receivable.paid_minor:
        paid = format_minor(receivable.paid_minor, receivable.currency)
        raise DocumentPaid(
            f"{paid} {receivable.currency} was paid for {receivable.name}; credit it instead, and refund the credit",
            paid_minor=receivable.paid_minor,
        )
    status = voided_status(receivable.status, given_back_on=given_back_on)
    after = _reduced(receivable, receivable.collectable_minor, by="credited")
    return after._replace(receivable=after.receivable._replace(status=status))


def written_off(receivable: Receivable) -> Receivable:
    """Return the receivable of a document whose open rest is given up as lost.

    Raises:
        NothingOpen: there is no rest.
        DocumentMoveRefused: it is a draft.
    """
    if not receivable.open_minor:
        raise NothingOpen(f"nothing of {receivable.name} is open; it is {receivable.status}")
    status = next_document_status(receivable.status, DocumentTrigger.WRITTEN_OFF)
    lost_minor = receivable.written_off_minor + receivable.open_minor
    return receivable._replace(status=status, written_off_minor=lost_minor)


def _reduced(receivable: Receivable, amount_minor: int, *, by: DischargedBy) -> Discharge:
    if not 0 <= amount_minor <= receivable.collectable_minor:
        raise ValueError(f"{amount_minor} of {receivable.collectable_minor} minor units cannot be discharged")
    recovered_minor = max(0, amount_minor - receivable.open_minor)
    return Discharge(
        receivable._replace(
            paid_minor=receivable.paid_minor + (amount_minor if by == "paid" else 0),
            credited_minor=receivable.credited_minor + (amount_minor if by == "credited" else 0),
            written_off_minor=receivable.written_off_minor - recovered_minor,
        ),
        recovered_minor,
    )
