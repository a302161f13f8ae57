"""Settle: the lines that bring what has been billed to what is owed."""

from collections.abc import Sequence
from datetime import datetime

from tenor.invoicing.model import Billed, Line, Owed


def settle(owed: Sequence[Owed], billed: Sequence[Billed], *, now: datetime) -> list[Line]:
    """Return one line for each key whose billed amount is not what is owed; none when all are equal.

    A key that has been billed and is owed no longer is given back whole. `now` is the due instant of
    lines that correct what was billed before; a key that is billed for the first time keeps its own.
    Adding the lines to what was billed gives exactly what is owed (law 1).
    """
    before = {entry.key: entry for entry in billed}
    lines = []
    for entry in owed:
        past = before.pop(entry.key, None)
        if past is None:
            if entry.amount_minor:
                lines.append(
                    Line(
                        entry.key,
                        entry.amount_minor,
                        entry.due_at,
                        entry.is_deferred,
                        entry.description,
                        entry.trace,
                    )
                )
        elif entry.amount_minor != past.amount_minor:
            trace = {**entry.trace, "billed_minor": past.amount_minor}
            difference = entry.amount_minor - past.amount_minor
            lines.append(Line(entry.key, difference, now, entry.is_deferred, entry.description, trace))
    for past in before.values():
        if past.amount_minor:
            trace = {"owed_minor": 0, "billed_minor": past.amount_minor, "reason": "no longer owed"}
            lines.append(Line(past.key, -past.amount_minor, now, past.is_deferred, past.description, trace))
    return lines
