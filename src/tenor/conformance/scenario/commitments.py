"""Commitments: what a plan's fees of a period lack of the minimum that the customer has committed to."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from tenor.conformance.scenario.calendar import Slice, picked_up, slices
from tenor.conformance.scenario.documents import ZERO, Line
from tenor.conformance.scenario.life import Subscription, phase_at
from tenor.conformance.scenario.world import World
from tenor.pricing.rules.rating import top_up

_INSTANT: Final = timedelta(microseconds=1)
_KINDS: Final = frozenset({"commitment"})
_COUNTED: Final = frozenset({"recurring", "seat", "usage", "true_up"})


def commitment_lines(
    world: World, subscription: Subscription, found: Sequence[Line], *, target: datetime
) -> Iterator[Line]:
    """Yield what the fees of each closed period lack of its commitment; `found` are lines of this very run.

    The commitment is prorated like the plan's fee; counted are all fees for the period, also those billed in
    advance or without an invoice, in full although a part of them may have been given back.
    """
    account = world.account(subscription.customer)
    lines = [*account.standing_lines, *found]
    made = {line.of for line in account.lines}
    for slice_ in picked_up(world, slices(world, subscription, _KINDS, until=target)):
        of = ("commitment", subscription.id, slice_.stretch.plan.id, slice_.charge.name, slice_.span)
        if of in made or _is_in_trial(slice_):
            continue
        billed = sum((line.amount for line in lines if _is_of(line, slice_)), ZERO)
        missing = top_up(billed, minimum=_prorated(world, slice_), rounding=world.terms.money)
        if missing:
            yield Line(
                kind="commitment",
                amount=missing,
                span=slice_.span,
                subscription=subscription.id,
                plan=slice_.stretch.plan.id,
                of=of,
                tax_percents=slice_.tax_percents,
            )


def _is_in_trial(slice_: Slice) -> bool:
    """Whether the period ends before the trial does: then nothing is committed yet."""
    last = phase_at(slice_.subscription, slice_.span.end - _INSTANT)
    return last is not None and last.phase.is_trial


def _is_of(line: Line, slice_: Slice) -> bool:
    """Whether a line bills a time of the period that the slice serves, under its plan."""
    return (
        line.kind in _COUNTED
        and line.subscription == slice_.subscription.id
        and line.plan == slice_.stretch.plan.id
        and line.span is not None
        and not line.span.overlap(slice_.span).is_empty
    )


def _prorated(world: World, slice_: Slice) -> Decimal:
    share = world.terms.share(slice_.whole, slice_.span, slice_.subscription.zone)
    amount = slice_.charge.amount
    return amount if share is None else amount * share.used / share.whole
