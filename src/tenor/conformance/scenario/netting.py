"""How time given back and time charged become lines: each its own, or one line for the difference."""

from collections.abc import Sequence
from decimal import Decimal

from tenor.conformance.scenario.documents import Line
from tenor.conformance.scenario.owing import Credit
from tenor.conformance.scenario.world import World


def credit_line(world: World, credit: Credit) -> Line:
    """Return the line that gives back a part of an earlier one."""
    line = credit.line
    return Line(
        kind="proration_credit",
        amount=-world.terms.major(credit.given.amount_minor),
        span=credit.given.span,
        subscription=line.subscription,
        plan=line.plan,
        item=line.item,
        quantity=line.quantity,
        given_back=(line, credit.given),
    )


def netted(world: World, lines: Sequence[Line]) -> list[Line]:
    """Return `lines`, those of one item and span as one where the policy bills the difference of a change.

    Such a line counts the units that came; units that went are one line of quantity 1.
    """
    if world.terms.policy.proration.change_billing != "difference":
        return list(lines)
    found: list[Line] = []
    for line in lines:
        counterpart = next((other for other in found if _is_counterpart(other, line)), None)
        if counterpart is None:
            found.append(line)
        else:
            found[found.index(counterpart)] = _difference(counterpart, line)
    return found


def _is_counterpart(credit: Line, charge: Line) -> bool:
    return (
        credit.kind == "proration_credit"
        and charge.kind == "proration_charge"
        and (credit.subscription, credit.plan, credit.span) == (charge.subscription, charge.plan, charge.span)
    )


def _difference(credit: Line, charge: Line) -> Line:
    """Return one line for what a credit and a charge come to; the charge's time stands on it."""
    amount = credit.amount + charge.amount
    charge.kind = "proration_charge" if amount >= 0 else "proration_credit"
    more = (charge.quantity or Decimal(0)) - (credit.quantity or Decimal(0))
    charge.amount, charge.quantity = amount, more if more > 0 else Decimal(1)
    charge.unit_amount = abs(amount) / charge.quantity
    return charge
