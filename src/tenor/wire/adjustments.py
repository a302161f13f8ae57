"""What a person decides beside all plans, and money received, as JSON."""

from typing_extensions import TypedDict

from tenor.invoicing import Adjusted, Receipt
from tenor.kernel.ids import to_wire
from tenor.wire.forms import Amount, amount


class AdjustmentJson(TypedDict):
    """A one-off charge or credit; `document` null: it waits for the next one."""

    id: str
    kind: str
    amount: Amount
    currency: str
    document: str | None


class PaidJson(TypedDict):
    """What a payment has paid of one document."""

    document: str
    amount: Amount


class ReceiptJson(TypedDict):
    """A payment, what it has paid, and what of it went to the customer's credit."""

    id: str
    receipt: str
    amount: Amount
    currency: str
    paid: list[PaidJson]
    to_credit: Amount


def adjustment_json(adjusted: Adjusted) -> AdjustmentJson:
    """Return a one-off charge or credit."""
    adjustment, document = adjusted
    return AdjustmentJson(
        id=to_wire("adj", adjustment.id),
        kind=adjustment.kind.value,
        amount=amount(adjustment.amount_minor, adjustment.currency),
        currency=adjustment.currency,
        document=document,
    )


def receipt_json(receipt: Receipt) -> ReceiptJson:
    """Return a payment."""
    payment = receipt.payment
    return ReceiptJson(
        id=to_wire("pay", payment.id),
        receipt=receipt.name,
        amount=amount(payment.amount_minor, payment.currency),
        currency=payment.currency,
        paid=[
            PaidJson(document=document, amount=amount(minor, payment.currency))
            for document, minor in receipt.allocations
        ],
        to_credit=amount(receipt.to_credit_minor, payment.currency),
    )
