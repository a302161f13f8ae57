"""Price books as code: read a file, plan what it would change, apply it."""

from tenor.pricing.price_book.apply import AppliedPriceBook, apply_price_book, plan_price_book
from tenor.pricing.price_book.changes import CatalogPlan, PlanAction, PlanChange
from tenor.pricing.price_book.draft import PlanDraft, PriceBookDraft
from tenor.pricing.price_book.problems import ConflictingPriceBook, MalformedPriceBook, Problem, RefusedPriceBook
from tenor.pricing.price_book.reading import read_price_book

__all__ = [
    "AppliedPriceBook",
    "CatalogPlan",
    "ConflictingPriceBook",
    "MalformedPriceBook",
    "PlanAction",
    "PlanChange",
    "PlanDraft",
    "PriceBookDraft",
    "Problem",
    "RefusedPriceBook",
    "apply_price_book",
    "plan_price_book",
    "read_price_book",
]
