"""Life of a document: every legal move is one row of `DOCUMENT_MOVES`; nothing else assigns a status.

Two moves need more than the status, and `voided_status` asks for it. A paid document cannot be voided: its
payment is reversed first, by a refund or by the bank, which opens it again. A document whose lines were given
back on a later one cannot be voided either: what it billed would be given back twice.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tenor.kernel.errors import Conflict


class DocumentStatus(StrEnum):
    """Where a document stands."""

    DRAFT = "draft"  # has no number yet and can still change
    FINALIZED = "finalized"  # has its number, and is open while something is due
    PAID = "paid"  # nothing is due any more
    VOID = "void"  # taken back whole, its number kept
    UNCOLLECTIBLE = "uncollectible"  # written off, nobody expects the payment any more


class DocumentTrigger(StrEnum):
    """What makes a document move."""

    FINALISED = "finalised"
    PAYMENT_SETTLED = "payment_settled"  # the last that was due is paid, credited or drawn from the balance
    PAYMENT_REVERSED = "payment_reversed"  # refunded without a credit note, charged back or bounced
    WRITTEN_OFF = "written_off"
    RECOVERED = "recovered"  # written off, and paid after all
    VOIDED = "voided"


class DocumentMoveRefused(Conflict):
    """A move that the life of a document does not know."""

    code = "document_move_refused"


class DocumentGivenBack(Conflict):
    """A document that cannot be voided, because a later document has given some of its lines back."""

    code = "document_given_back"


DOCUMENT_MOVES: Final[Mapping[tuple[DocumentStatus, DocumentTrigger], DocumentStatus]] = MappingProxyType(
    {
        (DocumentStatus.DRAFT, DocumentTrigger.FINALISED): DocumentStatus.FINALIZED,
        (DocumentStatus.DRAFT, DocumentTrigger.VOIDED): DocumentStatus.VOID,
        (DocumentStatus.FINALIZED, DocumentTrigger.PAYMENT_SETTLED): DocumentStatus.PAID,
        (DocumentStatus.FINALIZED, DocumentTrigger.WRITTEN_OFF): DocumentStatus.UNCOLLECTIBLE,
        (DocumentStatus.FINALIZED, DocumentTrigger.VOIDED): DocumentStatus.VOID,
        (DocumentStatus.PAID, DocumentTrigger.PAYMENT_REVERSED): DocumentStatus.FINALIZED,
        (DocumentStatus.UNCOLLECTIBLE, DocumentTrigger.RECOVERED): DocumentStatus.PAID,
        (DocumentStatus.UNCOLLECTIBLE, DocumentTrigger.VOIDED): DocumentStatus.VOID,
    }
)


def next_document_status(status: DocumentStatus, trigger: DocumentTrigger) -> DocumentStatus:
    """Return where `trigger` leads from `status`.

    Raises:
        DocumentMoveRefused: the pair is not a row of `DOCUMENT_MOVES`.
    """
    try:
        return DOCUMENT_MOVES[status, trigger]
    except KeyError:
        known = ", ".join(move for state, move in DOCUMENT_MOVES if state is status) or "nothing; it is terminal"
        raise DocumentMoveRefused(
            f"a document that is {status} cannot be moved by {trigger}; it can by {known}",
            status=status.value,
            trigger=trigger.value,
        ) from None


def voided_status(status: DocumentStatus, *, given_back_on: Sequence[str]) -> DocumentStatus:
    """Return where voiding leads from `status`; `given_back_on` names the later documents that credit its lines.

    Raises:
        DocumentGivenBack: there is such a document; it must be voided first, or the rest be credited.
        DocumentMoveRefused: a document in this status cannot be voided; a paid one must be refunded first.
    """
    if given_back_on:
        raise DocumentGivenBack(
            f"lines of this document were given back on {', '.join(given_back_on)}; "
            "void that first, or credit what is left",
            given_back_on=list(given_back_on),
        )
    return next_document_status(status, DocumentTrigger.VOIDED)
