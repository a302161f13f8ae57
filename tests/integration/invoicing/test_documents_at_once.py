"""Whatever two people do to one invoice at once, it comes to what they would have done one after the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.errors import CheckViolation, UniqueViolation

from tenor.invoicing import credit_invoice, record_payment, request_refund, void_invoice
from tenor.invoicing.operations.request_refund import RefundExceedsCredit
from tenor.invoicing.rules.credit_notes import CreditExceedsLine
from tenor.invoicing.rules.lifecycle import DocumentMoveRefused
from tenor.invoicing.rules.receivable import DocumentPaid
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.company import Company, instant
from tests.support.documents import (
    charge,
    credit,
    document_id,
    doing,
    lines,
    open_shop,
    paid_with,
    pay,
    payment,
    stands,
    void,
    waits_for_a_lock,
)
from tests.support.postgres import Server
from tests.support.processes import wait_until

Deed = Callable[[UnitOfWork], Any]


@pytest.fixture
def shop(server: Server, template: str) -> Iterator[Company]:
    """Ann owes INV-1: 20.00 + 5.03 and 4.76 of tax."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            open_shop(company)
            yield company


def at_once(company: Company, first: Deed, second: Deed) -> tuple[Any, Any]:
    """Do `first`, begin `second` before it is committed, and see that it waits; return what both come to."""

    def alone() -> Any:
        with company.work() as uow:
            return second(uow)

    with ThreadPoolExecutor(max_workers=1) as threads:
        with company.work() as uow:
            done = first(uow)
            later = threads.submit(alone)
            wait_until(lambda: waits_for_a_lock(uow), seconds=20)
        return done, later.result(timeout=20)


def test_two_payments_at_once_never_pay_an_invoice_twice(shop: Company) -> None:
    """20.00 and 15.00 for 29.79: 5.21 are left over."""
    requests = [payment(shop, minor, "2026-01-10") for minor in (20_00, 15_00)]

    first, second = at_once(
        shop,
        lambda uow: record_payment(uow, requests[0], **doing("2026-01-10")),
        lambda uow: record_payment(uow, requests[1], **doing("2026-01-10")),
    )

    assert (paid_with(first), paid_with(second)) == (
        {"INV-1": 20_00, "credit": 0},
        {"INV-1": 9_79, "credit": 5_21},
    )
    assert stands(shop, "INV-1") == ("paid", 0)
    shop.assert_proven()


def test_one_payment_told_twice_at_once_is_one_payment(shop: Company) -> None:
    request = payment(shop, 20_00, "2026-01-10")

    def take(uow: UnitOfWork) -> Any:
        return record_payment(uow, request, **doing("2026-01-10"))

    first, second = at_once(shop, take, take)

    assert first == second
    assert stands(shop, "INV-1") == ("open", 9_79)
    shop.assert_proven()


def test_two_credits_at_once_never_exceed_the_line(shop: Company) -> None:
    """12.00 and 12.00 of 20.00: the second finds 8.00 left."""
    invoice_id = document_id(shop, "INV-1")

    def give_back(key: str) -> Deed:
        return lambda uow: credit_invoice(uow, invoice_id, lines={1: 12_00}, key=key, **doing("2026-01-10"))

    with pytest.raises(CreditExceedsLine, match=r"8\.00 EUR are left of line 1"):
        at_once(shop, give_back("a"), give_back("b"))

    assert lines(shop, "CN-1") == [("base", "-12.00", "-2.28")]
    assert shop.names() == ["INV-1", "CN-1"]
    shop.assert_proven()


def test_an_invoice_is_voided_once(shop: Company) -> None:
    invoice_id = document_id(shop, "INV-1")

    def take_back(uow: UnitOfWork) -> Any:
        return void_invoice(uow, invoice_id, rebill=False, **doing("2026-01-10"))

    with pytest.raises(DocumentMoveRefused):
        at_once(shop, take_back, take_back)
    assert shop.names() == ["INV-1", "CN-1"]
    shop.assert_proven()


def test_a_void_that_comes_after_a_payment_is_refused(shop: Company) -> None:
    request, invoice_id = payment(shop, 1_00, "2026-01-10"), document_id(shop, "INV-1")

    with pytest.raises(DocumentPaid):
        at_once(
            shop,
            lambda uow: record_payment(uow, request, **doing("2026-01-10")),
            lambda uow: void_invoice(uow, invoice_id, rebill=False, **doing("2026-01-10")),
        )
    shop.assert_proven()


def test_two_refunds_at_once_never_exceed_the_credit(shop: Company) -> None:
    pay(shop, 39_79, "2026-01-05")  # 10.00 to spare
    ann = shop.customer_of("ann")

    def send_back(key: str) -> Deed:
        asked = {"currency": "EUR", "amount_minor": 6_00, "key": key, **doing("2026-01-10")}
        return lambda uow: request_refund(uow, ann, **asked)

    with pytest.raises(RefundExceedsCredit, match=r"4\.00 EUR to its credit"):
        at_once(shop, send_back("a"), send_back("b"))
    shop.assert_proven()


def test_a_bill_run_waits_for_a_credit_and_leaves_what_it_waived(shop: Company) -> None:
    """The run has news of the line that is being credited: a seat more, 5.03 × 16/31 = 2.596, so 2.60."""
    shop.change_seats("ann", 2, "2026-01-16")
    invoice_id = document_id(shop, "INV-1")

    with ThreadPoolExecutor(max_workers=1) as threads:
        with shop.work() as uow:
            credit_invoice(uow, invoice_id, lines={2: 5_03}, key="a", **doing("2026-01-16"))
            billed = threads.submit(shop.bill, "2026-01-16")
            wait_until(lambda: waits_for_a_lock(uow), seconds=20)
        billed.result(timeout=60)

    assert [(code, amount) for code, amount, _ in lines(shop, "INV-2")] == [("seats", "2.60")]
    shop.assert_proven()


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("insert into adjustment_claims select * from adjustment_claims", UniqueViolation),
        ("update document_states set paid_minor = paid_minor + 1 where status = 'paid'", CheckViolation),
        ("update document_states set credited_minor = -1", CheckViolation),
        (
            """
            insert into payments select tenant_id, gen_random_uuid(), customer_id, currency, 1, received_at, method,
                                        reference from payments
            """,
            UniqueViolation,
        ),
        (
            """
            insert into allocations select tenant_id, gen_random_uuid(), invoice_id, payment_id, credit_note_id, 1,
                                           allocated_at from allocations
            """,
            UniqueViolation,
        ),
        (
            """
            insert into waivers select tenant_id, gen_random_uuid(), item_id, charge_id, dimension, period_start,
                                       period_end, 1, reason, credit_note_id, created_at from waivers
            """,
            UniqueViolation,
        ),
    ],
)
def test_the_database_refuses_to_discharge_or_claim_twice(
    shop: Company, statement: str, refusal: type[psycopg.Error]
) -> None:
    charge(shop, "2026-01-10", 10_00)
    credit(shop, "INV-1", "2026-01-11", lines={1: 5_00})
    pay(shop, 50_00, "2026-01-12")

    with pytest.raises(refusal), shop.work() as uow:
        uow.execute(statement)


def test_a_void_invoice_that_is_billed_anew_while_a_run_goes_on_is_billed_once(shop: Company) -> None:
    void(shop, "INV-1", "2026-01-10", rebill=True)
    for _ in range(2):
        shop.run("2026-01-11")

    assert shop.names() == ["INV-1", "INV-2", "CN-1"]
    assert shop.document("INV-2").issued_at == instant("2026-01-11")
    shop.assert_proven()
