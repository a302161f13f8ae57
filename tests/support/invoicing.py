"""Plans, items and usage for tests of invoicing, written as literally as they read.

Every charge has the id that follows from its code, so that a test may name a key by the code.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from tenor.invoicing.model import Key, Line, Owed
from tenor.invoicing.rules.dues import Due, Look, dues
from tenor.invoicing.rules.owed import UsageTotals, owed
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import ChargeId, ItemId, PlanVersionId
from tenor.kernel.period import Period
from tenor.pricing.charges import Flat, Graduated, Price, Standard, Tier
from tenor.pricing.model import Charge, ChargeKind, PlanVersion, TaxMode, Timing
from tenor.pricing.policy import Policy, profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import Item, Phase, Terms, Timeline
from tenor.subscriptions.model import PhaseState
from tenor.taxes.model import AppliedRate, RatesOfCustomer, TaxTreatment

MONTH: Final = Interval(Unit.MONTH)
QUARTER: Final = Interval(Unit.MONTH, 3)
YEAR: Final = Interval(Unit.YEAR)
MICROSECOND: Final = timedelta(microseconds=1)
TENOR: Final = profile("tenor")
ITEM: Final = ItemId(UUID(int=1))
PLAN: Final = PlanVersionId(UUID(int=100))

TEN_AT_FIVE_THEN_TWO: Final = Graduated((Tier(Decimal(10), Decimal(5)), Tier(None, Decimal(2))))
"""The first ten units at 5.00, the others at 2.00."""


def at(text: str) -> datetime:
    """Read '2026-03-15' (midnight UTC) or '2026-03-15T10:00:00Z'."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def span(start: str, end: str) -> Period:
    """Return the period between two instants as `at` reads them."""
    return Period(at(start), at(end))


def charge_id(code: str) -> ChargeId:
    """Return the id of the charge with this code."""
    return ChargeId(uuid5(NAMESPACE_OID, code))


def charge(
    kind: ChargeKind,
    price: Price,
    *,
    code: str,
    timing: Timing = Timing.ARREARS,
    interval: Interval | None = None,
    is_prorated: bool = True,
) -> Charge:
    """Return a charge without a tier window; its name is its code with a capital."""
    return Charge(
        id=charge_id(code),
        code=code,
        name=code.capitalize(),
        kind=kind,
        timing=timing,
        price=price,
        interval=interval,
        tier_window=None,
        metric="calls" if kind is ChargeKind.USAGE else None,
        default_quantity=Decimal(1),
        is_prorated=is_prorated,
    )


def base(
    amount: str,
    *,
    code: str = "base",
    timing: Timing = Timing.ADVANCE,
    interval: Interval | None = None,
    is_prorated: bool = True,
) -> Charge:
    """Return a recurring fee."""
    price = Price(Flat(Decimal(amount)))
    return charge(ChargeKind.RECURRING, price, code=code, timing=timing, interval=interval, is_prorated=is_prorated)


def seats(unit_amount: str, *, timing: Timing = Timing.ADVANCE, is_prorated: bool = True) -> Charge:
    """Return a price for each seat."""
    price = Price(Standard(Decimal(unit_amount)))
    return charge(ChargeKind.SEAT, price, code="seats", timing=timing, is_prorated=is_prorated)


def calls(price: Price | str = "0.50", *, code: str = "calls", interval: Interval | None = None) -> Charge:
    """Return a usage charge, in arrears; a text is the price of each unit."""
    priced = Price(Standard(Decimal(price))) if isinstance(price, str) else price
    return charge(ChargeKind.USAGE, priced, code=code, interval=interval)


def setup(amount: str) -> Charge:
    """Return a one-off fee."""
    return charge(ChargeKind.ONE_OFF, Price(Flat(Decimal(amount))), code="setup", timing=Timing.ADVANCE)


def commitment(amount: str, *, code: str = "minimum", interval: Interval | None = None) -> Charge:
    """Return a minimum for each period."""
    return charge(ChargeKind.COMMITMENT, Price(Flat(Decimal(amount))), code=code, interval=interval)


def cap(amount: str, *, code: str = "cap", interval: Interval | None = None) -> Charge:
    """Return a maximum for each period."""
    return charge(ChargeKind.CAP, Price(Flat(Decimal(amount))), code=code, interval=interval)


def plan(
    *charges: Charge,
    currency: str = "USD",
    interval: Interval = MONTH,
    tax_mode: TaxMode = TaxMode.EXCLUSIVE,
    version_id: PlanVersionId = PLAN,
) -> PlanVersion:
    """Return a plan version with these charges."""
    return PlanVersion(
        id=version_id,
        plan="basic",
        version=1,
        name="Basic",
        product="product",
        price_book="book",
        price_book_version=1,
        currency=currency,
        tax_mode=tax_mode,
        interval=interval,
        trial_days=0,
        charges=charges,
        features=(),
        effective_at=at("2025-01-01"),
        content_hash=b"",
    )


def phase(
    start: str,
    end: str | None = None,
    *,
    seats: int | None = None,
    is_billable: bool = True,
    prices: Mapping[str, str] | None = None,
) -> Phase:
    """Return a phase with a number of seats and prices of its own; one that is not billable is a trial."""
    return Phase(
        starts_at=at(start),
        ends_at=None if end is None else at(end),
        is_billable=is_billable,
        terms=Terms(
            quantities={} if seats is None else {"seats": Decimal(seats)},
            prices={code: Decimal(price) for code, price in (prices or {}).items()},
        ),
        state=PhaseState.ACTIVE if is_billable else PhaseState.TRIAL,
    )


def item(*phases: Phase, anchor: str | None = None, discount: str = "0") -> Item:
    """Return an item whose grid counts from `anchor`, or from its first billable instant."""
    first_billable = next((phase.starts_at for phase in phases if phase.is_billable), phases[0].starts_at)
    return Item(
        id=ITEM,
        plan_version_id=PLAN,
        anchor_at=first_billable if anchor is None else at(anchor),
        discount_percent=Decimal(discount),
        phases=phases,
    )


def key(code: str, start: str, end: str, *, dimension: str = "") -> Key:
    """Return the key of a charge of `ITEM` for a service period."""
    return Key(ITEM, charge_id(code), dimension, span(start, end))


def used(code: str, start: str, end: str, usage: Usage | int | str) -> UsageTotals:
    """Return the usage of one charge in one service period; a number is that many units."""
    totals = usage if isinstance(usage, Usage) else Usage(units=Decimal(usage))
    return {(ITEM, charge_id(code), span(start, end)): totals}


def looked_at(
    life: Item,
    version: PlanVersion,
    *,
    through: str | datetime,
    settled: str | datetime | None = None,
    revisit: str | None = None,
    zone: tzinfo = UTC,
    policy: Policy = TENOR,
) -> list[Due]:
    """Return the dues of one look."""
    look = Look(
        through=_instant(through),
        settled_through=None if settled is None else _instant(settled),
        revisit_from=None if revisit is None else at(revisit),
    )
    return dues(life, version, look, zone, policy.calendar)


def owed_of(
    life: Item,
    version: PlanVersion,
    *,
    through: str | datetime,
    usage: UsageTotals | None = None,
    zone: tzinfo = UTC,
    policy: Policy = TENOR,
) -> list[Owed]:
    """Return what one item owes through an instant."""
    return owed(Timeline((life,)), {version.id: version}, usage or {}, policy, through=_instant(through), zone=zone)


def amounts(owed: Sequence[Owed]) -> list[int]:
    """Return the amounts alone, in their order."""
    return [entry.amount_minor for entry in owed]


def in_words(looked_at: Sequence[Due]) -> list[str]:
    """Return each due as 'code start..end @ due' with days as dates, `*` for one that is settled already."""
    return [
        f"{due.charge.code} {_short(due.period.start)}..{_short(due.period.end)} @ {_short(due.due_at)}"
        f"{'*' if due.is_settled else ''}"
        for due in looked_at
    ]


def _short(instant: datetime) -> str:
    is_midnight = instant.hour == instant.minute == instant.second == instant.microsecond == 0
    return instant.strftime("%m-%d" if is_midnight else "%m-%dT%H:%M")


def _instant(value: str | datetime) -> datetime:
    return at(value) if isinstance(value, str) else value


def taxed_at(percent: Decimal) -> RatesOfCustomer:
    """Return the rates of a customer who has one plain percentage."""
    rates = (AppliedRate("tax", percent),) if percent else ()
    return RatesOfCustomer({}, TaxTreatment(rates, "customer"))


def key_of(line: Line) -> Key:
    """Return what a line is for, which is a charge of a plan and no adjustment."""
    assert isinstance(line.key, Key)
    return line.key
