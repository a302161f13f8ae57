"""Which document or line a step or a fact means."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from tenor.conformance.scenario.documents import Account, Invoice, Line
from tenor.conformance.scenario.strict import NotRunnable, StepRefused, only
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date

_LINE = frozenset({"kind", "plan", "metric", "item", "from", "to"})


def select_invoices(world: World, account: Account, which: object) -> list[Invoice]:
    """Return the invoices that a selector means: all drafts, or one; none where there is none.

    Raises:
        NotRunnable: a selector that nothing here knows.
    """
    invoices = account.invoices
    drafts = [invoice for invoice in invoices if invoice.is_draft]
    match which:
        case int():
            return invoices[which - 1 : which]
        case "first":
            return invoices[:1]
        case "latest":
            return invoices[-1:]
        case "first_draft":
            return drafts[:1]
        case "latest_draft":
            return drafts[-1:]
        case "all_drafts":
            return drafts
        case "closing" | "one_off" | "top_up":
            return [invoice for invoice in invoices if invoice.reason == which][-1:]
        case "first_recurring":
            return [invoice for invoice in invoices if any(line.kind == "recurring" for line in invoice.lines)][:1]
        case str() if which.startswith("issued:"):
            zone = world.zone(account.id)
            month = which.removeprefix("issued:")
            return [entry for entry in invoices if local_date(entry.issued_at, zone).isoformat()[:7] == month][:1]
        case _:
            raise NotRunnable(f"the invoice {which!r}")


def select_invoice(world: World, account: Account, which: object) -> Invoice:
    """Return the one invoice that a selector means.

    Raises:
        StepRefused: there is none.
    """
    found = select_invoices(world, account, which)
    if not found:
        raise StepRefused(f"customer {account.id} has no invoice {which!r}")
    return found[0]


def line_in(lines: Iterable[Line], selector: Mapping[str, Any], zone: tzinfo) -> Line:
    """Return the first line that has everything the selector names.

    Raises:
        StepRefused: no line has.
    """
    only(selector, _LINE, "line selector")
    for line in lines:
        if all(_meets(line, name, wanted, zone) for name, wanted in selector.items()):
            return line
    raise StepRefused(f"no line has {dict(selector)}")


def _meets(line: Line, name: str, wanted: str, zone: tzinfo) -> bool:
    if name in {"from", "to"}:
        bound = None if line.span is None else line.span[0 if name == "from" else 1]
        # What was taken off a line stands beside it, on one day: that is no line to be meant.
        is_charge = line.kind not in {"adjustment", "account_credit", "proration_credit"}
        return is_charge and bound is not None and local_date(bound, zone).isoformat() == wanted
    return bool(getattr(line, name) == wanted)
