"""Lives of a company by lot: every verb that moves money, in four currencies and six zones, beside a memory of its own.

The story remembers what it was told to do: money that came and went, credit that was given and used. `audited_laws`
holds the books against that memory and against plain sums of rows.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from tenor.kernel.errors import Refusal
from tenor.kernel.ids import WalletId, WalletUseId
from tenor.metering import UsageEvent
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import DiscountTerms, agree_contract, create_coupon
from tenor.taxes import Jurisdiction, TaxProfile, TaxRate, set_tax_profiles, set_tax_rates
from tenor.wallets import open_wallet
from tenor.wallets.model import WalletTerms
from tests.support.audited_laws import Memory, broken_laws
from tests.support.company import SINCE, Company, instant
from tests.support.markets import BOOK, CONTRACT, KINDS, MARKETS, Market

START: Final = instant("2024-01-31T10:00")
"""The end of January in a leap year: months are cut short, and days of 23 and 25 hours lie ahead."""

Deeds = Mapping[Callable[["Story"], None], int]
"""What may happen, and how often beside all else."""

PROFILES: Final = ("tenor", "tenor", "tenor", "lago", "killbill", "recurly", "stripe-classic", "chargebee-day", "zuora")
BURNS: Final = (("priority", "category", "expiry", "created", "id"), ("expiry", "id"), ("feature_restricted", "id"))


def audited(story: "Story", deeds: Deeds, *, steps: int, every: int = 1) -> list[str]:
    """Live so many steps and then on to a last bill; return what was found, with the last steps before it.

    Laws and proof are asked after `every` so many steps. In the end a second bill has nothing to bill.
    """
    told: list[str] = []
    for number in range(1, steps + 1):
        told.append(f"{story.now:%Y-%m-%d %H:%M} {story.step(deeds)}")
        if number % every == 0 and (found := story.contradictions()):
            return [*found, *told[-every:]]
    story.now += timedelta(days=45)
    story.run()
    before = story.company.names()
    story.run()
    again = [f"billed twice: {name}" for name in story.company.names() if name not in before]
    return [*again, *story.contradictions()]


class Story:
    """A company of seven customers, and what happens to them by lot. What the engine refuses does not happen."""

    def __init__(self, company: Company, seed: int) -> None:
        self.company, self.lot = company, random.Random(seed)  # noqa: S311  # a lot, no secret
        self.now, self.memory, self.made = START, Memory(), Counter[str]()
        self.wallets: dict[WalletId, tuple[str, str]] = {}
        self.events: list[tuple[str, UsageEvent]] = []
        self.uses: list[WalletUseId] = []
        self._number = 0
        self._found()

    def step(self, deeds: Deeds) -> str:
        """Let time pass, or not, and do one thing; return what it was, or with which code it was refused."""
        self.now += timedelta(hours=self.lot.choice((0, 0, 0, 1, 5, 30, 100, 240)))
        (deed,) = self.lot.choices(list(deeds), weights=list(deeds.values()))
        name = deed.__name__.strip("_")
        try:
            deed(self)
        except Refusal as refusal:
            name = f"{name}: {refusal.code}"
        self.made[name] += 1
        return name

    def contradictions(self) -> list[str]:
        """Return what breaks a law, and what the proof finds."""
        return [*broken_laws(self.company, self.memory), *map(str, self.company.prove().findings)]

    def run(self) -> None:
        """Bill what is due now."""
        for report in self.company.run(self.now.replace(tzinfo=None).isoformat()):
            parked = "select subscription_id, reason from bill_run_items where outcome = 'parked'"
            assert report.done.parked == 0, self.company.rows(parked)

    def key(self) -> str:
        """Return a name that nothing else has."""
        self._number += 1
        return f"k{self._number}"

    def by(self) -> dict[str, Any]:
        """Return what every operation is told besides its subject."""
        return {"now": self.now, "actor": "lot", "reason": "drawn"}

    def do(self, deed: Callable[[UnitOfWork], Any]) -> Any:
        """Do something in one transaction."""
        with self.company.work() as uow:
            return deed(uow)

    def _found(self) -> None:
        company = self.company
        for market in MARKETS:
            company.sell(market.filled(BOOK))
            for name, zone, percent in market.customers:
                company.customer(name, tax_percent=percent, timezone=zone)
        self.do(self._offer)
        for market in MARKETS:
            for name, _, _ in market.customers:
                self._open_wallets(name, market)
                self.subscribe(name, market)

    def _offer(self, uow: UnitOfWork) -> None:
        since = instant(SINCE)
        places = [("DE", "19", "standard"), ("DE", "7", "traffic"), ("PT", "23", "standard"), ("QA", "0", "standard")]
        rates = [
            TaxRate(
                name="VAT", jurisdiction=Jurisdiction(place), percent=Decimal(percent), valid_from=since, category=c
            )
            for place, percent, c in places
        ]
        set_tax_rates(uow, rates, **self.by())
        profiles = {
            "eub": TaxProfile(jurisdiction=Jurisdiction("PT"), is_reverse_charge=self.lot.random() < 0.5),
            "use": TaxProfile(jurisdiction=Jurisdiction("DE")),
        }
        set_tax_profiles(uow, {self.company.customer_of(name): one for name, one in profiles.items()}, **self.by())
        tenth = DiscountTerms(code="tenth", name="A tenth", percent_off=Decimal(10), duration="repeating", periods=2)
        create_coupon(uow, tenth, **self.by())
        for market in MARKETS:
            off, currency = Decimal(market.prices["seat"]), market.currency
            terms = DiscountTerms(
                code=f"off-{market.code}", name="Off", amount_off=off, currency=currency, duration="forever"
            )
            create_coupon(uow, terms, **self.by())
            customer_id = self.company.customer_of(market.customers[0][0])
            agree_contract(uow, market.filled(CONTRACT).encode(), customer_id=customer_id, **self.by())

    def _open_wallets(self, name: str, market: Market) -> None:
        lot = self.lot
        for code in lot.sample(("money", "tokens", "usage"), lot.randrange(1, 4)):
            unit, rate = (code, Decimal(market.prices["call"])) if code == "tokens" else (market.currency, Decimal(1))
            terms = WalletTerms(
                code=code,
                unit=unit,
                currency=market.currency,
                rate=rate,
                overdraws=lot.random() < 0.3,
                repays_advances=lot.random() < 0.5,
                burn_order=lot.choice(BURNS),
                eligibility=lot.choice(("effective_at_period_end", "effective_before_service_end")),
                pays="usage" if code == "usage" else lot.choice(("usage", "everything")),
            )
            with self.company.work() as uow:
                wallet_id = open_wallet(uow, self.company.customer_of(name), terms, **self.by())
            self.wallets[wallet_id] = (name, market.currency)

    def subscribe(self, name: str, market: Market) -> None:
        """Subscribe a customer to a plan of its market."""
        lot = self.lot
        terms: dict[str, Any] = {
            "profile": lot.choice(PROFILES),
            "trial_days": lot.choice((None, 0)),
            "anchor_at": lot.choice((None, None, instant("2024-01-29"), instant("2023-12-31T23:30"))),
            "ends_at": lot.choice((None, None, self.now + timedelta(days=lot.randrange(60, 400)))),
            "discount_percent": lot.choice(("0", "0", "12.5")),
        }
        starts = self.now + timedelta(days=lot.choice((0, 0, 0, -40, 9)))
        self.company.subscribe(
            self.key() + name,
            f"{lot.choice(KINDS)}-{market.code}",
            starts.replace(tzinfo=None).isoformat(),
            customer=name,
            on=self.now.replace(tzinfo=None).isoformat(),
            **terms,
        )
