"""What people do to documents, in the words of a story: for one customer, ann, who pays in euros."""

from typing import Any, Final

from tenor.invoicing import (
    AdjustmentRequest,
    CreditNote,
    PaymentRequest,
    Receipt,
    charge_once,
    credit_invoice,
    grant_credit,
    record_payment,
    void_invoice,
    write_off,
)
from tenor.kernel.ids import InvoiceId
from tenor.kernel.money import format_minor
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.company import Company, instant

BOOK: Final = """\
price_book: main
currency: EUR
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5.03, quantity: 1}
  - code: basic
    name: Basic
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 31.00}]
"""


def open_shop(company: Company) -> None:
    """Sell ann the plan team from January 2026: INV-1 of 20.00 + 5.03, with 3.80 + 0.96 of tax, 29.79 in all."""
    company.sell(BOOK)
    company.customer("ann", tax_percent="19")
    company.subscribe("ann", "team", "2026-01-01")
    company.bill("2026-01-01")


def doing(on: str, reason: str = "asked for") -> dict[str, Any]:
    """Return what every operation is told besides its subject."""
    return {"now": instant(on), "actor": "test", "reason": reason}


def document_id(company: Company, name: str) -> InvoiceId:
    """Return the id of a document."""
    return InvoiceId(company.document(name).id)


def asking(company: Company, minor: int, description: str, **more: Any) -> AdjustmentRequest:
    """Return a request for ann."""
    return AdjustmentRequest(
        customer_id=company.customer_of("ann"), currency="EUR", amount_minor=minor, description=description, **more
    )


def charge(company: Company, on: str, minor: int, *, key: str = "c1", **more: Any) -> str | None:
    """Charge ann once; return the number of the document."""
    request = asking(company, minor, "Training", **more)
    with company.work() as uow:
        return charge_once(uow, request, key=key, **doing(on)).document


def grant(company: Company, on: str, minor: int, *, key: str = "g1", clause: str = "", **more: Any) -> str | None:
    """Give ann something back; return the number of the document."""
    request = asking(company, minor, "Outage", **more)
    with company.work() as uow:
        return grant_credit(uow, request, clause=clause, key=key, **doing(on)).document


def credit(company: Company, name: str, on: str, *, key: str = "k1", **what: Any) -> CreditNote:
    """Credit an invoice."""
    invoice_id = document_id(company, name)
    with company.work() as uow:
        return credit_invoice(uow, invoice_id, key=key, **what, **doing(on))


def void(company: Company, name: str, on: str, *, rebill: bool = False) -> CreditNote:
    """Take an invoice back."""
    invoice_id = document_id(company, name)
    with company.work() as uow:
        return void_invoice(uow, invoice_id, rebill=rebill, **doing(on))


def lose(company: Company, name: str, on: str) -> None:
    """Write an invoice off."""
    invoice_id = document_id(company, name)
    with company.work() as uow:
        write_off(uow, invoice_id, **doing(on))


def payment(company: Company, minor: int, on: str, *names: str, reference: str = "") -> PaymentRequest:
    """Return a payment of ann's, received at `on`."""
    return PaymentRequest(
        customer_id=company.customer_of("ann"),
        currency="EUR",
        amount_minor=minor,
        received_at=instant(on),
        method="transfer",
        reference=reference or f"wire {on} {minor}",
        invoice_ids=[document_id(company, name) for name in names],
    )


def pay(
    company: Company, minor: int, on: str, *names: str, reference: str = "", received: str | None = None
) -> Receipt:
    """Take a payment of ann's."""
    request = payment(company, minor, received or on, *names, reference=reference or f"wire {on} {minor}")
    with company.work() as uow:
        return record_payment(uow, request, **doing(on))


def paid_with(receipt: Receipt) -> dict[str, int]:
    """Return what a receipt paid by document, and what went to the customer's credit."""
    return {**dict(receipt.allocations), "credit": receipt.to_credit_minor}


def stands(company: Company, name: str, on: str = "2026-01-15") -> tuple[str, int]:
    """Return the status of a document on a day, and what is open of it."""
    document = company.document(name)
    return document.status(instant(on).date()), document.receivable.open_minor


def lines(company: Company, name: str) -> list[tuple[str, str, str]]:
    """Return the lines of a document: charge, amount and tax."""
    return [
        (line.charge_code, format_minor(line.amount_minor, "EUR"), format_minor(line.tax_minor, "EUR"))
        for line in company.document(name).lines
    ]


def waits_for_a_lock(uow: UnitOfWork) -> bool:
    """Whether somebody waits for a lock that this transaction holds."""
    row = uow.fetch_one("select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))")
    return row is not None
