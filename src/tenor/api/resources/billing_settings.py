"""`/v1/billing-settings` and `/v1/customers/{customer}/billing-settings`: how customers are billed."""

from typing import Annotated, Literal

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import NO_CARD_NUMBER, Body, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.resource import resource
from tenor.customers import customer_id_of
from tenor.invoicing import (
    BillingSettingsChange,
    PaymentTerms,
    TermsKind,
    billing_settings,
    default_billing_settings,
    set_billing_settings,
)
from tenor.kernel.ids import CustomerId
from tenor.wire import BillingSettingsJson, billing_settings_json

router = resource("Billing settings")
Reads = Annotated[Call, Security(a_call, scopes=["customers:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["customers:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]


class AgreedTerms(Body):
    """To be paid so many days after the issue (`net`), or after the end of its month (`end_of_month`)."""

    kind: Literal["net", "end_of_month"]
    days: Annotated[int, Field(ge=0, le=365)]


class BillingChange(Body):
    """What is to be set; what is left out stays."""

    payment_terms: AgreedTerms | None = None
    po_number: Annotated[str, Field(max_length=200), NO_CARD_NUMBER] | None = None
    consolidates: Annotated[bool | None, Field(description="All subscriptions on one document.")] = None
    negative_total: Annotated[
        Literal["balance", "refund"] | None, Field(description="What becomes of the total of a credit note.")
    ] = None
    grace_days: Annotated[int | None, Field(ge=0, le=366)] = None
    invoices_top_ups: Annotated[
        bool | None, Field(description="What a wallet orders for itself is invoiced as it is ordered.")
    ] = None
    reason: Line | None = None

    def change(self) -> BillingSettingsChange:
        """Return what is to be set."""
        terms = self.payment_terms
        return BillingSettingsChange(
            payment_terms=None if terms is None else PaymentTerms(TermsKind(terms.kind), terms.days),
            po_number=self.po_number,
            consolidates=self.consolidates,
            negative_total=self.negative_total,
            grace_days=self.grace_days,
            invoices_top_ups=self.invoices_top_ups,
        )


@router.get("/billing-settings", response_model=BillingSettingsJson)
def retrieve_default(call: Reads) -> Response:
    """Return how a customer without settings of its own is billed."""
    return call.show(lambda work: billing_settings_json(default_billing_settings(work.uow)))


@router.post("/billing-settings", response_model=BillingSettingsJson)
def update_default(call: Writes, body: BillingChange) -> Response:
    """Set how customers without settings of their own are billed. Documents keep what they were issued with."""

    def make(work: Work) -> BillingSettingsJson:
        set_billing_settings(work.uow, None, body.change(), **work.deed(body.reason))
        return billing_settings_json(default_billing_settings(work.uow))

    return call.once(make)


@router.get("/customers/{customer}/billing-settings", response_model=BillingSettingsJson)
def retrieve(call: Reads, customer: CustomerRef) -> Response:
    """Return how a customer is billed: by its own settings, then by those of all."""
    return call.show(lambda work: _held(work, customer_id_of(work.uow, customer)))


@router.post("/customers/{customer}/billing-settings", response_model=BillingSettingsJson)
def update(call: Writes, customer: CustomerRef, body: BillingChange) -> Response:
    """Set how a customer is billed. Documents keep what they were issued with."""

    def make(work: Work) -> BillingSettingsJson:
        held = customer_id_of(work.uow, customer)
        set_billing_settings(work.uow, held, body.change(), **work.deed(body.reason))
        return _held(work, held)

    return call.once(make)


def _held(work: Work, customer_id: CustomerId) -> BillingSettingsJson:
    return billing_settings_json(billing_settings(work.uow, [customer_id])[customer_id])
