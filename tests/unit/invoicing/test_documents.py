"""Documents: the worked tables of their page, ids that repeat, transfers that balance, and a digest that tells."""

import hashlib
from dataclasses import fields, replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.invoicing.model import AdjustmentKey, DocumentKind, Draft, Line, TaxedLine, TaxShare, WalletPayment
from tenor.invoicing.rules.documents import Occasion, Party, document_digest, draft_documents, transfers_of
from tenor.invoicing.store import INVOICE_COLUMNS, invoice_row, line_rows
from tenor.kernel.ids import (
    AdjustmentId,
    BillRunId,
    ChargeId,
    CustomerId,
    InvoiceId,
    ItemId,
    SubscriptionId,
    WalletId,
    WalletUseId,
)
from tenor.kernel.money import AmountTooLarge
from tenor.pricing.model import TaxMode
from tenor.taxes.model import TaxRounding
from tests.support.invoicing import at, key, span, taxed_at
from tests.support.worked_tables import worked_table

PAGE = "algorithms/owed.md"
RUN = BillRunId(UUID(int=900))
NOON = at("2026-06-01T12:00:00Z")
JUNE = key("base", "2026-06-01", "2026-07-01")


def party(*, tax_percent: str = "19", tax_mode: TaxMode = TaxMode.EXCLUSIVE) -> Party:
    return Party(
        customer_id=CustomerId(UUID(int=8)),
        subscription_id=SubscriptionId(UUID(int=7)),
        currency="EUR",
        tax_mode=tax_mode,
        rates=taxed_at(Decimal(tax_percent)),
        tax_rounding=TaxRounding(),
    )


def line(amount_minor: int, *, due: str = "2026-06-01", ahead: bool = False) -> Line:
    return Line(JUNE, amount_minor, at(due), is_deferred=ahead, description="Base", trace={})


def draft_of(*lines: Line, of: Party | None = None) -> Draft:
    (draft,) = draft_documents(lines, of or party(), Occasion(NOON, NOON, RUN))
    return draft


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))


@pytest.mark.parametrize("row", worked_table(PAGE, "Documents"), ids="-".join)
def test_documents(row: list[str]) -> None:
    amounts, prices, percent, net, tax, total, kind, _ = row

    draft = draft_of(
        *(line(minor(amount)) for amount in amounts.split(", ")),
        of=party(tax_percent=percent, tax_mode=TaxMode(prices)),
    )

    assert (draft.net_minor, draft.tax_minor, draft.total_minor) == (minor(net), minor(tax), minor(total))
    assert draft.kind is DocumentKind(kind)
    assert draft.due_minor == max(0, minor(total))


def test_three_missed_months_are_three_documents_in_the_order_of_time() -> None:
    lines = [line(300, due="2026-08-01"), line(100), line(200, due="2026-07-01"), line(50)]

    drafts = draft_documents(lines, party(tax_percent="0"), Occasion(at("2026-08-20"), NOON, RUN))

    assert [(draft.billed_for, draft.total_minor) for draft in drafts] == [
        (at("2026-06-01"), 150),
        (at("2026-07-01"), 200),
        (at("2026-08-01"), 300),
    ]
    assert {draft.issued_at for draft in drafts} == {at("2026-08-20")}
    # Lines of one document keep the order in which they were settled.
    assert [entry.line.amount_minor for entry in drafts[0].lines] == [100, 50]


def test_no_lines_are_no_document() -> None:
    assert draft_documents([], party(), Occasion(NOON, NOON, RUN)) == []


def test_a_repeated_run_makes_the_same_documents() -> None:
    lines = [line(100), line(200, due="2026-07-01")]

    one, again = (draft_documents(lines, party(), Occasion(NOON, NOON, RUN)) for _ in range(2))

    assert one == again
    assert one[0].id != one[1].id
    assert [transfers_of(draft) for draft in one] == [transfers_of(draft) for draft in again]


def test_a_second_run_as_of_the_same_instant_makes_other_documents() -> None:
    """Usage that comes late is billed by another run, perhaps as of the same instant: its document is a new one."""
    first = draft_documents([line(100)], party(), Occasion(NOON, NOON, RUN))
    second = draft_documents([line(20)], party(), Occasion(NOON, NOON, BillRunId(UUID(int=901))))

    assert first[0].id != second[0].id


def test_documents_of_two_subscriptions_have_two_ids() -> None:
    other = replace(party(), subscription_id=SubscriptionId(UUID(int=70)))

    assert draft_of(line(100)).id != draft_of(line(100), of=other).id


def test_a_total_that_the_ledger_cannot_hold_is_refused() -> None:
    with pytest.raises(AmountTooLarge):
        draft_of(line(2**61), line(2**61), of=party(tax_percent="0"))


@pytest.mark.parametrize("row", worked_table(PAGE, "In the ledger"), ids="-".join)
def test_transfers(row: list[str]) -> None:
    amounts, ahead, percent, drawn, expected = row
    lines = [line(minor(amount), ahead=ahead == "yes") for amount in amounts.split(", ")]
    draft = replace(draft_of(*lines, of=party(tax_percent=percent)), credit_applied_minor=minor(drawn))

    found = [
        f"{transfer.debit} > {transfer.credit} {transfer.amount_minor // 100}.{transfer.amount_minor % 100:02}"
        for transfer in transfers_of(draft)
    ]

    assert found == [words for words in expected.split(", ") if words]


def test_lines_ahead_and_lines_for_services_rendered_go_to_two_accounts() -> None:
    draft = draft_of(line(10_000, ahead=True), line(-2_500, ahead=True), line(3_000), of=party(tax_percent="0"))

    assert [(one.kind, one.debit, one.credit, one.amount_minor) for one in transfers_of(draft)] == [
        ("revenue", "receivable", "revenue", 3_000),
        ("deferred_revenue", "receivable", "deferred_revenue", 7_500),
    ]


def test_inclusive_lines_are_booked_without_their_tax() -> None:
    draft = draft_of(line(11_900), of=party(tax_mode=TaxMode.INCLUSIVE))

    assert [(one.kind, one.amount_minor) for one in transfers_of(draft)] == [("revenue", 10_000), ("tax", 1_900)]


lines_of_any_sign = st.lists(
    st.builds(lambda minor, ahead: line(minor, ahead=ahead), st.integers(-10_000, 10_000), st.booleans()),
    min_size=1,
    max_size=5,
)
percents = st.decimals(min_value=0, max_value=30, places=3).map(str)


@settings(max_examples=100, deadline=None)
@given(lines_of_any_sign, percents, st.sampled_from(TaxMode), st.integers(0, 5_000))
def test_a_document_moves_the_receivable_by_what_is_due_and_balances(
    lines: list[Line], percent: str, mode: TaxMode, credit: int
) -> None:
    fresh = draft_of(*lines, of=party(tax_percent=percent, tax_mode=mode))
    draft = replace(fresh, credit_applied_minor=min(credit, fresh.due_minor))

    transfers = transfers_of(draft)

    change = {"receivable": 0, "customer_credit": 0, "tax_payable": 0, "revenue": 0, "deferred_revenue": 0}
    for transfer in transfers:
        assert transfer.amount_minor > 0
        change[transfer.debit] += transfer.amount_minor
        change[transfer.credit] -= transfer.amount_minor
    assert change["receivable"] == draft.due_minor
    assert change["tax_payable"] == -draft.tax_minor
    assert change["revenue"] + change["deferred_revenue"] == -draft.net_minor
    assert change["customer_credit"] == draft.credit_applied_minor - max(0, -draft.total_minor)
    assert sum(change.values()) == 0
    assert len({transfer.id for transfer in transfers}) == len(transfers)


@settings(max_examples=100, deadline=None)
@given(st.integers(-10_000, 10_000), percents, st.sampled_from(TaxMode))
def test_a_line_given_back_gives_back_its_tax(amount_minor: int, percent: str, mode: TaxMode) -> None:
    charged, returned = (
        draft_of(line(sign * amount_minor), of=party(tax_percent=percent, tax_mode=mode)) for sign in (1, -1)
    )

    assert (charged.net_minor, charged.tax_minor) == (-returned.net_minor, -returned.tax_minor)


DRAFT = draft_of(line(10_000, ahead=True), line(2_000))
CHANGED_HEADS: dict[str, Draft] = {
    "kind": replace(DRAFT, kind=DocumentKind.CREDIT_NOTE),
    "customer_id": replace(DRAFT, customer_id=CustomerId(UUID(int=9))),
    "subscription_id": replace(DRAFT, subscription_id=SubscriptionId(UUID(int=9))),
    "currency": replace(DRAFT, currency="USD"),
    "tax_mode": replace(DRAFT, tax_mode=TaxMode.INCLUSIVE),
    "tax_percent": replace(DRAFT, tax_percent=Decimal("19.000001")),
    "issued_at": replace(DRAFT, issued_at=DRAFT.issued_at + timedelta(microseconds=1)),
    "billed_for": replace(DRAFT, billed_for=DRAFT.billed_for + timedelta(microseconds=1)),
    "net_minor": replace(DRAFT, net_minor=DRAFT.net_minor + 1),
    "tax_minor": replace(DRAFT, tax_minor=DRAFT.tax_minor - 1),
    "credit_applied_minor": replace(DRAFT, credit_applied_minor=1),
    "due_on": replace(DRAFT, due_on=date(2026, 7, 1)),
    "po_number": replace(DRAFT, po_number="PO 1"),
    "credits_invoice_id": replace(DRAFT, credits_invoice_id=InvoiceId(UUID(int=4))),
    "settles": replace(DRAFT, settles="refund"),
    "tax_note": replace(DRAFT, tax_note="reverse charge"),
    "wallet_payments": replace(
        DRAFT,
        wallet_payments=(WalletPayment(1, WalletId(UUID(int=6)), WalletUseId(UUID(int=7)), "tokens", Decimal(5), 1),),
    ),
}
NOT_IN_THE_DIGEST = {"id", "run_id", "lines"}
FIRST = DRAFT.lines[0].line
CHANGED_LINES: dict[str, TaxedLine] = {
    "item": TaxedLine(FIRST._replace(key=JUNE._replace(item_id=ItemId(UUID(int=2)))), 1_900, 0),
    "charge": TaxedLine(FIRST._replace(key=JUNE._replace(charge_id=ChargeId(UUID(int=2)))), 1_900, 0),
    "dimension": TaxedLine(FIRST._replace(key=JUNE._replace(dimension="large")), 1_900, 0),
    "start": TaxedLine(FIRST._replace(key=JUNE._replace(period=span("2026-06-02", "2026-07-01"))), 1_900, 0),
    "end": TaxedLine(FIRST._replace(key=JUNE._replace(period=span("2026-06-01", "2026-07-02"))), 1_900, 0),
    "description": TaxedLine(FIRST._replace(description="base"), 1_900, 0),
    "amount": TaxedLine(FIRST._replace(amount_minor=10_001), 1_900, 0),
    "tax": TaxedLine(FIRST, 1_901, 0),
    "account": TaxedLine(FIRST._replace(is_deferred=False), 1_900, 0),
    "adjustment": TaxedLine(FIRST._replace(key=AdjustmentKey(AdjustmentId(UUID(int=5)), JUNE.period)), 1_900, 0),
    "taxes": TaxedLine(FIRST, 1_900, 0, (TaxShare("VAT", "DE", Decimal(19), is_inclusive=False, amount_minor=1_900),)),
    "category": TaxedLine(FIRST._replace(tax_category="books"), 1_900, 0),
}


def digest_of(draft: Draft, *, series: str = "INV", number: int = 12) -> bytes:
    row = invoice_row(draft, line_rows(draft), series, number)
    digest: bytes = row[[name for name, _ in INVOICE_COLUMNS].index("digest")]
    return digest


def test_every_field_of_a_draft_is_either_in_its_digest_or_known_not_to_be() -> None:
    assert CHANGED_HEADS.keys() | NOT_IN_THE_DIGEST == {field.name for field in fields(Draft)}


@pytest.mark.parametrize("name", CHANGED_HEADS)
def test_a_changed_head_changes_the_digest(name: str) -> None:
    assert digest_of(CHANGED_HEADS[name]) != digest_of(DRAFT)


@pytest.mark.parametrize("name", CHANGED_LINES)
def test_a_changed_line_changes_the_digest(name: str) -> None:
    changed = replace(DRAFT, lines=(CHANGED_LINES[name], DRAFT.lines[1]))

    assert digest_of(changed) != digest_of(DRAFT)


def test_a_line_that_is_lost_doubled_or_moved_changes_the_digest() -> None:
    first, second = DRAFT.lines
    others = [replace(DRAFT, lines=lines) for lines in ((), (first,), (second, first), (first, second, second))]

    assert len({digest_of(draft) for draft in (DRAFT, *others)}) == 5


def test_another_number_or_series_changes_the_digest() -> None:
    assert len({digest_of(DRAFT), digest_of(DRAFT, number=13), digest_of(DRAFT, series="CN")}) == 3


def test_the_canonical_text_is_what_it_was() -> None:
    """Every stored digest rests on this text: who changes it makes every issued document look forged."""
    customer, subscription = UUID(int=8), UUID(int=7)
    canonical = (
        '["invoice","INV",12,'
        f'["{customer}","{subscription}","EUR","exclusive","19","2026-06-01T12:00:00Z",null,-5],'
        '[1,"Gebühr \\"A\\"",true,{"a":"1","units":"2"}]]'
    )

    digest = document_digest(
        kind="invoice",
        series="INV",
        number=12,
        head=[customer, subscription, "EUR", TaxMode.EXCLUSIVE, Decimal("19"), NOON, None, -5],
        lines=[[1, 'Gebühr "A"', True, {"units": "2", "a": "1"}]],
    )

    assert digest == hashlib.sha256(canonical.encode()).digest()


values = st.text(max_size=5) | st.integers(-9, 9) | st.booleans() | st.none() | st.datetimes(timezones=st.just(UTC))
documents = st.lists(st.lists(values, min_size=1, max_size=3), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(documents, st.data())
def test_one_changed_value_anywhere_changes_the_digest(document: list[list[Any]], data: st.DataObject) -> None:
    def digest(rows: list[list[Any]]) -> bytes:
        return document_digest(kind="invoice", series="INV", number=1, head=rows[0], lines=rows[1:])

    row = data.draw(st.integers(0, len(document) - 1))
    column = data.draw(st.integers(0, len(document[row]) - 1))
    old, new = document[row][column], data.draw(values)
    changed = [list(cells) for cells in document]
    changed[row][column] = new

    # 1 and True are one value to Python, but not on a document.
    is_same = old == new and type(old) is type(new)
    assert (digest(changed) == digest(document)) == is_same


def test_a_credit_note_asks_for_nothing() -> None:
    draft = draft_of(line(-10_000))

    assert (draft.total_minor, draft.due_minor) == (-11_900, 0)
