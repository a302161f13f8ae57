"""Wallets in the words of a billing story: what is in them, and who of a document's payers paid what."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tenor.kernel.ids import WalletId
from tenor.wallets import grant_credits, open_wallet, wallet_balances
from tenor.wallets.model import NewGrant, WalletTerms
from tests.support.company import Company, instant
from tests.support.wallets import Number

BOOK: Final = """\
price_book: main
currency: EUR
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value, unit: call}
  - {code: gigabytes, name: Storage, aggregation: sum, field: value, unit: GB}
plans:
  - code: metered
    name: Metered
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 10.00}
      - {code: calls, name: Calls, kind: usage, metric: calls, unit_amount: 0.10}
      - {code: storage, name: Storage, kind: usage, metric: gigabytes, unit_amount: 1.00}
"""
"""A base fee in advance, calls at 0.10 and gigabytes at 1.00 in arrears."""


@dataclass(slots=True)
class Wallet:
    """A wallet of a customer in a company."""

    company: Company
    customer: str
    code: str
    id: WalletId

    def grant(self, amount: str, on: str, **more: Any) -> None:
        """Put credit in: a gift, or, with a `cost_minor`, bought."""
        is_paid = "cash" if "cost_minor" in more else "promotional"
        new = NewGrant(
            Decimal(amount),
            "purchase" if is_paid == "cash" else "promotion",
            "paid" if is_paid == "cash" else "promotional",
            **more,
        )
        with self.company.work() as uow:
            grant_credits(uow, self.id, new, now=instant(on), actor="test", reason="a test")

    def left(self, on: str) -> Number:
        """Return what is free to use."""
        with self.company.work() as uow:
            balances = wallet_balances(uow, [self.company.customer_of(self.customer)], at=instant(on))
        (found,) = (balance.available for balance in balances if balance.wallet.id == self.id)
        return found


def open_purse(company: Company, customer: str, on: str, *, code: str = "main", **terms: Any) -> Wallet:
    """Open a wallet, of euros that pay for usage unless `terms` say otherwise."""
    usual: dict[str, Any] = {
        "unit": "EUR",
        "currency": "EUR",
        "rate": Decimal(1),
        "overdraws": False,
        "repays_advances": False,
        "burn_order": ("priority", "expiry", "created", "id"),
        "eligibility": "effective_before_service_end",
    }
    with company.work() as uow:
        wallet_id = open_wallet(
            uow,
            company.customer_of(customer),
            WalletTerms(code=code, **(usual | terms)),
            now=instant(on),
            actor="test",
            reason="a test",
        )
    return Wallet(company, customer, code, wallet_id)


def payers(company: Company, name: str) -> list[tuple[str, str, str, int]]:
    """Return who paid what of a document: the charge, the wallet, its credit, and minor units."""
    return [
        (line.charge_code, part.wallet, f"{part.amount.normalize():f} {part.unit}", part.paid_minor)
        for line in company.document(name).lines
        for part in line.paid_by
    ]


def sums(company: Company, name: str) -> tuple[int, int, int, int]:
    """Return what a document comes to, what wallets pay of it, what the customer's credit does, and what is due."""
    document = company.document(name)
    return document.total_minor, document.prepaid_minor, document.credit_applied_minor, document.due_minor
