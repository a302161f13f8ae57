"""Receivables: what is due is open, paid, credited or written off, and never more than once."""

from datetime import date
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.rules.lifecycle import DocumentMoveRefused, DocumentStatus
from tenor.invoicing.rules.receivable import DocumentPaid, NothingOpen, Receivable, discharged, voided, written_off
from tenor.kernel.ids import CustomerId, InvoiceId

OPEN = Receivable(
    InvoiceId(UUID(int=1)), "INV-1", CustomerId(UUID(int=2)), "EUR", DocumentStatus.FINALIZED, due_minor=100_00
)


def test_the_last_cent_pays_a_document() -> None:
    almost = discharged(OPEN, 99_99, by="paid").receivable
    whole = discharged(almost, 1, by="credited").receivable

    assert (almost.status, almost.open_minor) == (DocumentStatus.FINALIZED, 1)
    assert (whole.status, whole.paid_minor, whole.credited_minor) == (DocumentStatus.PAID, 99_99, 1)


def test_money_takes_what_is_open_before_what_was_lost() -> None:
    """100.00 due, 30.00 paid, 70.00 lost; 20.00 come after all, then the rest of 50.00."""
    lost = written_off(discharged(OPEN, 30_00, by="paid").receivable)
    some = discharged(lost, 20_00, by="paid")
    rest = discharged(some.receivable, 50_00, by="paid")

    assert (lost.status, lost.open_minor, lost.collectable_minor) == (DocumentStatus.UNCOLLECTIBLE, 0, 70_00)
    assert (some.recovered_minor, some.receivable.written_off_minor) == (20_00, 50_00)
    assert (rest.recovered_minor, rest.receivable.status) == (50_00, DocumentStatus.PAID)


def test_a_void_document_is_discharged_whole_without_money() -> None:
    after = voided(written_off(OPEN), given_back_on=[])

    assert (after.receivable.status, after.receivable.credited_minor, after.recovered_minor) == (
        DocumentStatus.VOID,
        100_00,
        100_00,
    )
    with pytest.raises(DocumentMoveRefused):
        voided(after.receivable, given_back_on=[])
    with pytest.raises(DocumentPaid):
        voided(discharged(OPEN, 1, by="paid").receivable, given_back_on=[])
    with pytest.raises(NothingOpen):
        written_off(after.receivable)


@pytest.mark.parametrize("amount_minor", [-1, 100_01])
def test_more_than_is_collectable_is_an_error_of_the_caller(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="cannot be discharged"):
        discharged(OPEN, amount_minor, by="paid")


@pytest.mark.parametrize(
    ("receivable", "day", "said"),
    [
        (OPEN, 31, "open"),
        (OPEN, 32, "overdue"),
        (OPEN._replace(due_minor=0), 32, "paid"),  # drawn from credit whole
        (written_off(OPEN), 32, "written off"),
        (discharged(OPEN, 100_00, by="paid").receivable, 32, "paid"),
        (voided(OPEN, given_back_on=[]).receivable, 32, "void"),
    ],
)
def test_it_says_how_it_stands(receivable: Receivable, day: int, said: str) -> None:
    on = date.fromordinal(date(2026, 1, 1).toordinal() + day - 1)

    assert receivable.shown(due_on=date(2026, 1, 31), on=on) == said


Step = tuple[Literal["paid", "credited", "lost"], int]
STEPS = st.lists(st.tuples(st.sampled_from(["paid", "credited", "lost"]), st.integers(1, 60_00)), max_size=8)


@settings(max_examples=200)
@given(STEPS)
def test_what_is_due_is_conserved(steps: list[Step]) -> None:
    receivable, recovered, lost = OPEN, 0, 0
    for kind, amount_minor in steps:
        if kind == "lost":
            if receivable.open_minor and receivable.status is DocumentStatus.FINALIZED:
                lost += receivable.open_minor
                receivable = written_off(receivable)
            continue
        part_minor = min(amount_minor, receivable.collectable_minor)
        if part_minor:
            receivable, back = discharged(receivable, part_minor, by=kind)
            recovered += back
        assert receivable.open_minor >= 0
        parts = receivable.paid_minor + receivable.credited_minor + receivable.written_off_minor
        assert parts + receivable.open_minor == 100_00
        assert receivable.written_off_minor == lost - recovered
        assert (receivable.status is DocumentStatus.PAID) == (receivable.collectable_minor == 0)
