"""Lives of many changes, drawn by lot: whatever is not refused can be billed, is proven, and folds to what is kept."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.errors import Refusal
from tenor.subscriptions import (
    BillingDate,
    Closing,
    Cycles,
    Effective,
    PriceStep,
    Subscription,
    add_add_on,
    cancel,
    change_plan,
    change_prices,
    change_quantity,
    convert_trial,
    extend_term,
    extend_trial,
    move_anchor,
    pause,
    remove_add_on,
    renew,
    resume,
    shorten_term,
    undo_change,
)
from tests.support.changes import BOOK, change, items, journal
from tests.support.company import Company, instant

START: Final = instant("2026-01-31")
PLANS: Final = ("basic", "pro", "yearly", "team", "storage")
OPERATIONS: Final[tuple[Callable[..., Subscription], ...]] = (
    *(add_add_on, cancel, change_plan, change_plan, change_prices, change_quantity, convert_trial, extend_term),
    *(extend_trial, move_anchor, pause, pause, remove_add_on, renew, resume, resume, shorten_term),
    *(undo_change, undo_change, undo_change),
)


@pytest.mark.parametrize("seed", range(5))
def test_life_by_lot(acme: Company, seed: int) -> None:
    lot = random.Random(seed)  # noqa: S311  a lot, no secret
    acme.sell(BOOK)
    names = [f"s{number}" for number in range(2)]
    for name in names:
        acme.subscribe(
            name,
            lot.choice(PLANS),
            "2026-01-31",
            trial_days=lot.choice([0, 0, 20]),
            ends_at=lot.choice([None, START + timedelta(days=400)]),
            customer=name,
        )
    made: Counter[str] = Counter()
    now = START
    for _ in range(12):
        now += timedelta(days=lot.randrange(9), seconds=lot.choice([0, 1, 3600]))
        name = lot.choice(names)
        operation = lot.choice(OPERATIONS)
        try:
            change(acme, operation, name, now.isoformat()[:19], **asked(acme, lot, operation, name, now))
        except Refusal as refusal:
            made[refusal.code] += 1
        else:
            made["made"] += 1
            items(acme, name)  # what is kept is what the journal folds to
        if lot.random() < 0.5:
            acme.run(now.isoformat()[:19])
    acme.run((now + timedelta(days=100)).isoformat()[:19])
    for name in names:
        items(acme, name)
    assert made["made"] >= 3, made


def asked(
    acme: Company, lot: random.Random, operation: Callable[..., Subscription], name: str, now: datetime
) -> dict[str, Any]:
    """Return what an operation is asked for; about half of it makes sense."""
    moment: list[Effective] = ["now", "now", "period_end", now + timedelta(days=lot.randrange(-20, 60))]
    effective = lot.choice(moment)
    add_ons = [item.id for item in items(acme, name) if item.is_add_on]
    add_on = lot.choice([None, *add_ons])
    until = now + timedelta(days=lot.randrange(1, 80))
    dates = lot.choice([None, *BillingDate])
    closing = lot.choice(list(Closing))
    quantities = {lot.choice(["seats", "disks"]): Decimal(lot.randrange(9))}
    given: dict[Callable[..., Subscription], dict[str, Any]] = {
        add_add_on: {"plan": lot.choice(PLANS), "anchor": lot.choice(["plan", "own"])},
        cancel: {"effective": now + timedelta(days=lot.randrange(40, 90)), "closing": closing},
        change_plan: {"plan": lot.choice(PLANS), "add_on": add_on, "closing": closing},
        change_prices: {
            "steps": [PriceStep(effective, {"base": Decimal(5)}), PriceStep(until, {"base": None})],
            "add_on": add_on,
        },
        change_quantity: {"quantities": quantities, "add_on": add_on, "decrease": lot.choice(["now", "renewal"])},
        extend_term: {"by": lot.choice([None, Interval(Unit.MONTH, 2)])},
        extend_trial: {"ends_at": until},
        move_anchor: {"to": lot.choice([15, 31, until]), "add_on": add_on},
        pause: {
            "until": lot.choice([None, until, Cycles(lot.randrange(1, 3))]),
            "unused_time": lot.choice(["none", "credit", "extend"]),
            "billing_date": dates,
            "extends_term": lot.random() < 0.5,
        },
        remove_add_on: {"add_on": add_on or items(acme, name)[0].id, "closing": closing},
        renew: {"by": Interval(Unit.MONTH, 3)},
        resume: {"billing_date": dates, "extends_term": lot.choice([None, True, False])},
        shorten_term: {"ends_at": until},
        undo_change: {"entry": lot.randrange(1, len(journal(acme, name)) + 1), "is_backdated": lot.random() < 0.5},
    }
    without = {change_prices, extend_term, extend_trial, renew, shorten_term, undo_change, cancel}
    return given.get(operation, {}) | ({} if operation in without else {"effective": effective})
