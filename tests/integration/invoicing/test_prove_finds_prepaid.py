"""Whatever a superuser changes in what wallets paid and what was sold, `prove` finds; the database refuses the rest."""

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from psycopg.errors import CheckViolation, ForeignKeyViolation, UniqueViolation

from tenor.invoicing import CreditOffer, sell_credits
from tenor.platform.database import Database
from tests.integration.invoicing.test_prove_finds import plant
from tests.support.company import Company
from tests.support.documents import credit, doing, pay
from tests.support.postgres import Server
from tests.support.prepaid import BOOK, open_purse

PAYMENT = "(select use_id from wallet_payments where paid_minor > 0 order by paid_minor desc limit 1)"

PLANTED = {
    "a payment of a cent more": (
        [f"update wallet_payments set paid_minor = paid_minor + 1 where use_id = {PAYMENT} and paid_minor > 0"],
        {"wallet_payment_differs", "document_changed", "document_sum"},
    ),
    "a payment that is gone": (
        ["delete from wallet_payments where paid_minor < 0"],
        {"wallet_payment_differs", "document_changed", "document_sum"},
    ),
    "a use that pays a cent less": (
        [f"update wallet_uses set paid_minor = paid_minor - 1 where id = {PAYMENT}"],
        {"wallet_payment_differs", "ledger_differs"},
    ),
    "a document that says that wallets paid more": (
        [
            """
            update invoices set prepaid_minor = prepaid_minor + 1, due_minor = due_minor - 1
            where prepaid_minor > 0 and due_minor > 0
            """
        ],
        {"document_sum", "receivable_differs", "document_state_differs"},
    ),
    "a wallet of somebody else": (
        ["update wallets set customer_id = (select id from customers where external_id = 'bob')"],
        {"wallet_payment_differs", "purchase_differs", "ledger_differs"},
    ),
    "a sale that says that it waits": (
        ["update credit_purchases set status = 'pending', grant_id = null, settled_at = null where status = 'granted'"],
        {"purchase_differs"},
    ),
    "a sale of another price": (
        ["update credit_purchases set net_minor = net_minor - 1 where status = 'pending'"],
        {"purchase_differs"},
    ),
    "a grant that was larger than it is": (
        ["update credit_grants set amount = amount + 1"],
        {"wallet_differs", "purchase_differs"},
    ),
    "a sale that is gone": (
        ["delete from credit_purchases where status = 'pending'"],
        {"purchase_differs"},
    ),
}


@pytest.fixture(scope="module")
def furnished(server: Server, template: str) -> Iterator[tuple[Server, str, Company]]:
    """Ann's wallet was bought, has paid INV-4 in part and got some of that back; another sale waits for its payment."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            company.sell(BOOK)
            company.customer("ann", tax_percent="20")
            company.customer("bob")
            company.subscribe("ann", "metered", "2026-01-01")
            company.bill("2026-01-01")
            open_purse(company, "ann", "2026-01-02", unit="tokens", rate=Decimal("0.01"), pays="everything")
            for key, amount in (("s1", "4000"), ("s2", "100")):
                offer = CreditOffer(customer_id=company.customer_of("ann"), amount=Decimal(amount))
                with company.work() as uow:
                    sell_credits(uow, offer, key=key, **doing("2026-01-02"))
            pay(company, 40_00, "2026-01-03", "INV-2")
            company.use("calls", 300, "2026-01-10")
            company.bill("2026-02-01")
            credit(company, "INV-4", "2026-02-02", lines={2: 5_00})
        yield server, name, company


@pytest.fixture
def shop(furnished: tuple[Server, str, Company]) -> Iterator[Company]:
    """A copy of the company."""
    server, template, original = furnished
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            yield Company(database, settings, original.tenant_id)


def test_it_finds_nothing_on_what_the_engine_wrote(shop: Company) -> None:
    shop.assert_proven()
    checked = shop.prove().checked
    assert (checked["wallet payments"], checked["credit purchases"]) == (3, 2)


@pytest.mark.parametrize("what", PLANTED)
def test_it_finds(shop: Company, what: str) -> None:
    statements, codes = PLANTED[what]

    plant(shop, *statements)

    assert {finding.code for finding in shop.prove().findings} == codes


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ("invoice_id, line_no + 1, wallet_id, use_id, unit, amount, paid_minor", UniqueViolation),  # one use pays once
        ("invoice_id, line_no + 1, wallet_id, use_id, unit, -amount, paid_minor", CheckViolation),
        ("invoice_id, line_no + 1, wallet_id, use_id, unit, amount, 0", CheckViolation),
        ("invoice_id, line_no + 1, use_id, use_id, unit, -amount, -paid_minor", ForeignKeyViolation),
    ],
)
def test_the_database_refuses(
    furnished: tuple[Server, str, Company], values: str, refusal: type[psycopg.Error]
) -> None:
    _, _, company = furnished
    with (
        Database.open(company.settings) as database,
        pytest.raises(refusal),
        database.transaction(company.tenant_id) as uow,
    ):
        uow.execute(
            "insert into wallet_payments (tenant_id, invoice_id, line_no, wallet_id, use_id, unit, amount, paid_minor)"
            f" select tenant_id, {values} from wallet_payments where paid_minor > 0"
        )
