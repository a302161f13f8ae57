"""Every change of a subscription in the words of a story, and what it leaves: journal, phases and states."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, cast

from tenor.subscriptions import (
    Change,
    ChangeKind,
    Effective,
    Item,
    Subscription,
    find_subscription,
    journals,
    load_items,
    timeline_drift,
)
from tenor.subscriptions.store.facts import kind_of
from tests.support.company import Company, instant

BOOK: Final = """\
price_book: main
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products:
  - {code: app, name: App}
plans:
  - code: basic
    name: Basic
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 30.00}]
  - code: pro
    name: Pro
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 60.00}]
  - code: even
    name: Even
    product: app
    interval: month
    charges: [{code: base, name: Base fee, kind: recurring, amount: 60.00}]
  - code: yearly
    name: Yearly
    product: app
    interval: year
    charges: [{code: base, name: Base fee, kind: recurring, amount: 365.00}]
  - code: tried
    name: Tried
    product: app
    interval: month
    trial_days: 14
    charges: [{code: base, name: Base fee, kind: recurring, amount: 30.00}]
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 6.00, quantity: 1}
  - code: storage
    name: Storage
    product: app
    interval: month
    charges:
      - {code: space, name: Space, kind: recurring, amount: 9.00}
      - {code: disks, name: Disks, kind: seat, unit_amount: 3.00, quantity: 1}
  - code: weekly
    name: Weekly
    product: app
    interval: week
    charges: [{code: base, name: Base fee, kind: recurring, amount: 7.00}]
  - code: tried-team
    name: Team
    product: app
    interval: month
    trial_days: 14
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 6.00, quantity: 1}
"""
"""The plans that the stories of changes are told with."""

Operation = Callable[..., Subscription]


def effective(text: str) -> Effective:
    """Return what 'now', 'period_end' or a day says about when a change takes effect."""
    return cast(Effective, text) if text in {"now", "period_end"} else instant(text)


def change(company: Company, operation: Operation, name: str, on: str, **asked: Any) -> Subscription:
    """Call an operation on a subscription at its newest version, recorded at the instant `on`; `at` is `effective`."""
    if "at" in asked:
        asked["effective"] = effective(asked.pop("at"))
    with company.work() as uow:
        held = find_subscription(uow, name)
        asked.setdefault("version", held.version)
        return operation(uow, held.id, now=instant(on), actor="test", reason="", **asked)


def journal(company: Company, name: str) -> list[Change]:
    """Return the entries of a subscription's journal."""
    with company.work() as uow:
        held = find_subscription(uow, name)
        return journals(uow, [held.id])[held.id]


def entries(company: Company, name: str) -> list[tuple[ChangeKind, datetime]]:
    """Return kind and effective instant of every entry but the first."""
    return [(kind_of(entry.facts), entry.effective_at) for entry in journal(company, name)[1:]]


def items(company: Company, name: str) -> list[Item]:
    """Return the items in force, after a look that they are what the journal folds to."""
    with company.work() as uow:
        held = find_subscription(uow, name)
        assert timeline_drift(uow, [held.id]) == []
        (standing,) = load_items(uow, [held.id])
    return list(standing.timeline.items)


def life(company: Company, name: str) -> list[str]:
    """Return each phase as 'start end state', the end '…' where it is open, '-' behind what is not billed."""
    return [
        f"{_day(phase.starts_at)} {_day(phase.ends_at)} {phase.state.value}{'' if phase.is_billable else ' -'}"
        for item in items(company, name)
        for phase in item.phases
    ]


def _day(at: datetime | None) -> str:
    if at is None:
        return "…"
    return at.strftime("%m-%d" if at.time() == at.min.time() else "%m-%dT%H:%M")
