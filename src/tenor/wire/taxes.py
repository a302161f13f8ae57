"""Taxes as JSON: rates, profiles, the seller, overrides."""

from typing import cast
from uuid import UUID

from typing_extensions import TypedDict

from tenor.kernel.ids import to_wire
from tenor.kernel.quantity import plain
from tenor.taxes import TaxOverride, TaxProfile, TaxRate, TaxSeller, profile_to_json, rate_to_json
from tenor.wire.forms import DecimalText, Instant, instant


class TaxRateJson(TypedDict):
    """A rate in percent with its validity; `jurisdiction` is a country ('DE') or a region of one ('CA-QC')."""

    name: str
    jurisdiction: str
    category: str
    percent: DecimalText
    valid_from: Instant
    valid_to: Instant | None


class TaxProfileJson(TypedDict):
    """What decides how a customer is taxed."""

    jurisdiction: str
    tax_id: str | None
    is_exempt: bool
    exemption_reason: str
    is_reverse_charge: bool


class TaxSellerJson(TypedDict):
    """Where the tenant itself is taxed, and who says the rates: its `table`, or the tax `engine`."""

    country: str
    tax_id: str | None
    rates_from: str


class ReplacingRateJson(TypedDict):
    """A rate that takes the place of others."""

    name: str
    percent: DecimalText


class TaxOverrideJson(TypedDict):
    """Rates that replace all others of a customer; without rates: no tax at all."""

    id: str
    customer: str
    rates: list[ReplacingRateJson]
    audit_reference: str
    valid_from: Instant
    valid_to: Instant | None


def tax_rate_json(rate: TaxRate) -> TaxRateJson:
    """Return a rate."""
    return cast(TaxRateJson, rate_to_json(rate))


def tax_profile_json(profile: TaxProfile) -> TaxProfileJson:
    """Return how a customer is taxed."""
    return cast(TaxProfileJson, profile_to_json(profile))


def tax_seller_json(seller: TaxSeller) -> TaxSellerJson:
    """Return where the tenant itself is taxed."""
    return TaxSellerJson(country=seller.country, tax_id=seller.tax_id, rates_from=seller.rates_from)


def tax_override_json(override_id: UUID, override: TaxOverride) -> TaxOverrideJson:
    """Return an override as it was made."""
    return TaxOverrideJson(
        id=to_wire("tov", override_id),
        customer=to_wire("cus", override.customer_id),
        rates=[ReplacingRateJson(name=rate.name, percent=plain(rate.percent)) for rate in override.rates],
        audit_reference=override.audit_reference,
        valid_from=instant(override.valid_from),
        valid_to=instant(override.valid_to),
    )
