"""Timeline: what a journal of changes says is agreed, instant by instant.

Changes apply in the order of their effective instants, whatever the order in which they were recorded;
`version` decides between equal instants. So a backdated change holds from its instant until a change
that is effective later, and one that is planned ahead stays planned when another comes before it.
Consequences:

- a change at which nothing runs (before the start, or from the end on) says nothing; one at the very end of an
  agreed term holds only if the term is prolonged at that instant;
- a change of plan replaces the terms whole, so what was agreed on the former plan does not come along,
  and a later change of quantity passes over the charges that the plan running then does not have;
- a step of a ramp says something only where the step before it still runs, and takes the seats along;
- a pause lies over what is agreed and takes nothing from it: a trial that ends in a pause has ended;
- a change that names an add-on finds it also under the later id of what has replaced it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, assert_never

from tenor.kernel.ids import DiscountId, ItemId
from tenor.pricing.discounts.model import Discount
from tenor.subscriptions.model import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    AppliedDiscount,
    Cancelled,
    Change,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Item,
    Paused,
    Phase,
    PhaseState,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Reopened,
    Resumed,
    Subscribed,
    TermChanged,
    Terms,
    Timeline,
    TrialChanged,
    Undone,
)
from tenor.subscriptions.rules import phases as rules
from tenor.subscriptions.rules.phases import Phases
from tenor.subscriptions.rules.standing import standing


class Life(NamedTuple):
    """The ends that a journal says: of the trial, and whether it converts; of the whole, None while none is known."""

    trial_ends_at: datetime | None
    trial_converts: bool
    ends_at: datetime | None
    cancels_at_end: bool


def fold(changes: Sequence[Change]) -> Timeline:
    """Return the timeline of a journal: items in order of start, their phases contiguous and never empty.

    An item of which no time is left is not part of it. A journal that is cut at a recorded instant
    gives what was known then.
    """
    return _read(changes).timeline()


def fold_with_life(changes: Sequence[Change]) -> tuple[Timeline, Life]:
    """Return the timeline of a journal, and the ends that it says."""
    reading = _read(changes)
    return reading.timeline(), reading.life


def item_at(timeline: Timeline, at: datetime) -> Item | None:
    """Return the item of the plan that runs at `at`; None before the start and from the end on."""
    return next((item for item in timeline.items if not item.is_add_on and phase_at(item, at)), None)


def phase_at(item: Item, at: datetime) -> Phase | None:
    """Return the phase of `item` that holds `at`; None outside its life."""
    return next((phase for phase in item.phases if _holds(phase, at)), None)


def in_order(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return items in order of start, of equal starts the plan first."""
    return tuple(sorted(items, key=lambda item: (item.starts_at, item.is_add_on, item.id)))


@dataclass(frozen=True, slots=True)
class _Stay:
    """An item that runs: the phases that it has lived in `item`, and what is agreed from there on, pauses aside.

    `names` are the ids of all items that it goes on from, and its own.
    """

    item: Item
    ahead: Phases
    names: frozenset[ItemId]

    def lived(self, until: datetime | None, pause: Closing | None) -> "_Stay":
        """Return the stay when time has come to `until`, None: to its end; a `pause` closes what came before it."""
        passed, ahead = (self.ahead, ()) if until is None else rules.cut(self.ahead, until)
        if not passed:
            return self
        before = self.item.phases
        if pause is not None:
            before, passed = rules.closed(before, pause), rules.paused(passed)
        return replace(self, item=replace(self.item, phases=rules.joined((*before, *passed))), ahead=ahead)

    def ended(self, closing: Closing) -> Item:
        """Return the item as it ends here, with what that does to the period that it cuts."""
        return replace(self.item, phases=rules.closed(self.item.phases, closing))

    def agreeing(self, change: Callable[[Terms], Terms]) -> "_Stay":
        """Return the stay on changed terms from here on."""
        return replace(self, ahead=tuple(phase._replace(terms=change(phase.terms)) for phase in self.ahead))

    def continued(self, item: Item, ahead: Phases) -> "_Stay":
        """Return the stay that goes on from here as another item."""
        return _Stay(replace(item, phases=()), ahead, self.names | {item.id})


class _Reading:
    """A journal as far as it has been read: what has been, and what runs from there on, the plan first."""

    def __init__(self) -> None:
        self.past: list[Item] = []
        self.stays: list[_Stay] = []
        self.discounts: list[AppliedDiscount] = []
        self.pause: Closing | None = None
        self.life = Life(trial_ends_at=None, trial_converts=False, ends_at=None, cancels_at_end=False)

    def read(self, change: Change) -> None:
        """Let one more change take effect, no earlier than those that were read before."""
        at, facts = change.effective_at, change.facts
        if self.life.ends_at is not None and at > self.life.ends_at:
            return
        self._keep([stay.lived(at, self.pause) for stay in self.stays])
        if isinstance(facts, Subscribed):
            self._begin(facts, at)
        elif self.stays:
            self._apply(facts, at)

    def timeline(self) -> Timeline:
        """Return what the journal says, if nothing more is to come."""
        ends_at = self.life.ends_at
        items = [*self.past, *(stay.lived(ends_at, self.pause).item for stay in self.stays)]
        if ends_at is not None and not self.life.cancels_at_end:
            # A term ends by agreement: what a change at that instant says of its last period holds for nobody.
            items = [
                replace(item, phases=rules.closed(item.phases, Closing.PRORATED))
                if item.phases and item.ends_at == ends_at
                else item
                for item in items
            ]
        discounts = [one for one in self.discounts if ends_at is None or one.applied_at < ends_at]
        return Timeline(in_order(item for item in items if item.phases), tuple(discounts))

    def _begin(self, facts: Subscribed, at: datetime) -> None:
        ahead = rules.opened(at, facts.terms, trial_ends_at=facts.trial_ends_at, trial_converts=facts.trial_converts)
        item = Item(facts.item_id, facts.plan_version_id, facts.anchor_at, facts.discount_percent, ())
        self._keep([_Stay(item, ahead, frozenset([item.id]))])
        self.life = Life(facts.trial_ends_at, facts.trial_converts, facts.ends_at, cancels_at_end=False)

    def _apply(self, facts: Facts, at: datetime) -> None:
        match facts:
            case PlanChanged():
                self._change_plan(facts)
            case QuantityChanged():
                self._agree(facts.item_id, lambda terms: _with_quantities(terms, facts.quantities))
            case PricesChanged():
                self._agree(facts.item_id, lambda terms: _with_prices(terms, facts.prices))
            case AddOnAdded():
                self._add(facts)
            case AddOnRemoved():
                self._remove(facts)
            case Paused():
                self.pause = facts.closing if self.pause is None else self.pause
            case Resumed():
                if self.pause is not None:
                    self.pause = None
                    self._reopen(facts.reopened)
            case TrialChanged():
                self._change_trial(facts, at)
            case AnchorMoved():
                self._reopen(facts.reopened)
            case TermChanged():
                ends_at = None if facts.ends_at is None else max(facts.ends_at, at)
                self.life = self.life._replace(ends_at=ends_at)
            case Cancelled():
                self.past += [stay.ended(facts.closing) for stay in self.stays]
                self.stays = []
                self.life = self.life._replace(ends_at=at, cancels_at_end=True)
            case DiscountApplied():
                self._discount(facts.discount, at)
            case DiscountRemoved():
                self._undiscount(facts.discount_id, at)
            case Subscribed() | Undone():
                raise AssertionError(f"{facts} begins a life or is not standing")
            case _:
                assert_never(facts)

    def _keep(self, stays: Sequence[_Stay]) -> None:
        """Go on with the stays that have time ahead."""
        self.past += [stay.item for stay in stays if not stay.ahead]
        self.stays = [stay for stay in stays if stay.ahead]

    def _named(self, item_id: ItemId | None) -> _Stay | None:
        """Return the stay that runs under this id; None means the plan."""
        return next(
            (stay for stay in self.stays if (not stay.item.is_add_on if item_id is None else item_id in stay.names)),
            None,
        )

    def _swap(self, stay: _Stay, closing: Closing, *by: _Stay) -> None:
        """End a stay, and go on with another in its place if there is one."""
        self.past.append(stay.ended(closing))
        self.stays = [other for one in self.stays for other in (by if one is stay else (one,))]

    def _change_plan(self, facts: PlanChanged) -> None:
        stay = self._named(facts.replaces)
        if stay is None or facts.follows not in (None, stay.item.plan_version_id):
            return
        item = replace(stay.item, id=facts.item_id, plan_version_id=facts.plan_version_id)
        if facts.follows is None:
            item = replace(item, anchor_at=facts.anchor_at)
            ahead = stay.agreeing(lambda _: facts.terms).ahead
        else:
            ahead = stay.agreeing(lambda held: _with_quantities(facts.terms, held.quantities)).ahead
        self._swap(stay, facts.closing, stay.continued(item, ahead))

    def _agree(self, item_id: ItemId | None, change: Callable[[Terms], Terms]) -> None:
        stay = self._named(item_id)
        self.stays = [one.agreeing(change) if one is stay else one for one in self.stays]

    def _add(self, facts: AddOnAdded) -> None:
        """Open an add-on that shares what is ahead of the plan, but no time that was paid for with the plan."""
        plan = self.stays[0]
        ahead = (
            phase._replace(terms=facts.terms, is_billable=phase.state is PhaseState.ACTIVE) for phase in plan.ahead
        )
        item = Item(
            facts.item_id, facts.plan_version_id, facts.anchor_at, plan.item.discount_percent, (), is_add_on=True
        )
        self.stays.append(_Stay(item, rules.joined(ahead), frozenset([item.id])))

    def _remove(self, facts: AddOnRemoved) -> None:
        stay = self._named(facts.item_id)
        if stay is not None and stay.item.is_add_on:
            self._swap(stay, facts.closing)

    def _reopen(self, reopened: Iterable[Reopened]) -> None:
        """Let running items go on on another grid; a period that was paid for beyond that instant stays whole.

        In a trial nothing has been paid for.
        """
        for one in reopened:
            stay = next((stay for stay in self.stays if stay.item.id == one.replaces), None)
            if stay is not None:
                item = replace(stay.item, id=one.item_id, anchor_at=one.anchor_at)
                paid_until = None if stay.ahead[0].state is PhaseState.TRIAL else one.billable_from
                closing = Closing.PRORATED if paid_until is None else Closing.WHOLE
                self._swap(stay, closing, stay.continued(item, rules.billable_from(stay.ahead, paid_until)))

    def _change_trial(self, facts: TrialChanged, at: datetime) -> None:
        if self.stays[0].ahead[0].state is not PhaseState.TRIAL:
            return
        ends_at = max(facts.trial_ends_at, at)
        converts = self.life.trial_converts or ends_at == at
        self.life = self.life._replace(trial_ends_at=ends_at, trial_converts=converts)
        self.stays = [
            replace(stay, ahead=rules.with_trial_until(stay.ahead, ends_at))
            if stay.ahead[0].state is PhaseState.TRIAL
            else stay
            for stay in self.stays
        ]
        self._reopen(facts.reopened)

    def _discount(self, discount: Discount, at: datetime) -> None:
        """Let a discount hold from here on; one that is taken away and given back at one instant has never ceased."""
        for place, known in enumerate(self.discounts):
            if known.discount == discount and known.removed_at in (None, at):
                self.discounts[place] = known._replace(removed_at=None)
                return
        self.discounts.append(AppliedDiscount(discount, at, None))

    def _undiscount(self, discount_id: DiscountId, at: datetime) -> None:
        removed = (
            one._replace(removed_at=at) if one.discount.id == discount_id and one.removed_at is None else one
            for one in self.discounts
        )
        self.discounts = [one for one in removed if one.applied_at != one.removed_at]


def _read(changes: Sequence[Change]) -> _Reading:
    reading = _Reading()
    for change in standing(changes):
        reading.read(change)
    return reading


def _with_quantities(terms: Terms, quantities: Mapping[str, Decimal]) -> Terms:
    """Return `terms` with the quantities of the charges that they name replaced."""
    return terms._replace(
        quantities={code: quantities.get(code, quantity) for code, quantity in terms.quantities.items()}
    )


def _with_prices(terms: Terms, prices: Mapping[str, Decimal | None]) -> Terms:
    """Return `terms` with unit prices agreed anew; None gives up the agreed one."""
    merged = {**terms.prices, **prices}
    return terms._replace(prices={code: price for code, price in merged.items() if price is not None})


def _holds(phase: Phase, at: datetime) -> bool:
    return phase.starts_at <= at and (phase.ends_at is None or at < phase.ends_at)
