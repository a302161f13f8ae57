"""Taxes: which rates a customer is billed with, and what tax a line bears.

Pure code (rules, models) is imported from `tenor.taxes.model` and `tenor.taxes.rules`, because this door opens the
stores too.
"""

from tenor.taxes.effective import effective_rates
from tenor.taxes.engines import CircuitBreaker, HttpTaxEngine, TableEngine
from tenor.taxes.errors import (
    InvalidTaxId,
    MalformedTax,
    MalformedTaxFile,
    MoreThanBilled,
    TaxNotQuoted,
    TaxOverrideNotFound,
)
from tenor.taxes.file import TaxFile, read_tax_file, read_validity, write_tax_file
from tenor.taxes.model import (
    PERCENT_DIGITS,
    STANDARD,
    AppliedRate,
    Jurisdiction,
    RatesOfCustomer,
    TaxableLine,
    TaxOverride,
    TaxProfile,
    TaxRate,
    TaxRounding,
    TaxSeller,
    TaxTreatment,
)
from tenor.taxes.operations.apply_tax_file import apply_tax_file, tax_file
from tenor.taxes.operations.override_tax import end_tax_override, override_tax
from tenor.taxes.operations.set_tax_profiles import profile_to_json, set_tax_profiles
from tenor.taxes.operations.set_tax_rates import rate_to_json, set_tax_rates
from tenor.taxes.operations.set_tax_seller import set_tax_seller
from tenor.taxes.ports import TaxEngine, TaxEngineFailed
from tenor.taxes.quotes import Prefetched, prefetch_quotes
from tenor.taxes.store import overrides_of, tax_profiles, tax_rates, tax_seller

__all__ = [
    "PERCENT_DIGITS",
    "STANDARD",
    "AppliedRate",
    "CircuitBreaker",
    "HttpTaxEngine",
    "InvalidTaxId",
    "Jurisdiction",
    "MalformedTax",
    "MalformedTaxFile",
    "MoreThanBilled",
    "Prefetched",
    "RatesOfCustomer",
    "TableEngine",
    "TaxEngine",
    "TaxEngineFailed",
    "TaxFile",
    "TaxNotQuoted",
    "TaxOverride",
    "TaxOverrideNotFound",
    "TaxProfile",
    "TaxRate",
    "TaxRounding",
    "TaxSeller",
    "TaxTreatment",
    "TaxableLine",
    "apply_tax_file",
    "effective_rates",
    "end_tax_override",
    "override_tax",
    "overrides_of",
    "prefetch_quotes",
    "profile_to_json",
    "rate_to_json",
    "read_tax_file",
    "read_validity",
    "set_tax_profiles",
    "set_tax_rates",
    "set_tax_seller",
    "tax_file",
    "tax_profiles",
    "tax_rates",
    "tax_seller",
    "write_tax_file",
]
