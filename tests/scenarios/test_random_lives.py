"""Lives that nobody would write down: changes, usage and runs in any order. Each run must leave nothing to find."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tenor.kernel.errors import Refusal
from tests.support.company import Company, instant

BOOK = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
metrics:
  - {code: calls, name: Calls, aggregation: sum, field: value}
  - {code: peak, name: Peak, aggregation: max, field: value}
  - {code: users, name: Users, aggregation: unique_count, field: value}
plans:
  - code: mixed
    name: Intervals and a one-off
    product: app
    interval: month
    trial_days: 14
    charges:
      - {code: base, name: Base, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 5.01, quantity: 2}
      - {code: support, name: Support, kind: recurring, interval: quarter, timing: arrears, amount: 33}
      - {code: setup, name: Setup, kind: one_off, amount: 99.00}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        model: graduated
        tiers: &tiers [{up_to: 1000, unit_amount: 0.01}, {unit_amount: 0.005}]
  - code: committed
    name: Two commitments
    product: app
    interval: month
    charges:
      - {code: yearly, name: Minimum of a year, kind: commitment, interval: year, amount: 2000}
      - {code: base, name: Base, kind: recurring, amount: 50.00}
      - code: seats
        name: Seats
        kind: seat
        quantity: 1
        model: volume
        tiers: [{up_to: 5, unit_amount: 9}, {unit_amount: 7}]
      - {code: calls, name: Calls, kind: usage, metric: calls, model: package, size: 100, amount: 1}
      - {code: peak, name: Peak, kind: usage, metric: peak, unit_amount: 0.3, minimum: 2}
      - {code: monthly, name: Minimum of a month, kind: commitment, amount: 100}
  - code: yearly
    name: A year, unprorated
    product: app
    interval: year
    charges:
      - {code: base, name: Base, kind: recurring, amount: 490.00, prorate: false}
      - {code: seats, name: Seats, kind: seat, unit_amount: 50, quantity: 1, interval: quarter}
      - {code: users, name: Users, kind: usage, metric: users, interval: month, unit_amount: 1.5}
      - code: calls
        name: Calls
        kind: usage
        metric: calls
        interval: month
        model: matrix
        dimensions: [region]
        prices: [{when: {region: eu}, unit_amount: 0.02}]
        default: {unit_amount: 0.01}
  - code: windowed
    name: Arrears and daily tiers
    product: app
    interval: month
    charges:
      - {code: base, name: Base, kind: recurring, amount: 31.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 4, quantity: 1, timing: arrears}
      - {code: calls, name: Calls, kind: usage, metric: calls, tier_window: day, model: graduated, tiers: *tiers}
"""
PLANS = ("mixed", "committed", "yearly", "windowed")
PROFILES = ("tenor", "lago", "killbill", "recurly", "stripe-classic", "chargebee-day", "zuora", "paddle")
STEPS = 14

EARLY = {
    "    trial_days: 14\n": "    trial_days: 14\n    usage_thresholds: {at: [3.00, 8.00], every: 2.00}\n",
    "metric: peak, unit_amount: 0.3, minimum: 2}": "metric: peak, timing: advance, unit_amount: 0.3, minimum: 2}",
    "  - code: yearly\n": "  - code: yearly\n    usage_thresholds: {at: [1.50]}\n",
    "        model: matrix\n": "        timing: advance\n        model: matrix\n",
    "  - code: windowed\n": "  - code: windowed\n    usage_thresholds: {every: 1.00}\n",
}
"""What makes usage of a plan be billed before its period is over: what stands in the book, and what stands instead."""


@pytest.mark.parametrize("seed", range(10))
def test_any_life_ends_proven_and_settled(acme: Company, seed: int) -> None:
    now = _live(acme, BOOK, seed)

    assert acme.prove().pending == 0
    assert acme.bill(_text(now)) == ""


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 7])
def test_usage_billed_while_it_runs_ends_proven(acme: Company, seed: int) -> None:
    book = BOOK
    for stands, instead in EARLY.items():
        assert stands in book
        book = book.replace(stands, instead)

    now = _live(acme, book, seed)

    assert acme.bill(_text(now)) == ""
    assert acme.rows("select count(*) > 0 from claims where metered_through is not null") == [(True,)]


def _live(acme: Company, book: str, seed: int) -> datetime:
    """Live a life and bill the end of it; return when that is."""
    chance = random.Random(seed)  # noqa: S311  # a life that can be lived again
    acme.sell(book)
    acme.customer("ann", tax_percent=chance.choice(("0", "19")), timezone=chance.choice(("UTC", "Europe/Berlin")))
    now = instant("2026-01-01") + timedelta(days=chance.randint(0, 30), hours=chance.choice((0, 10)))
    life = _Life(acme, chance)
    for number in range(chance.randint(1, 2)):
        life.subscribe(f"s{number}", now)

    steps: tuple[Callable[[datetime], None], ...] = (life.bill, life.use, life.change_plan, life.change_seats)
    for _ in range(STEPS):
        now += timedelta(hours=chance.choice((0, 3, 72, 192, 408, 744)))
        chance.choices((*steps, life.cancel), weights=(5, 5, 2, 3, 1))[0](now)
    now += timedelta(days=chance.choice((20, 400)))
    life.bill(now)
    return now


class _Life:
    """What can happen to the subscriptions of a customer; what the engine refuses does not happen."""

    def __init__(self, company: Company, chance: random.Random) -> None:
        self._company, self._chance = company, chance
        self._names: list[str] = []

    def subscribe(self, name: str, now: datetime) -> None:
        chance = self._chance
        terms: dict[str, Any] = {
            "trial_days": chance.choice((None, None, 0, 20)),
            "discount_percent": chance.choice(("0", "12.5")),
            "anchor_at": chance.choice((None, now - timedelta(days=chance.randint(0, 20)))),
            "ends_at": chance.choice((None, None, now + timedelta(days=chance.randint(40, 150)))),
            "profile": chance.choice(PROFILES),
        }
        starts = now + timedelta(days=chance.choice((0, 0, -30, -75, 12)))
        self._company.subscribe(name, chance.choice(PLANS), _text(starts), on=_text(now), **terms)
        self._names.append(name)

    def bill(self, now: datetime) -> None:
        (report,) = self._company.run(_text(now))
        assert report.done.parked == 0
        self._company.assert_proven()

    def use(self, now: datetime) -> None:
        properties = self._chance.choice(({}, {"region": "eu"}, {"region": "us"}))
        metric = self._chance.choice(("calls", "calls", "peak", "users"))
        happened = now - timedelta(hours=self._chance.choice((0, 0, 1, 48, 480, 1080)))
        self._company.use(metric, self._chance.randint(1, 1500), _text(happened), arrived=_text(now), **properties)

    def change_plan(self, now: datetime) -> None:
        self._try(self._company.change_plan, self._chance.choice(PLANS), now)

    def change_seats(self, now: datetime) -> None:
        self._try(self._company.change_seats, self._chance.randint(1, 9), now)

    def cancel(self, now: datetime) -> None:
        self._try(self._company.cancel, None, now)

    def _try(self, change: Callable[..., object], to: object, now: datetime) -> None:
        """Change a subscription now, at the end of its period, in the past, or ahead."""
        hours = self._chance.choice((0, -1, -48, -480, -1920, 48, 480, 960))
        at = self._chance.choice((None, "period_end", _text(now + timedelta(hours=hours))))
        try:
            change(self._chance.choice(self._names), *([] if to is None else [to]), _text(now), at=at)
        except Refusal:
            return


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()
