"""Rows of `billing_settings`: how a customer is billed, with the tenant's own row as the default."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from tenor.invoicing.rules.payment_terms import PaymentTerms, TermsKind
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import CustomerId
from tenor.platform.unit_of_work import UnitOfWork

NegativeTotal = Literal["balance", "refund"]
"""What becomes of the total of a credit note: it goes to the customer's credit, or is sent back."""

PO_NUMBER_LENGTH_MAX: Final = 200
GRACE_DAYS_MAX: Final = 366


class MalformedBillingSettings(Malformed):
    """Settings under which nobody can be billed."""

    code = "malformed_billing_settings"


NET_30: Final = PaymentTerms(TermsKind.NET, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingSettings:
    """How a customer is billed.

    `consolidates`: what is due of several subscriptions stands on one document. `grace_days`: a document stays a
    draft for so long before it gets its number. `invoices_top_ups`: what a wallet orders for itself is invoiced as it
    is ordered; otherwise somebody takes the payment, or bills it later.
    """

    payment_terms: PaymentTerms = NET_30
    po_number: str = ""
    consolidates: bool = False
    negative_total: NegativeTotal = "balance"
    grace_days: int = 0
    invoices_top_ups: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingSettingsChange:
    """Settings to be set; None leaves one as it is.

    Raises:
        MalformedBillingSettings: one of them is out of its bounds.
    """

    payment_terms: PaymentTerms | None = None
    po_number: str | None = None
    consolidates: bool | None = None
    negative_total: NegativeTotal | None = None
    grace_days: int | None = None
    invoices_top_ups: bool | None = None

    def __post_init__(self) -> None:
        po_number, grace_days = self.po_number or "", self.grace_days or 0
        if len(po_number) > PO_NUMBER_LENGTH_MAX or not po_number.isprintable():
            raise MalformedBillingSettings(f"a PO number has at most {PO_NUMBER_LENGTH_MAX} printable characters")
        if self.negative_total not in {None, "balance", "refund"}:
            raise MalformedBillingSettings(f"a negative total goes to balance or refund, not {self.negative_total!r}")
        if not 0 <= grace_days <= GRACE_DAYS_MAX:
            raise MalformedBillingSettings(f"a draft stays open for 0 to {GRACE_DAYS_MAX} days, not {grace_days}")


_VALUES: Final = ("po_number", "consolidates", "negative_total", "grace_days", "invoices_top_ups")
_COLUMNS: Final = ", ".join(("payment_terms_kind", "payment_terms_days", *_VALUES))


def billing_settings(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> Mapping[CustomerId, BillingSettings]:
    """Return how each of these customers is billed: its own settings, then the tenant's, then the engine's.

    One statement; every customer asked for is there.
    """
    default = BillingSettings()
    rows = uow.fetch_all(
        f"select customer_id, {_COLUMNS} from billing_settings where customer_id = any(%s) or customer_id is null",
        [list(customer_ids)],
    )
    own = {customer_id: _values(row) for customer_id, *row in rows}
    tenant_wide = own.get(None, {})
    if not own.keys() - {None}:
        shared = _settings(default, tenant_wide)
        return dict.fromkeys(customer_ids, shared)
    return {
        customer_id: _settings(default, {**tenant_wide, **own.get(customer_id, {})}) for customer_id in customer_ids
    }


def consolidation(uow: UnitOfWork) -> tuple[bool, list[CustomerId]] | None:
    """Return whether customers are billed on one document by default, and of whom the opposite holds.

    None while nobody has ever said anything about it.
    """
    rows = uow.fetch_all("select customer_id, consolidates from billing_settings where consolidates is not null")
    if not rows:
        return None
    said: dict[CustomerId | None, bool] = dict(rows)
    by_default = said.get(None, False)
    others = [customer_id for customer_id, one in said.items() if customer_id is not None and one != by_default]
    return by_default, others


def default_billing_settings(uow: UnitOfWork) -> BillingSettings:
    """Return how a customer without settings of its own is billed."""
    row = uow.fetch_one(f"select {_COLUMNS} from billing_settings where customer_id is null")
    return _settings(BillingSettings(), {} if row is None else _values(row))


def save_billing_settings(uow: UnitOfWork, customer_id: CustomerId | None, change: BillingSettingsChange) -> None:
    """Write the settings that `change` names, of a customer or (None) of the tenant."""
    terms = change.payment_terms
    uow.execute(
        f"""
        insert into billing_settings as b (tenant_id, id, customer_id, {_COLUMNS})
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        on conflict (tenant_id, id) do update
        set payment_terms_kind = coalesce(excluded.payment_terms_kind, b.payment_terms_kind),
            payment_terms_days = coalesce(excluded.payment_terms_days, b.payment_terms_days),
            po_number = coalesce(excluded.po_number, b.po_number),
            consolidates = coalesce(excluded.consolidates, b.consolidates),
            negative_total = coalesce(excluded.negative_total, b.negative_total),
            grace_days = coalesce(excluded.grace_days, b.grace_days),
            invoices_top_ups = coalesce(excluded.invoices_top_ups, b.invoices_top_ups)
        """,
        [
            uow.tenant_id,
            customer_id or uow.tenant_id,
            customer_id,
            None if terms is None else terms.kind.value,
            None if terms is None else terms.days,
            *(getattr(change, name) for name in _VALUES),
        ],
    )


def settings_to_json(settings: BillingSettings | BillingSettingsChange) -> dict[str, object]:
    """Return settings for audit records and programs; what a change leaves as it is is left out."""
    found = {field.name: getattr(settings, field.name) for field in fields(settings)}
    terms = found["payment_terms"]
    if terms is not None:
        found["payment_terms"] = {"kind": terms.kind.value, "days": terms.days}
    return {name: value for name, value in found.items() if value is not None}


def _values(row: Sequence[Any]) -> dict[str, Any]:
    kind, days, *others = row
    terms = None if kind is None else PaymentTerms(TermsKind(kind), days)
    names = ("payment_terms", *_VALUES)
    return {name: value for name, value in zip(names, (terms, *others), strict=True) if value is not None}


def _settings(default: BillingSettings, values: Mapping[str, Any]) -> BillingSettings:
    return BillingSettings(
        **{field.name: values.get(field.name, getattr(default, field.name)) for field in fields(default)}
    )
