"""Joints: how the items of one subscription follow each other, as far as it matters for what each of them owes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from tenor.subscriptions.model import Item


class Joint(NamedTuple):
    """How an item joins those before and after it.

    It `has_paid_once` where it goes on, on the same plan version, from one that has been billable: as the plan does
    when its billing dates move. `taken_over_at` is its start where service of the plan goes over to it at that
    instant from another item, `handed_over_at` its end where it goes over to another.
    """

    has_paid_once: bool = False
    taken_over_at: datetime | None = None
    handed_over_at: datetime | None = None


ALONE: Final = Joint()
"""The joint of an item that has no neighbour."""


def joint_of(item: Item, items: Sequence[Item]) -> Joint:
    """Return how `item` joins the others among `items` of its subscription."""
    if len(items) == 1 or not item.phases:
        return ALONE
    has_paid_once = _has_paid_once(item, items)
    if item.is_add_on:
        return Joint(has_paid_once)
    plan = [other for other in items if other.phases and not other.is_add_on]
    is_taken_over = item.phases[0].is_billable and any(
        other.ends_at == item.starts_at and other.phases[-1].is_billable for other in plan
    )
    is_handed_over = item.phases[-1].is_billable and any(
        other.starts_at == item.ends_at and other.phases[0].is_billable for other in plan
    )
    return Joint(
        has_paid_once,
        taken_over_at=item.starts_at if is_taken_over else None,
        handed_over_at=item.ends_at if is_handed_over else None,
    )


def _has_paid_once(item: Item, items: Sequence[Item]) -> bool:
    return any(
        any(phase.is_billable for phase in former.phases) or _has_paid_once(former, items)
        for former in items
        if former.phases
        and former.ends_at == item.starts_at
        and former.plan_version_id == item.plan_version_id
        and former.is_add_on == item.is_add_on
    )
