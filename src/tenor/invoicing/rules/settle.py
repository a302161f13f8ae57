"""Settle: the lines that bring what has been billed to what is owed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from tenor.invoicing.model import Billed, Key, Line, Owed
from tenor.kernel.ids import SubscriptionId


def settle(
    owed: Sequence[Owed],
    billed: Sequence[Billed],
    *,
    now: datetime,
    subscription_id: SubscriptionId | None = None,
) -> list[Line]:
    """Return one line for each key whose billed amount is not what is owed; none when all are equal.

    A key that has been billed and is owed no longer is given back whole. `now` is the due instant of
    lines that correct what was billed before; a key that is billed for the first time, or was billed while its period
    ran, keeps its own.
    Adding the lines to what was billed gives exactly what is owed (law 1).
    """
    before = {entry.key: entry for entry in billed}
    lines = []
    for entry in owed:
        past = before.pop(entry.key, None)
        difference_minor = entry.amount_minor - (past.amount_minor if past else 0)
        if not difference_minor:
            continue
        lines.append(
            Line(
                key=entry.key,
                amount_minor=difference_minor,
                due_at=now if past and past.metered_through is None else entry.due_at,
                is_deferred=entry.is_deferred,
                description=entry.description,
                trace={**entry.trace, "billed_minor": past.amount_minor} if past else entry.trace,
                subscription_id=subscription_id,
                tax_category=entry.tax_category,
                gives_back=past.taxed if past and _shrinks(past.amount_minor, to=entry.amount_minor) else None,
            )
        )
    for past in before.values():
        if past.amount_minor:
            trace = {"owed_minor": 0, "billed_minor": past.amount_minor, "reason": "no longer owed"}
            lines.append(
                Line(
                    key=past.key,
                    amount_minor=-past.amount_minor,
                    due_at=now,
                    is_deferred=past.is_deferred,
                    description=past.description,
                    trace=trace,
                    subscription_id=subscription_id,
                    gives_back=past.taxed,
                )
            )
    return lines


def less_waived(owed: Sequence[Owed], waived: Mapping[Key, int]) -> list[Owed]:
    """Take what was given up for good off what is owed: at most all of it, with its sign.

    A cap, which stands behind what it caps, takes off no more than is still owed of that.
    """
    if not waived:
        return list(owed)
    found: list[Owed] = []
    for entry in owed:
        left = _less(entry, waived.get(entry.key, 0))
        if left.amount_minor < 0:
            left = _at_most(left, sum(one.amount_minor for one in found if _is_capped(one.key, by=left.key)))
        found.append(left)
    return found


def _is_capped(key: Key, *, by: Key) -> bool:
    return key.item_id == by.item_id and by.period.covers(key.period)


def _at_most(cap: Owed, capped_minor: int) -> Owed:
    """Return what a cap takes off when so much is left of what it caps."""
    if cap.amount_minor + capped_minor >= 0:
        return cap
    return cap._replace(amount_minor=-max(0, capped_minor), trace={**cap.trace, "left_minor": capped_minor})


def _less(entry: Owed, waived_minor: int) -> Owed:
    if not waived_minor or not entry.amount_minor:
        return entry
    left_minor = entry.amount_minor - waived_minor
    return entry._replace(
        amount_minor=max(0, left_minor) if entry.amount_minor > 0 else min(0, left_minor),
        trace={**entry.trace, "rated_minor": entry.amount_minor, "waived_minor": waived_minor},
    )


def _shrinks(billed_minor: int, *, to: int) -> bool:
    """Whether an amount goes toward nothing without passing it: only then a part of its tax is given back."""
    return min(0, billed_minor) <= to <= max(0, billed_minor)
