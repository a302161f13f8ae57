"""Entries of a subscription's journal as words."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, assert_never

from tenor.kernel.ids import PlanVersionId, to_wire
from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain
from tenor.subscriptions import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    BillingDate,
    Cancelled,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Paused,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Reopened,
    Resumed,
    Subscribed,
    TermChanged,
    Terms,
    TrialChanged,
    Undone,
)

_CREDITED: Final = {
    Closing.PRORATED: "the rest of the period is credited",
    Closing.WHOLE: "nothing of the period is credited",
    Closing.FREE: "the whole period is credited",
}
_DATES: Final = {
    BillingDate.KEEP: "",
    BillingDate.RESTART: "; billing dates begin anew after it",
    BillingDate.SHIFT: "; billing dates shift by it",
}


def in_words(facts: Facts, plans: Mapping[PlanVersionId, str]) -> str:
    """Return what an entry says; `plans` names the plan versions."""
    match facts:
        case Subscribed():
            origin = "" if facts.transferred_from is None else f", from {to_wire('sub', facts.transferred_from)}"
            return f"subscribed to {plans[facts.plan_version_id]}{_terms(facts.terms)}{origin}"
        case PlanChanged():
            of = "plan" if facts.replaces is None else "plan of an add-on"
            return f"{of} {plans[facts.plan_version_id]}{_terms(facts.terms)}; {_CREDITED[facts.closing]}"
        case AddOnAdded():
            return f"add-on {plans[facts.plan_version_id]}{_terms(facts.terms)}"
        case AddOnRemoved():
            return f"add-on {to_wire('itm', facts.item_id)} removed; {_CREDITED[facts.closing]}"
        case QuantityChanged():
            return _numbers(facts.quantities)
        case PricesChanged():
            return "price of " + _numbers(facts.prices)
        case Paused():
            return f"paused; {_CREDITED[facts.closing]}{_DATES[facts.billing_date]}"
        case Resumed():
            return f"resumed{_moved(facts.reopened)}"
        case TrialChanged():
            return f"trial ends {format_instant(facts.trial_ends_at)}"
        case AnchorMoved():
            return f"billing dates moved{_moved(facts.reopened)}"
        case TermChanged():
            return f"term ends {_end(facts.ends_at)}"
        case Cancelled():
            heir = "" if facts.transferred_to is None else f", transferred to {to_wire('sub', facts.transferred_to)}"
            return f"cancelled; {_CREDITED[facts.closing]}{heir}"
        case DiscountApplied():
            return f"discount {facts.discount.code}"
        case DiscountRemoved():
            return f"discount {to_wire('dis', facts.discount_id)} removed"
        case Undone():
            return f"entry {facts.version} taken back"
    assert_never(facts)


def _terms(terms: Terms) -> str:
    parts = [_numbers(terms.quantities)] if terms.quantities else []
    parts += ["price of " + _numbers(terms.prices)] if terms.prices else []
    return "".join(f", {part}" for part in parts)


def _numbers(values: Mapping[str, Decimal] | Mapping[str, Decimal | None]) -> str:
    return ", ".join(
        f"{code} {'as the plan says' if value is None else plain(value)}" for code, value in values.items()
    )


def _moved(reopened: tuple[Reopened, ...]) -> str:
    anchors = sorted({one.anchor_at for one in reopened})
    return "".join(f"; counted from {format_instant(anchor)}" for anchor in anchors)


def _end(at: datetime | None) -> str:
    return "never" if at is None else format_instant(at)
