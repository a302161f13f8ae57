"""Whatever a superuser changes in wallets, or in what the ledger holds of them, `prove` finds."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tenor.invoicing.consistency_wallets import check_wallets
from tenor.invoicing.proof import Proof
from tenor.platform.database import Database
from tests.integration.invoicing.test_prove_finds import disarm
from tests.support.company import Company
from tests.support.postgres import Server
from tests.support.wallets import Purse

PLANTED = {
    "more left of a grant": (
        "update credit_grants set remaining = remaining + 1",
        {"wallet_differs", "ledger_differs"},
    ),
    "more set aside of a grant": ("update credit_grants set reserved = 3", {"wallet_differs", "ledger_differs"}),
    "another cost": ("update credit_grants set cost_minor = cost_minor + 100", {"ledger_differs"}),
    "another source of it": ("update credit_grants set paid_from = 'invoice'", {"ledger_differs"}),
    "an entry of another amount": (
        "update wallet_entries set amount = amount + 1 where kind = 'drawn'",
        {"wallet_differs"},
    ),
    "an entry of another value": (
        "update wallet_entries set value_minor = value_minor + 1 where kind = 'drawn'",
        {"ledger_differs"},
    ),
    "an entry that is gone": ("delete from wallet_entries where kind = 'held'", {"wallet_differs"}),
    "a use of another amount": ("update wallet_uses set used = used + 1 where status = 'used'", {"wallet_differs"}),
    "a use that pays a document": (
        "update wallet_uses set paid_minor = 1 where status = 'used'",
        {"ledger_differs"},
    ),
    "a transfer of another amount": (
        "update transfers set amount_minor = amount_minor + 1 where kind = 'drawn'",
        {"ledger_differs"},
    ),
    "a transfer that is gone": ("delete from transfers where kind = 'granted'", {"ledger_differs"}),
    "a transfer of a wallet that is none": (
        "update transfers set source_id = customer_id where kind = 'drawn'",
        {"ledger_differs"},
    ),
}


@pytest.fixture
def shop(server: Server, template: str) -> Iterator[Company]:
    """A company with one customer, who has bought 10 for 8.00, used 3 and set 2 aside."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            purse = Purse.open(database, company.tenant_id, company.customer("ann"))
            purse.grant("10", cost_minor=800)
            purse.use("3", on=2)
            purse.reserve("2", on=2, until=9)
            yield company


def test_it_finds_nothing_on_what_wallets_wrote(shop: Company) -> None:
    proof = shop.prove()

    assert proof.findings == []
    assert proof.checked["wallets"] == 1
    assert shop.balances("EUR") == {"cash": "8.00", "prepaid_credits": "5.60", "revenue": "2.40"}


def test_it_finds_each_of_them(shop: Company) -> None:
    missed = {}
    with shop.database.setup() as superuser, shop.work() as uow:
        disarm(superuser)
        for what, (statement, codes) in PLANTED.items():
            with superuser.transaction(force_rollback=True):
                assert superuser.execute(statement).rowcount > 0, what
                proof = Proof()
                check_wallets(replace(uow, connection=superuser), proof)
            if not {finding.code for finding in proof.findings} >= codes:
                missed[what] = proof.findings
    assert missed == {}
    assert shop.prove().findings == []
