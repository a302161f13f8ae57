"""Pricing: price books, plan versions, charge models and proration.

Pure code (rules, models) imports the modules below directly, because this door opens the stores too.
"""

from tenor.pricing.contracts.agree import agree_contract
from tenor.pricing.contracts.differences import contract_differences
from tenor.pricing.contracts.errors import ContractNotFound, ContractOfAnother, MalformedContract
from tenor.pricing.contracts.model import AgreedPayment, Contract, ContractStep, StepStart
from tenor.pricing.contracts.store import all_contracts, contracts_behind, find_contract
from tenor.pricing.definition import PlanVersionRecord
from tenor.pricing.discounts.errors import (
    CouponArchived,
    CouponCodeTaken,
    CouponNotFound,
    CurrencyMismatch,
    DiscountNotFound,
    NotFirstPurchase,
    OrderBelowMinimum,
    PromotionCodeNotFound,
    RedemptionsUsedUp,
    RedemptionTooLate,
)
from tenor.pricing.discounts.model import (
    Coupon,
    Discount,
    DiscountTerms,
    Limits,
    MalformedDiscount,
    Occasion,
    PromotionCode,
)
from tenor.pricing.discounts.operations.archive_coupon import archive_coupon
from tenor.pricing.discounts.operations.create_coupon import create_coupon
from tenor.pricing.discounts.operations.create_promotion_code import create_promotion_code
from tenor.pricing.discounts.operations.redeem import redeem_coupon, redeem_promotion_code, undo_redemption
from tenor.pricing.discounts.store import all_coupons, find_coupon, promotion_words
from tenor.pricing.model import Charge, ChargeKind, PlanVersion, SeatCounting, TaxMode, Timing
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
from tenor.pricing.price_book.differences import Difference
from tenor.pricing.store import (
    PlanNotSold,
    TamperedPlanVersion,
    newest_plan_version,
    plan_records_sold,
    plan_versions,
    plan_versions_by_code,
    plans_sold,
    tampered_plan_versions,
    tax_categories,
)
from tenor.pricing.thresholds import (
    MalformedThresholds,
    UsageThresholds,
    thresholds_from_json,
    thresholds_to_json,
)

__all__ = [
    "AgreedPayment",
    "AppliedPriceBook",
    "CatalogPlan",
    "Charge",
    "ChargeKind",
    "ConflictingPriceBook",
    "Contract",
    "ContractNotFound",
    "ContractOfAnother",
    "ContractStep",
    "Coupon",
    "CouponArchived",
    "CouponCodeTaken",
    "CouponNotFound",
    "CurrencyMismatch",
    "Difference",
    "Discount",
    "DiscountNotFound",
    "DiscountTerms",
    "Limits",
    "MalformedContract",
    "MalformedDiscount",
    "MalformedPriceBook",
    "MalformedThresholds",
    "NotFirstPurchase",
    "Occasion",
    "OrderBelowMinimum",
    "PlanAction",
    "PlanChange",
    "PlanNotSold",
    "PlanVersion",
    "PlanVersionRecord",
    "Policy",
    "PriceBookDraft",
    "Problem",
    "PromotionCode",
    "PromotionCodeNotFound",
    "RedemptionTooLate",
    "RedemptionsUsedUp",
    "RefusedPriceBook",
    "SeatCounting",
    "StepStart",
    "TamperedPlanVersion",
    "TaxMode",
    "Timing",
    "UnknownPolicy",
    "UsageThresholds",
    "agree_contract",
    "all_contracts",
    "all_coupons",
    "apply_price_book",
    "archive_coupon",
    "contract_differences",
    "contracts_behind",
    "create_coupon",
    "create_promotion_code",
    "find_contract",
    "find_coupon",
    "newest_plan_version",
    "plan_price_book",
    "plan_records_sold",
    "plan_versions",
    "plan_versions_by_code",
    "plans_sold",
    "policy_with",
    "profile",
    "profile_names",
    "promotion_words",
    "read_price_book",
    "redeem_coupon",
    "redeem_promotion_code",
    "tampered_plan_versions",
    "tax_categories",
    "thresholds_from_json",
    "thresholds_to_json",
    "undo_redemption",
]
