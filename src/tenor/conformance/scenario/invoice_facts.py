"""What a case asks of an invoice: its sums, its state, and the lines that must be on it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from tenor.conformance.compare import equals
from tenor.conformance.scenario.documents import Account, Invoice, Line
from tenor.conformance.scenario.sums import tax_percent
from tenor.conformance.scenario.usage_periods import old_plan_usage_period, usage_period
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date

_NOT_ASKED: Final = frozenset({"customer", "which", "as_of", "preview", "derived", "source_line"})


def invoice_differences(world: World, invoice: Invoice, wanted: Mapping[str, Any], *, is_complete: bool) -> list[str]:
    """Return one sentence for each asked key that `invoice` does not meet."""
    found = []
    for key, value in wanted.items():
        if key in _NOT_ASKED:
            continue
        if key == "lines":
            found += _line_differences(world, invoice, value, is_complete=is_complete)
        elif key == "line_counts":
            counts = Counter(line.kind for line in invoice.lines)
            found += [
                f"{kind} lines: expected {n}, got {counts[kind]}" for kind, n in value.items() if counts[kind] != n
            ]
        elif key not in _READERS:
            found.append(f"{key}: nothing here can read it yet")
        else:
            got = _READERS[key](world, invoice)
            if not equals(key, value, got):
                found.append(f"{key}: expected {value}, got {got}")
    return found


def _line_differences(
    world: World, invoice: Invoice, wanted: Sequence[Mapping[str, Any]], *, is_complete: bool
) -> list[str]:
    """Find each wanted line among those not yet taken; only what is asked of it is compared."""
    rest = list(invoice.lines)
    found = []
    for asked in wanted:
        match = next((line for line in rest if _is_line(world, invoice, line, asked)), None)
        if match is None:
            found.append(f"no line {_shown(asked)} among {[_told(world, invoice, line) for line in rest]}")
        else:
            rest.remove(match)
    if is_complete and rest and not found:
        found.append(f"lines that no fact tells of: {[_told(world, invoice, line) for line in rest]}")
    return found


def _is_line(world: World, invoice: Invoice, line: Line, asked: Mapping[str, Any]) -> bool:
    zone, account = _zone_of(world, invoice, line), world.account(invoice.customer)
    return all(_meets(account, line, key, wanted, zone) for key, wanted in asked.items() if key != "source_line")


def _meets(account: Account, line: Line, key: str, wanted: Any, zone: tzinfo) -> bool:
    if key in {"from", "to"}:
        bound = None if line.span is None else line.span[0 if key == "from" else 1]
        return bound is not None and equals(key, wanted, _in_form_of(wanted, bound, zone))
    if key == "credits_invoice":
        return equals(key, wanted, _credited_invoice(account, line))
    return hasattr(line, key) and equals(key, wanted, getattr(line, key))


def _credited_invoice(account: Account, line: Line) -> int | None:
    """Return the number of the invoice whose line was given back."""
    earlier = line.given_back[0] if line.given_back else None
    return next((invoice.number for invoice in account.invoices if earlier in invoice.lines), None)


def _in_form_of(wanted: str, bound: datetime, zone: tzinfo) -> datetime | date:
    return bound if "T" in wanted else local_date(bound, zone)


def _zone_of(world: World, invoice: Invoice, line: Line) -> tzinfo:
    return world.usage_zone(invoice.customer) if line.kind == "usage" else world.zone(invoice.customer)


def _told(world: World, invoice: Invoice, line: Line) -> str:
    zone = _zone_of(world, invoice, line)
    span = "" if line.span is None else f" {local_date(line.span.start, zone)}..{local_date(line.span.end, zone)}"
    return f"{line.kind} {line.amount}{span}"


def _shown(asked: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in asked.items() if key != "source_line")


def _amount_due(_world: World, invoice: Invoice) -> Decimal:
    return max(invoice.total - invoice.balance_applied, Decimal(0))


_READERS: Final[Mapping[str, Callable[[World, Invoice], Any]]] = {
    "state": lambda _world, invoice: invoice.status,
    "reason": lambda _world, invoice: invoice.reason,
    "issue_date": lambda world, invoice: local_date(invoice.issued_at, world.zone(invoice.customer)),
    "line_count": lambda _world, invoice: len(invoice.lines),
    "subscription": lambda _world, invoice: next((line.subscription for line in invoice.lines), None),
    "plan": lambda _world, invoice: next((line.plan for line in invoice.lines), None),
    "usage_period": usage_period,
    "old_plan_usage_period": old_plan_usage_period,
    "subtotal": lambda _world, invoice: invoice.subtotal,
    "progressive_credit": lambda _world, invoice: invoice.progressive_credit,
    "discount": lambda _world, invoice: invoice.discount,
    "net": lambda _world, invoice: invoice.net,
    "tax": lambda _world, invoice: invoice.tax,
    "tax_percent": lambda _world, invoice: tax_percent(invoice),
    "gross": lambda _world, invoice: invoice.gross,
    "credit_notes_applied": lambda _world, invoice: invoice.credit_notes_applied,
    "wallet_applied": lambda _world, invoice: invoice.wallet_applied,
    "payment": lambda _world, invoice: invoice.payment,
    "total": lambda _world, invoice: invoice.total,
    "balance": lambda _world, invoice: invoice.balance,
    "balance_applied": lambda _world, invoice: invoice.balance_applied,
    "amount_due": _amount_due,
}
"""How each figure of an invoice is read. One that is not here cannot be read yet."""
