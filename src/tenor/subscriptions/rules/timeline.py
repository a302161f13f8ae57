"""Timeline: what a journal of changes says is agreed, instant by instant.

Changes apply in the order of their effective instants, whatever the order in which they were recorded;
`version` decides between equal instants. So a backdated change holds from its instant until a change
that is effective later, and one that is planned ahead stays planned when another comes before it.
Two consequences:

- a change at which nothing runs (before the start, at or after the end) says nothing;
- a change of plan replaces the terms whole, so what was agreed on the former plan does not come along,
  and a later change of quantity passes over the charges that the plan running then does not have.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tenor.subscriptions.model import (
    Cancelled,
    Change,
    Item,
    Phase,
    PlanChanged,
    QuantityChanged,
    Subscribed,
    Terms,
    Timeline,
)

Phases = tuple[Phase, ...]


def fold(changes: Sequence[Change]) -> Timeline:
    """Return the timeline of a journal: items in order of start, their phases contiguous and never empty.

    An item of which no time is left is not part of it. A journal that is cut at a recorded instant
    gives what was known then.
    """
    items: tuple[Item, ...] = ()
    for change in sorted(changes, key=lambda change: (change.effective_at, change.version)):
        items = _applied(items, change)
    return Timeline(items)


def item_at(timeline: Timeline, at: datetime) -> Item | None:
    """Return the item that runs at `at`; None before the start and from the end on."""
    return next((item for item in timeline.items if phase_at(item, at)), None)


def phase_at(item: Item, at: datetime) -> Phase | None:
    """Return the phase of `item` that holds `at`; None outside its life."""
    return next((phase for phase in item.phases if _holds(phase, at)), None)


def _applied(items: tuple[Item, ...], change: Change) -> tuple[Item, ...]:
    """Return `items` after one more change, which is effective no earlier than those applied before."""
    facts = change.facts
    if isinstance(facts, Subscribed):
        return _opened(facts, change.effective_at)
    if not items:
        return items
    *before, running = items
    kept, rest = _cut(running.phases, change.effective_at)
    if not rest:
        return items
    match facts:
        case PlanChanged():
            return (
                *before,
                *_item_with(running, kept),
                Item(
                    id=facts.item_id,
                    plan_version_id=facts.plan_version_id,
                    anchor_at=facts.anchor_at,
                    discount_percent=running.discount_percent,
                    phases=_merged(phase._replace(terms=facts.terms) for phase in rest),
                ),
            )
        case QuantityChanged():
            changed = (phase._replace(terms=_with_quantities(phase.terms, facts.quantities)) for phase in rest)
            return (*before, *_item_with(running, _merged((*kept, *changed))))
        case Cancelled():
            return (*before, *_item_with(running, kept))


def _opened(facts: Subscribed, starts_at: datetime) -> tuple[Item, ...]:
    """Return the first item: the trial if there is one, then the paid phase unless the trial lapses."""
    paid_from = facts.trial_ends_at or starts_at
    paid_until = None if facts.trial_converts else facts.trial_ends_at
    phases = _filled(
        [
            Phase(starts_at, paid_from, is_billable=False, terms=facts.terms),
            Phase(paid_from, paid_until, is_billable=True, terms=facts.terms),
        ]
    )
    if facts.ends_at is not None:
        phases, _ = _cut(phases, facts.ends_at)
    item = Item(
        id=facts.item_id,
        plan_version_id=facts.plan_version_id,
        anchor_at=facts.anchor_at,
        discount_percent=facts.discount_percent,
        phases=phases,
    )
    return _item_with(item, phases)


def _item_with(item: Item, phases: Phases) -> tuple[Item, ...]:
    """Return `item` with these phases; nothing when none are left."""
    return (replace(item, phases=phases),) if phases else ()


def _cut(phases: Phases, at: datetime) -> tuple[Phases, Phases]:
    """Split `phases` at an instant into what lies before it and what lies from it on."""
    before = [phase._replace(ends_at=at if phase.ends_at is None else min(phase.ends_at, at)) for phase in phases]
    after = [phase._replace(starts_at=max(phase.starts_at, at)) for phase in phases]
    return _filled(before), _filled(after)


def _filled(phases: Iterable[Phase]) -> Phases:
    """Drop the phases of which no time is left."""
    return tuple(phase for phase in phases if phase.ends_at is None or phase.starts_at < phase.ends_at)


def _merged(phases: Iterable[Phase]) -> Phases:
    """Join neighbours that agree in everything but time, so that a change which changes nothing leaves no seam."""
    merged: list[Phase] = []
    for phase in phases:
        if merged and merged[-1][2:] == phase[2:]:
            merged[-1] = merged[-1]._replace(ends_at=phase.ends_at)
        else:
            merged.append(phase)
    return tuple(merged)


def _with_quantities(terms: Terms, quantities: Mapping[str, Decimal]) -> Terms:
    """Return `terms` with the quantities of the charges that they name replaced."""
    return terms._replace(
        quantities={code: quantities.get(code, quantity) for code, quantity in terms.quantities.items()}
    )


def _holds(phase: Phase, at: datetime) -> bool:
    return phase.starts_at <= at and (phase.ends_at is None or at < phase.ends_at)
