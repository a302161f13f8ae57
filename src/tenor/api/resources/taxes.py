"""`/v1/tax-rates`, `/v1/tax-seller` and what customers are taxed by: rates, profiles, overrides."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, DecimalIn, InstantIn, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, keyed_page, page, place
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.customers import customer_id_of
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.taxes import (
    STANDARD,
    AppliedRate,
    Jurisdiction,
    TaxOverride,
    TaxProfile,
    TaxRate,
    TaxSeller,
    end_tax_override,
    override_tax,
    overrides_of,
    set_tax_profiles,
    set_tax_rates,
    set_tax_seller,
    tax_profiles,
    tax_rates,
    tax_seller,
)
from tenor.wire import (
    TaxOverrideJson,
    TaxProfileJson,
    TaxRateJson,
    TaxSellerJson,
    tax_override_json,
    tax_profile_json,
    tax_rate_json,
    tax_seller_json,
)

router = resource("Taxes")
Reads = Annotated[Call, Security(a_call, scopes=["taxes:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["taxes:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1.")]
Region = Annotated[str, Field(pattern="^[A-Z0-9]{0,3}$", description="Part of an ISO 3166-2 code, QC of CA-QC.")]
TaxId = Annotated[str, Field(min_length=1, max_length=60, description="Of a business; its form is checked.")]
TaxName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]


class NewTaxRate(Body):
    """A tax by name, in percent, from an instant on. What it meets ends there, and comes back after `valid_to`."""

    name: TaxName
    percent: DecimalIn
    country: Country
    region: Region = ""
    category: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_.-]{0,62}$")] = STANDARD
    valid_from: InstantIn
    valid_to: InstantIn | None = None

    def rate(self) -> TaxRate:
        """Return the rate."""
        return TaxRate(
            name=self.name,
            jurisdiction=Jurisdiction(self.country, self.region),
            percent=self.percent,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            category=self.category,
        )


class NewTaxRates(Body):
    """Rates that are to hold, in this order."""

    rates: Annotated[list[NewTaxRate], Field(min_length=1, max_length=1_000)]
    reason: Line | None = None


class SellerChange(Body):
    """Where the tenant itself is to be taxed, and who is to say the rates: its `table`, or the tax `engine`."""

    country: Country
    tax_id: TaxId | None = None
    rates_from: Literal["table", "engine"] = "table"
    reason: Line | None = None


class ProfileChange(Body):
    """How a customer is to be taxed, instead of by its plain percentage."""

    country: Country
    region: Region = ""
    tax_id: TaxId | None = None
    exemption_reason: Annotated[Line | None, Field(description="Exempt from tax, with this reason.")] = None
    is_reverse_charge: Annotated[bool, Field(description="The customer owes the tax.")] = False
    reason: Line | None = None

    def profile(self) -> TaxProfile:
        """Return the profile."""
        return TaxProfile(
            jurisdiction=Jurisdiction(self.country, self.region),
            tax_id=self.tax_id,
            is_exempt=self.exemption_reason is not None,
            exemption_reason=self.exemption_reason or "",
            is_reverse_charge=self.is_reverse_charge,
        )


class OverridingRate(Body):
    """A rate in percent that takes the place of others."""

    name: TaxName
    percent: DecimalIn


class NewTaxOverride(Body):
    """Rates that are to replace all others of a customer; none at all: no tax."""

    rates: Annotated[list[OverridingRate], Field(max_length=20)] = Field(default_factory=list)
    audit_reference: Annotated[Line, Field(description="The proof: number of a ruling, a certificate, a ticket.")]
    valid_from: InstantIn
    valid_to: InstantIn | None = None
    reason: Line | None = None

    def override(self, customer_id: CustomerId) -> TaxOverride:
        """Return the override of a customer."""
        return TaxOverride(
            customer_id=customer_id,
            rates=tuple(AppliedRate(rate.name, rate.percent) for rate in self.rates),
            audit_reference=self.audit_reference,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class EndOfOverride(Body):
    """When an override ends; now where no instant is said."""

    at: InstantIn | None = None
    reason: Line | None = None


class SetTaxRatesJson(TypedDict):
    """The rates that were not there already."""

    rates: list[TaxRateJson]


class CustomerTaxJson(TypedDict):
    """How a customer is taxed; `profile` null: by the plain percentage of the customer."""

    customer: str
    profile: TaxProfileJson | None


class EndedTaxOverrideJson(TypedDict):
    """An override that has an end."""

    id: str


@router.get("/tax-rates", response_model=Page[TaxRateJson])
def list_rates(call: Reads, limit: Limit = 20, after: After = None) -> Response:
    """List every rate with its validity, by place, category and name."""

    def key(rate: TaxRate) -> tuple[str, str, str, str, datetime]:
        place_of = rate.jurisdiction
        return place_of.country, place_of.region, rate.category, rate.name, rate.valid_from

    def read(work: Work) -> Page[TaxRateJson]:
        since = place(after, str, str, str, str, datetime)
        found = tax_rates(work.uow, after=None if since is None else since, limit=limit + 1)
        return keyed_page(found, limit=limit, key_of=key, shown=tax_rate_json)

    return call.show(read)


@router.post("/tax-rates", response_model=SetTaxRatesJson)
def set_rates(call: Writes, body: NewTaxRates) -> Response:
    """Let rates hold in their spans; the answer lists those that were not there already."""

    def make(work: Work) -> SetTaxRatesJson:
        wanted = [one.rate() for one in body.rates]
        new = set_tax_rates(work.uow, wanted, **work.deed(body.reason))
        return SetTaxRatesJson(rates=[tax_rate_json(one) for one in new])

    return call.once(make)


@router.get("/tax-seller", response_model=TaxSellerJson)
def retrieve_seller(call: Reads) -> Response:
    """Return where the tenant itself is taxed; 404 while it has not said."""

    def read(work: Work) -> TaxSellerJson:
        held = tax_seller(work.uow)
        if held is None:
            raise NotFound("nobody has said yet where the seller is taxed")
        return tax_seller_json(held)

    return call.show(read)


@router.post("/tax-seller", response_model=TaxSellerJson)
def set_seller(call: Writes, body: SellerChange) -> Response:
    """Say where the tenant itself is taxed, and who says the rates."""

    def make(work: Work) -> TaxSellerJson:
        wanted = TaxSeller(country=body.country, tax_id=body.tax_id, rates_from=body.rates_from)
        return tax_seller_json(set_tax_seller(work.uow, wanted, **work.deed(body.reason)))

    return call.once(make)


@router.get("/customers/{customer}/tax-profile", response_model=CustomerTaxJson)
def retrieve_profile(call: Reads, customer: CustomerRef) -> Response:
    """Return how a customer is taxed."""
    return call.show(lambda work: _taxed(work, customer_id_of(work.uow, customer)))


@router.post("/customers/{customer}/tax-profile", response_model=CustomerTaxJson)
def set_profile(call: Writes, customer: CustomerRef, body: ProfileChange) -> Response:
    """Say how a customer is taxed. What is billed stays as billed."""

    def make(work: Work) -> CustomerTaxJson:
        held = customer_id_of(work.uow, customer)
        set_tax_profiles(work.uow, {held: body.profile()}, **work.deed(body.reason))
        return _taxed(work, held)

    return call.once(make)


@router.post("/customers/{customer}/tax-overrides", status_code=201, response_model=TaxOverrideJson)
def override(call: Writes, customer: CustomerRef, body: NewTaxOverride) -> Response:
    """Let rates replace all others of a customer. Of several that hold at once the newest counts."""

    def make(work: Work) -> TaxOverrideJson:
        wanted = body.override(customer_id_of(work.uow, customer))
        return tax_override_json(override_tax(work.uow, wanted, **work.deed(body.reason)), wanted)

    return call.once(make, status=201)


@router.get("/customers/{customer}/tax-overrides", response_model=Page[TaxOverrideJson])
def list_overrides(call: Reads, customer: CustomerRef, limit: Limit = 20, after: After = None) -> Response:
    """List the overrides of a customer with their validity, the newest first."""

    def read(work: Work) -> Page[TaxOverrideJson]:
        held = customer_id_of(work.uow, customer)
        found = overrides_of(work.uow, held, limit=limit + 1, after=cursor("tov", after))
        return page(
            found, "tov", limit=limit, id_of=lambda one: one[0], shown=lambda one: tax_override_json(one[0], one[1])
        )

    return call.show(read)


@router.post("/tax-overrides/{tax_override}/end", response_model=EndedTaxOverrideJson)
def end_override(
    call: Writes,
    tax_override: Annotated[str, Path(max_length=60, description="Id (`tov_…`).")],
    body: EndOfOverride,
) -> Response:
    """End an override; documents that it was used for stay as they are."""

    def make(work: Work) -> EndedTaxOverrideJson:
        override_id = id_in_path("tov", tax_override)
        end_tax_override(work.uow, override_id, at=body.at or work.now, **work.deed(body.reason))
        return EndedTaxOverrideJson(id=to_wire("tov", override_id))

    return call.once(make)


def _taxed(work: Work, customer_id: CustomerId) -> CustomerTaxJson:
    held = tax_profiles(work.uow, [customer_id]).get(customer_id)
    return CustomerTaxJson(
        customer=to_wire("cus", customer_id), profile=None if held is None else tax_profile_json(held)
    )
