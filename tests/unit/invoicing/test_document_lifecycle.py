"""Life of a document: each pair leads where the design says, or is refused."""

import pytest

from tenor.invoicing.rules.lifecycle import (
    DOCUMENT_MOVES,
    DocumentGivenBack,
    DocumentMoveRefused,
    DocumentStatus,
    DocumentTrigger,
    next_document_status,
    voided_status,
)

EXPECTED: dict[str, dict[str, str]] = {
    "draft": {"finalised": "finalized", "voided": "void"},
    "finalized": {"payment_settled": "paid", "written_off": "uncollectible", "voided": "void"},
    "paid": {"payment_reversed": "finalized"},
    "uncollectible": {"recovered": "paid", "voided": "void"},
    "void": {},
}
PAIRS = [(status, trigger) for status in DocumentStatus for trigger in DocumentTrigger]


def test_there_are_five_states_and_the_expected_rows() -> None:
    assert {status.value for status in DocumentStatus} == set(EXPECTED)
    assert len(DOCUMENT_MOVES) == 8  # 2 + 3 + 1 + 2 + 0


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_each_pair_leads_where_the_design_says_or_is_refused(status: DocumentStatus, trigger: DocumentTrigger) -> None:
    target = EXPECTED[status].get(trigger)

    if target is None:
        with pytest.raises(DocumentMoveRefused) as refusal:
            next_document_status(status, trigger)
        assert refusal.value.code == "document_move_refused"
        assert refusal.value.details == {"status": status.value, "trigger": trigger.value}
    else:
        assert next_document_status(status, trigger) == target


def test_every_state_is_reached_from_a_draft_and_every_trigger_is_used() -> None:
    reached = {DocumentStatus.DRAFT}
    while more := {target for (source, _), target in DOCUMENT_MOVES.items() if source in reached} - reached:
        reached |= more

    assert reached == set(DocumentStatus)
    assert {trigger for _, trigger in DOCUMENT_MOVES} == set(DocumentTrigger)


def test_a_paid_document_is_voided_only_after_its_payment_was_reversed() -> None:
    with pytest.raises(DocumentMoveRefused, match="payment_reversed"):
        voided_status(DocumentStatus.PAID, given_back_on=[])

    reopened = next_document_status(DocumentStatus.PAID, DocumentTrigger.PAYMENT_REVERSED)

    assert voided_status(reopened, given_back_on=[]) is DocumentStatus.VOID


def test_a_document_whose_lines_were_given_back_is_not_voided() -> None:
    with pytest.raises(DocumentGivenBack, match="CN-7, CN-9") as refusal:
        voided_status(DocumentStatus.FINALIZED, given_back_on=["CN-7", "CN-9"])

    assert refusal.value.code == "document_given_back"
    assert refusal.value.details == {"given_back_on": ["CN-7", "CN-9"]}
