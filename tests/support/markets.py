"""Markets of a company that sells in four currencies: its price books, contracts and customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

BOOK: Final = """\
price_book: {code}
currency: {currency}
tax_mode: {tax_mode}
effective: 2020-01-01T00:00:00Z
products:
  - {{code: app, name: App}}
metrics:
  - {{code: calls, name: Calls, aggregation: sum, field: value, unit: call}}
  - {{code: peak, name: Peak, aggregation: max, field: value}}
plans:
  - code: plain-{code}
    name: Plain
    product: app
    interval: month
    charges:
      - {{code: base, name: Base fee, kind: recurring, amount: {base}}}
      - {{code: seats, name: Seats, kind: seat, unit_amount: {seat}, quantity: 2}}
      - {{code: calls, name: Calls, kind: usage, metric: calls, unit_amount: {call}}}
  - code: tried-{code}
    name: Tried, with credit and thresholds
    product: app
    interval: month
    trial_days: 10
    usage_thresholds: {{at: [{base}], every: {base}}}
    charges:
      - {{code: base, name: Base fee, kind: recurring, amount: {base}}}
      - {{code: seats, name: Seats, kind: seat, unit_amount: {seat}, quantity: 1, timing: arrears}}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        tax_category: traffic
        model: graduated
        tiers: [{{up_to: 100, unit_amount: {seat}}}, {{unit_amount: {call}}}]
    credits:
      - {{code: gift, wallet: promised, unit: tokens, rate: {call}, amount: 150, per: seats, rollover_max: 100}}
  - code: yearly-{code}
    name: A year
    product: app
    interval: year
    charges:
      - {{code: base, name: Base fee, kind: recurring, amount: {year}}}
      - {{code: seats, name: Seats, kind: seat, unit_amount: {seat}, quantity: 3, interval: quarter}}
      - {{code: peak, name: Peak, kind: usage, metric: peak, interval: month, timing: advance, unit_amount: {call}}}
      - {{code: floor, name: Minimum, kind: commitment, amount: {year}}}
    credits:
      - {{code: lasting, wallet: promised, unit: tokens, rate: {call}, amount: 70, every: month, lasts: 5 weeks}}
  - code: capped-{code}
    name: Capped
    product: app
    interval: month
    charges:
      - {{code: setup, name: Setup, kind: one_off, amount: {seat}}}
      - {{code: seats, name: Seats, kind: seat, unit_amount: {seat}, quantity: 3, counting: high_water}}
      - {{code: calls, name: Calls, kind: usage, metric: calls, unit_amount: {call}}}
      - {{code: floor, name: Minimum, kind: commitment, amount: {base}}}
      - {{code: ceiling, name: Maximum, kind: cap, amount: {cap}}}
  - code: weekly-{code}
    name: Weekly
    product: app
    interval: week
    charges:
      - {{code: base, name: Base fee, kind: recurring, amount: {base}}}
      - {{code: calls, name: Calls, kind: usage, metric: calls, model: package, size: 7, amount: {call}}}
"""
KINDS: Final = ("plain", "tried", "yearly", "capped", "weekly")
CONTRACT: Final = """\
contract: ramp-{code}
plan: plain-{code}
name: A ramp
term: 6 months
charges: [{{code: base, amount: {seat}}}]
ramp:
  - after: 2 months
    charges: [{{code: base, amount: {base}}}]
"""


@dataclass(frozen=True, slots=True)
class Market:
    """A currency with its prices, and the customers who pay in it by name, zone and percentage of tax."""

    currency: str
    tax_mode: str
    prices: Mapping[str, str]
    customers: Sequence[tuple[str, str, str]]

    @property
    def code(self) -> str:
        """The name of its price book."""
        return self.currency.lower()

    def filled(self, text: str) -> str:
        """Return a file with its prices."""
        return text.format(code=self.code, currency=self.currency, tax_mode=self.tax_mode, **self.prices)


def _prices(base: str, seat: str, call: str, year: str, cap: str) -> dict[str, str]:
    return {"base": base, "seat": seat, "call": call, "year": year, "cap": cap}


MARKETS: Final = (
    Market(
        "USD",
        "exclusive",
        _prices("29.99", "5.01", "0.013", "480.00", "61.37"),
        [("usa", "America/New_York", "7.25"), ("use", "UTC", "0"), ("usq", "America/New_York", "0")],
    ),
    Market(
        "EUR",
        "inclusive",
        _prices("19.99", "4.99", "0.011", "333.33", "40"),
        [("eua", "Europe/Berlin", "19"), ("eub", "Europe/Lisbon", "0")],
    ),
    Market("JPY", "exclusive", _prices("1980", "333", "0.7", "30000", "4001"), [("jpa", "Asia/Tokyo", "10")]),
    Market("KWD", "inclusive", _prices("9.995", "1.001", "0.0013", "111.111", "12"), [("kwa", "Asia/Kuwait", "5")]),
)
