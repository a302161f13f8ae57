"""Documents outside of bill runs: who they are for and how they are taxed, and their issue."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tenor.invoicing.adjustments import claim_adjustments
from tenor.invoicing.billing_settings import billing_settings
from tenor.invoicing.issue import IssuedNumber, issue_documents
from tenor.invoicing.model import Draft
from tenor.invoicing.refunds import open_refund_requests
from tenor.invoicing.rules.documents import Party
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, SubscriptionId, to_wire
from tenor.kernel.money import exponent
from tenor.kernel.period import Period
from tenor.platform.partitions import prepare_partitions
from tenor.platform.tenants import current_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import TaxMode
from tenor.pricing.policy import profile
from tenor.taxes import effective_rates
from tenor.taxes.model import TaxRounding

_INSTANT: Final = timedelta(microseconds=1)


def party_of(
    uow: UnitOfWork,
    customer_id: CustomerId,
    *,
    subscription_id: SubscriptionId | None,
    currency: str,
    tax_mode: TaxMode,
    at: datetime,
) -> Party:
    """Return who a document of a customer is for: taxed as of `at`, rounded by the tenant's profile.

    Raises:
        NotFound: this tenant has no such customer, or the customer has no such subscription.
        UnknownCurrency: nobody can pay in it.
    """
    party = parties_of(uow, [(customer_id, currency)], tax_mode=tax_mode, at=at)[customer_id, currency]
    if subscription_id is not None:
        _require_subscription(uow, subscription_id, customer_id=customer_id, currency=currency)
    return replace(party, subscription_id=subscription_id)


def parties_of(
    uow: UnitOfWork, wanted: Collection[tuple[CustomerId, str]], *, tax_mode: TaxMode, at: datetime
) -> dict[tuple[CustomerId, str], Party]:
    """Return who documents of customers in currencies are for, as `party_of` does for one.

    Raises:
        NotFound: this tenant has no such customer.
        UnknownCurrency: nobody can pay in it.
    """
    customers = list({customer_id for customer_id, _ in wanted})
    zones: dict[CustomerId, str] = dict(
        uow.fetch_all("select id, timezone from customers where id = any(%s)", [customers])
    )
    for customer_id in customers:
        if customer_id not in zones:
            raise NotFound(f"there is no customer {to_wire('cus', customer_id)}")
    rounding = profile(current_tenant(uow).profile).rounding.tax_rounding
    settings = billing_settings(uow, customers)
    rates = effective_rates(uow, customers, at)
    return {
        (customer_id, currency): Party(
            customer_id=customer_id,
            subscription_id=None,
            currency=currency,
            tax_mode=tax_mode,
            rates=rates[customer_id],
            tax_rounding=TaxRounding.of(
                rounding.mode, digits=rounding.digits, place=rounding.place, currency_digits=exponent(currency)
            ),
            zone=parse_zone(zones[customer_id]),
            payment_terms=settings[customer_id].payment_terms,
            po_number=settings[customer_id].po_number,
            negative_total=settings[customer_id].negative_total,
        )
        for customer_id, currency in wanted
    }


def issue_at_once(
    uow: UnitOfWork, drafts: Sequence[Draft], *, claims: Iterable[tuple[Any, ...]] = (), now: datetime
) -> list[IssuedNumber]:
    """Issue documents that no run makes, with the claims of their adjustments and the refunds that they ask for."""
    for table in ("invoice_lines", "transfers", "outbox_events"):
        prepare_partitions(uow, table, Period(now, now + _INSTANT))
    issued = issue_documents(uow, drafts, claims=claims, recorded_at=now)
    claim_adjustments(uow, drafts)
    open_refund_requests(uow, drafts, now=now)
    return issued


def document_name(uow: UnitOfWork, document_id: UUID) -> str:
    """Return the legal number of a document."""
    row = uow.fetch_one("select series || '-' || number from invoices where id = %s", [document_id])
    if row is None:
        raise NotFound(f"there is no document {to_wire('inv', document_id)}")
    return str(row[0])


def _require_subscription(
    uow: UnitOfWork, subscription_id: SubscriptionId, *, customer_id: CustomerId, currency: str
) -> None:
    row = uow.fetch_one("select customer_id, currency from subscriptions where id = %s", [subscription_id])
    if row != (customer_id, currency):
        raise NotFound(f"this customer has no subscription {to_wire('sub', subscription_id)} in {currency}")
