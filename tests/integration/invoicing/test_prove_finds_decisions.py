"""Whatever a superuser changes in what people decided about documents, `prove` finds."""

from collections.abc import Iterator

import pytest

from tenor.invoicing import BillingSettingsChange, make_proforma, mark_refunded, request_refund, set_billing_settings
from tenor.platform.database import Database
from tests.integration.invoicing.test_prove_finds import plant
from tests.support.company import Company
from tests.support.documents import asking, charge, credit, doing, grant, lose, open_shop, pay, void
from tests.support.postgres import Server

PAYMENT = "(select id from payments where reference = 'wire 1')"
STATE = "(select id from invoices where series = 'INV' and number = 1)"

PLANTED = {
    "another amount in an adjustment": (
        ["update adjustments set amount_minor = amount_minor + 1 where kind = 'one_off'"],
        {"adjustment_differs"},
    ),
    "an adjustment that nobody has claimed": (
        ["delete from adjustment_claims where adjustment_id = (select id from adjustments where kind = 'sla_credit')"],
        {"adjustment_differs"},
    ),
    "a claim of another document": (
        [
            """
            update adjustment_claims set invoice_id = (select id from invoices where series = 'INV' and number = 1)
            where adjustment_id = (select id from adjustments where kind = 'one_off' limit 1)
            """
        ],
        {"adjustment_differs"},
    ),
    "a payment of another amount": (
        [f"update payments set amount_minor = amount_minor + 1 where id = {PAYMENT}"],
        {"ledger_differs"},
    ),
    "a payment of less than it has paid": (
        [f"update payments set amount_minor = 1 where id = {PAYMENT}"],
        {"ledger_differs", "payment_exceeded"},
    ),
    "an allocation of another amount": (
        [f"update allocations set amount_minor = amount_minor - 1 where payment_id = {PAYMENT}"],
        {"ledger_differs", "document_state_differs"},
    ),
    "a payment that is gone": (
        [f"delete from payments where id = {PAYMENT}"],
        {"ledger_differs"},
    ),
    "a receipt that is gone": (
        [f"delete from receipts where payment_id = {PAYMENT}"],
        {"receipt_missing", "number_gap"},
    ),
    "a proforma that is gone": (
        ["delete from proformas"],
        {"number_gap"},
    ),
    "an invoice that says that more of it is paid": (
        [f"update document_states set paid_minor = paid_minor + 1 where invoice_id = {STATE}"],
        {"document_state_differs", "receivable_differs"},
    ),
    "an open invoice that says that it is paid": (
        [f"update document_states set status = 'paid' where invoice_id = {STATE}"],
        {"document_state_differs"},
    ),
    "an open invoice that says that it is void": (
        [f"update document_states set status = 'void' where invoice_id = {STATE}"],
        {"document_state_differs"},
    ),
    "a state that is gone": (
        ["delete from document_states where status = 'uncollectible'"],
        {"document_state_differs", "receivable_differs"},
    ),
    "a write-off of another amount": (
        ["update write_offs set amount_minor = amount_minor + 1"],
        {"ledger_differs", "document_state_differs"},
    ),
    "another amount in a waiver": (
        ["update waivers set amount_minor = amount_minor + 1 where reason = 'asked for'"],
        {"waiver_differs", "owed_differs"},
    ),
    "a waiver that is gone": (
        ["delete from waivers"],
        {"waiver_differs", "owed_differs"},
    ),
    "a refund that says that it was sent": (
        ["update refund_requests set status = 'done', done_at = requested_at where status = 'requested'"],
        {"ledger_differs"},
    ),
    "a refund of another amount": (
        ["update refund_requests set amount_minor = amount_minor + 1 where credit_note_id is not null"],
        {"refund_differs"},  # it was booked with its credit note, and is not sent yet
    ),
    "another part in the tax of a line": (
        [
            """
            update invoice_lines set taxes = '[{"name": "VAT", "jurisdiction": "DE", "percent": "19",
                "is_inclusive": false, "amount_minor": 1, "is_charged": true}]'
            where line_no = 1 and invoice_id = (select id from invoices where series = 'INV' and number = 1)
            """
        ],
        {"tax_parts_differ", "document_changed"},
    ),
    "another due date": (
        ["update invoices set due_on = due_on + 1 where series = 'INV' and number = 1"],
        {"document_changed"},
    ),
    "a credit note for another invoice": (
        [
            """
            update invoices set credits_invoice_id = (select id from invoices where series = 'INV' and number = 2)
            where credits_invoice_id = (select id from invoices where series = 'INV' and number = 1)
            """
        ],
        {"document_changed"},
    ),
}


@pytest.fixture(scope="module")
def furnished(server: Server, template: str) -> Iterator[tuple[Server, str, Company]]:
    """A company in which everything has happened that can happen to documents."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            furnish(company)
        yield server, name, company


@pytest.fixture
def shop(furnished: tuple[Server, str, Company]) -> Iterator[Company]:
    """A copy of the company."""
    server, template, original = furnished
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            yield Company(database, settings, original.tenant_id)


def furnish(company: Company) -> None:
    """INV-1 is partly credited and paid, INV-2 paid, INV-3 lost in part, INV-4 void; credits and refunds beside."""
    open_shop(company)
    credit(company, "INV-1", "2026-01-05", lines={1: 5_00})
    charge(company, "2026-01-06", 100_00)
    grant(company, "2026-01-07", 10_00, clause="4.2")
    pay(company, 130_00, "2026-01-08", "INV-2", reference="wire 1")
    pay(company, 1_00, "2026-01-08", "INV-1", reference="wire 2")
    ann = company.customer_of("ann")
    with company.work() as uow:
        request_refund(uow, ann, currency="EUR", amount_minor=5_00, key="r1", **doing("2026-01-09"))
        sent = request_refund(uow, ann, currency="EUR", amount_minor=15_00, key="r2", **doing("2026-01-09"))
        mark_refunded(uow, sent.id, reference="sepa", **doing("2026-01-10"))
        make_proforma(uow, [asking(company, 1_00, "Licence")], key="p", **doing("2026-01-10"))
        change = BillingSettingsChange(negative_total="refund")
        set_billing_settings(uow, ann, change, **doing("2026-01-11"))
    charge(company, "2026-01-12", 50_00, key="c2")
    lose(company, "INV-3", "2026-01-13")
    pay(company, 10_00, "2026-01-14", "INV-3")
    charge(company, "2026-01-15", 7_00, key="c3")
    void(company, "INV-4", "2026-01-16")
    grant(company, "2026-01-17", 3_00, key="g2")  # a credit note that is refunded


def test_it_finds_nothing_on_what_the_engine_wrote(shop: Company) -> None:
    shop.assert_proven()
    checked = shop.prove().checked
    assert {name: checked[name] for name in ("adjustments", "payments", "waivers", "document states")} == {
        "adjustments": 5,
        "payments": 3,
        "waivers": 1,
        "document states": 4,
    }


@pytest.mark.parametrize("what", PLANTED)
def test_it_finds(shop: Company, what: str) -> None:
    statements, codes = PLANTED[what]

    plant(shop, *statements)

    assert {finding.code for finding in shop.prove().findings} == codes
