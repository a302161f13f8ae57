"""Answer cases of kind credit_note: what credits give back of an invoice, and where the money goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import reduce
from operator import add
from typing import Any

from tenor.conformance.cases import Case
from tenor.conformance.discount import coupons_taken
from tenor.invoicing.rules.credit_notes import NOTHING, LineParts, credit_line, settle_credit
from tenor.kernel.money import EXACT, format_minor, to_minor

_PERCENT = Decimal(100)


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures of the credits, in major units; what is given back of a line with tax is negative.

    `amount` (after coupons, before tax) and `tax_sum` are of all credits together; `tax`, `taxes` and `quantity` are
    of the last one.
    """
    with localcontext(EXACT):
        invoice = _read_invoice(case)
        notes = _credited(case, invoice)
    whole, last = reduce(add, notes), notes[-1]
    due_minor, paid_minor, from_balance_minor = _funds(case, invoice)
    settled = settle_credit(
        whole.total_minor, due_minor=due_minor, paid_minor=paid_minor, from_balance_minor=from_balance_minor
    )
    sign = -1 if last.taxes else 1

    def major(minor: int) -> str:
        return format_minor(minor, case.body["currency"])

    return {
        "amount": major(sign * whole.net_minor),
        "tax": major(-last.tax_minor),
        "taxes": {name: major(-minor) for name, minor in last.taxes.items()},
        "tax_sum": major(-whole.tax_minor),
        "quantity": _quantity(case, invoice, last),
        "amount_due": major(due_minor - settled.off_due_minor),
        "to_refund": major(settled.to_refund_minor),
        "to_balance": major(settled.to_balance_minor),
    }


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the invoice, and its price by the unit where the case tells it."""

    parts: LineParts
    quantity: Decimal | None
    unit_amount: Decimal | None


def _read_invoice(case: Case) -> Sequence[_Line]:
    lines = [line for line in case.body["invoice"].get("lines", ()) for _ in range(line.get("count", 1))]
    discounts = coupons_taken(case, [Decimal(line["amount"]) for line in lines])
    return [_read_line(case, line, _minor(case, off)) for line, off in zip(lines, discounts, strict=True)]


def _read_line(case: Case, line: Mapping[str, Any], discount_minor: int) -> _Line:
    amount_minor = _minor(case, Decimal(line["amount"]))
    quantity = Decimal(line["quantity"]) if "quantity" in line else None
    return _Line(
        LineParts(amount_minor, discount_minor, _taxes(case, line, amount_minor - discount_minor)),
        quantity,
        Decimal(line["unit_amount"]) if "unit_amount" in line else quantity and Decimal(line["amount"]) / quantity,
    )


def _taxes(case: Case, line: Mapping[str, Any], net_minor: int) -> dict[str, int]:
    """Return the taxes of a line by name, as the case gives them: each with its amount, or all in one."""
    if "taxes" in line:
        return {tax["name"]: _minor(case, Decimal(tax["amount"])) for tax in line["taxes"]}
    if "tax" in line:
        return {"tax": _minor(case, Decimal(line["tax"]))}
    if "tax_percent" in line:
        net = Decimal(format_minor(net_minor, case.body["currency"]))
        return {"tax": _minor(case, net * Decimal(line["tax_percent"]) / _PERCENT)}
    return {}


def _credited(case: Case, invoice: Sequence[_Line]) -> list[LineParts]:
    """Return what each credit gives back, in order; one that names no line stands by itself."""
    residue = case.policy().states.credit_note_residue
    before: dict[int, LineParts] = {}
    notes = []
    for credit in case.body["credits"]:
        place = credit.get("line", 0) - 1
        if place < 0:
            notes.append(LineParts(_minor(case, _asked(credit))))
            continue
        line, given = invoice[place], before.get(place, NOTHING)
        is_part = credit.keys() & {"amount", "quantity"}
        left_minor = line.parts.amount_minor - given.amount_minor
        amount_minor = _minor(case, _asked(credit, line.unit_amount)) if is_part else left_minor
        notes.append(credit_line(line.parts, amount_minor, before=given, residue=residue))
        before[place] = given + notes[-1]
    return notes


def _asked(credit: Mapping[str, Any], line_unit_amount: Decimal | None = None) -> Decimal:
    """Return the amount that a credit asks for: told, or units at the credit's price, or else at the line's."""
    if "amount" in credit:
        return Decimal(credit["amount"])
    unit_amount = Decimal(credit["unit_amount"]) if "unit_amount" in credit else line_unit_amount
    if unit_amount is None:
        raise ValueError("a credit needs an amount, or units with a price")
    return Decimal(credit.get("quantity", "1")) * unit_amount


def _quantity(case: Case, invoice: Sequence[_Line], last: LineParts) -> Decimal:
    """Return the units of the last credit: asked for, or those of a line credited whole, else one of its amount."""
    credit = case.body["credits"][-1]
    if "quantity" in credit:
        return Decimal(credit["quantity"])
    line = invoice[credit["line"] - 1] if "line" in credit else None
    is_whole = line is not None and last.amount_minor == line.parts.amount_minor
    return line.quantity if line and is_whole and line.quantity is not None else Decimal(1)


def _funds(case: Case, invoice: Sequence[_Line]) -> tuple[int, int, int]:
    """Return what is due on the invoice, what was paid in money, and what was drawn from the balance."""
    body = case.body["invoice"]
    lines_minor = sum(line.parts.total_minor for line in invoice)
    total_minor = _minor(case, Decimal(body["total"])) if "total" in body else lines_minor
    from_balance_minor = _minor(case, Decimal(body.get("balance_applied", "0")))
    asked_minor = total_minor - from_balance_minor
    if "amount_due" in body:
        asked_minor = _minor(case, Decimal(body["amount_due"]))
    if body.get("state") == "paid":
        return 0, asked_minor, from_balance_minor
    return asked_minor, total_minor - from_balance_minor - asked_minor, from_balance_minor


def _minor(case: Case, amount: Decimal) -> int:
    return to_minor(amount, case.body["currency"])
