"""A price book as its file states it: complete, checked by itself, not yet compared with anything applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tenor.catalog import Feature, Metric, Product
from tenor.pricing.definition import Definition
from tenor.pricing.model import TaxMode
from tenor.pricing.price_book.problems import Place, Problem


class PlanDraft(NamedTuple):
    """What a file says about one plan."""

    plan: str
    name: str
    product: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class PriceBookDraft:
    """What a file says: one edition of a price book.

    `plans` are all that is sold from `effective_at` on. `source_digest` is the SHA-256 of the file.
    `places` leads from a path (`plans[0].code`) to where the file says it.
    """

    code: str
    currency: str
    tax_mode: TaxMode
    effective_at: datetime
    products: tuple[Product, ...]
    metrics: tuple[Metric, ...]
    features: tuple[Feature, ...]
    plans: tuple[PlanDraft, ...]
    source_digest: bytes
    places: Mapping[str, Place]

    def problem(self, path: str, message: str, hint: str | None = None) -> Problem:
        """Return a problem with what the file says at `path`."""
        return Problem(*self.places[path], path, message, hint)
