"""Contract files for tests: one that varies in one place, on the plans of the small price book."""

from tenor.pricing.contracts.model import ContractDraft
from tenor.pricing.contracts.reading import Catalogue, read_contract
from tests.support.price_books import as_applied, small_book

RAMP = """\
contract: globex
plan: pro
name: Pro for Globex
payment_terms: {end_of_month: 15}
po_number: PO-4711
term: 3 years
charges:
  - {code: base, amount: 100}
  - {code: floor, name: Minimum spend, kind: commitment, amount: 80}
features:
  - calls: 1000
ramp:
  - after: 12 months
    charges:
      - {code: base, amount: 150}
  - after: 2 years
    features: [calls: 5000]
    charges:
      - {code: base, amount: 200}
      - {code: floor, amount: 120}
"""

CALLS = (
    "  - {code: sso, name: Single sign-on}",
    "  - {code: sso, name: Single sign-on}\n  - {code: calls, name: Calls}",
)
"""Put into the small price book, the feature on which the contract sets a limit."""


def replaced(text: str, *replacements: tuple[str, str]) -> str:
    """Return `text` with each (old, new) text replaced where it stands first."""
    for old, new in replacements:
        assert old in text, f"{old!r} is not in the text"
        text = text.replace(old, new, 1)
    return text


def ramp(*replacements: tuple[str, str], book: tuple[tuple[str, str], ...] = ()) -> ContractDraft:
    """Return what `RAMP` says where the small price book is applied, both with replacements."""
    newest = as_applied(small_book(CALLS, *book)).newest
    catalogue = Catalogue(newest, metrics=frozenset({"tokens"}), features=frozenset({"sso", "calls"}))
    return read_contract(replaced(RAMP, *replacements).encode(), catalogue)
