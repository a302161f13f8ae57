"""Price books for tests: texts that vary in one place, and what would be applied of a draft."""

from collections.abc import Mapping

from tenor.kernel.ids import PlanVersionId, derived_id
from tenor.pricing.definition import PlanVersionRecord
from tenor.pricing.price_book import PriceBookDraft, read_price_book
from tenor.pricing.price_book.changes import AppliedCatalog, Edition

SMALL = """\
price_book: acme
currency: USD
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: assistant, name: Assistant}
metrics:
  - {code: tokens, name: Tokens, aggregation: sum, field: n}
features:
  - {code: sso, name: Single sign-on}
plans:
  - code: pro
    name: Pro
    product: assistant
    interval: month
    features: [sso]
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 49.00}
      - {code: tokens, name: Tokens, kind: usage, metric: tokens, unit_amount: 0.000003}
  - code: basic
    name: Basic
    product: assistant
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 9.00}
"""


def small_book(*replacements: tuple[str, str]) -> PriceBookDraft:
    """Return the draft of `SMALL` with each (old, new) text replaced where it stands first."""
    text = SMALL
    for old, new in replacements:
        assert old in text, f"{old!r} is not in the price book"
        text = text.replace(old, new, 1)
    return read_price_book(text.encode())


NOTHING_APPLIED = AppliedCatalog(None, {}, {}, {}, {}, {})


def as_applied(
    draft: PriceBookDraft,
    *,
    versions: Mapping[str, int] | None = None,
    books_elsewhere: Mapping[str, str] | None = None,
) -> AppliedCatalog:
    """Return the catalogue in which `draft` is edition 1; its plans have version 1 where `versions` says nothing."""
    records = {
        plan.plan: PlanVersionRecord(
            id=PlanVersionId(derived_id(draft.effective_at, plan.plan.encode())),
            plan=plan.plan,
            version=(versions or {}).get(plan.plan, 1),
            name=plan.name,
            product=plan.product,
            price_book=draft.code,
            price_book_version=1,
            currency=draft.currency,
            tax_mode=draft.tax_mode,
            effective_at=draft.effective_at,
            definition=plan.definition,
        )
        for plan in draft.plans
    }
    return AppliedCatalog(
        edition=Edition(1, draft.currency, draft.tax_mode, draft.effective_at, frozenset(records)),
        newest=records,
        books_elsewhere=books_elsewhere or {},
        products={product.code: product for product in draft.products},
        metrics={metric.code: metric for metric in draft.metrics},
        features={feature.code: feature for feature in draft.features},
    )
