"""Quotes: what makes two sets of documents the same offer."""

import hashlib
from collections.abc import Sequence

import msgspec

from tenor.invoicing.model import Draft


def quote_digest(drafts: Sequence[Draft]) -> bytes:
    """Return the SHA-256 of what a customer is asked to agree to: every amount, what for, and when to pay.

    It leaves out what no customer agrees to: ids, numbers and the credit that is there by chance.
    """
    text = msgspec.json.encode(
        [
            [
                draft.kind.value,
                draft.currency,
                draft.tax_mode.value,
                draft.net_minor,
                draft.tax_minor,
                draft.due_on,
                [
                    [
                        entry.line.description,
                        entry.line.amount_minor,
                        entry.tax_minor,
                        list(entry.line.key.period),
                        entry.line.trace,
                    ]
                    for entry in draft.lines
                ],
            ]
            for draft in drafts
        ],
        order="deterministic",
    )
    return hashlib.sha256(text).digest()
