"""Pricing: price books, plan versions, charge models and proration.

Pure code (rules, models) imports the modules below directly, because this door opens the stores too.
"""

from tenor.pricing.model import Charge, ChargeKind, PlanVersion, TaxMode, Timing
from tenor.pricing.policy import Policy, UnknownPolicy, policy_with, profile, profile_names
from tenor.pricing.price_book import (
    AppliedPriceBook,
    CatalogPlan,
    ConflictingPriceBook,
    MalformedPriceBook,
    PlanAction,
    PlanChange,
    PriceBookDraft,
    Problem,
    RefusedPriceBook,
    apply_price_book,
    plan_price_book,
    read_price_book,
)
from tenor.pricing.store import (
    PlanNotSold,
    TamperedPlanVersion,
    newest_plan_version,
    plan_versions,
    plan_versions_by_code,
    tampered_plan_versions,
)

__all__ = [
    "AppliedPriceBook",
    "CatalogPlan",
    "Charge",
    "ChargeKind",
    "ConflictingPriceBook",
    "MalformedPriceBook",
    "PlanAction",
    "PlanChange",
    "PlanNotSold",
    "PlanVersion",
    "Policy",
    "PriceBookDraft",
    "Problem",
    "RefusedPriceBook",
    "TamperedPlanVersion",
    "TaxMode",
    "Timing",
    "UnknownPolicy",
    "apply_price_book",
    "newest_plan_version",
    "plan_price_book",
    "plan_versions",
    "plan_versions_by_code",
    "policy_with",
    "profile",
    "profile_names",
    "read_price_book",
    "tampered_plan_versions",
]
