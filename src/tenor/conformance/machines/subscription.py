"""Subscriptions as the case files move them: Tenor's own moves, what most vendors add, and each vendor's own rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tenor.conformance.machines.table import Situation, Table, move
from tenor.pricing.policy import lineage
from tenor.subscriptions.lifecycle import MOVES, Trigger
from tenor.subscriptions.model import Status

HOURS_TO_PAY: Final = 23
"""So long a first invoice may stay unpaid at Stripe."""


class Landing(NamedTuple):
    """The state that a move leads to now, and the one at the end of the period, where that is another."""

    to: str
    at_period_end: str | None


def subscription_move(profile: str, situation: Situation) -> Landing:
    """Return where a subscription lands under the rules of a vendor.

    A move that is to take effect later must be legal today; until then the state stays, or is `non_renewing` where
    the vendor has a state for what has been cancelled and still runs.

    Raises:
        MoveRefused: as `move`.
    """
    vendor = _vendor(profile)
    target = move(vendor.rows, situation)
    effective = situation.given.get("effective", "period_end" if situation.trigger in vendor.waits else "now")
    if effective == "now":
        return Landing(target, None)
    stays = vendor.cancelled_but_running if situation.trigger == "cancel" else None
    return Landing(stays or str(situation.state), target if effective == "period_end" else None)


@dataclass(frozen=True, slots=True)
class Vendor:
    """What one vendor does otherwise.

    `waits` are the triggers that act at the end of the period unless told otherwise, `cancelled_but_running` is the
    state of a subscription whose cancellation is still to come, where there is one.
    """

    rows: Table = field(default_factory=dict)
    waits: frozenset[str] = frozenset()
    cancelled_but_running: str | None = None


_STATES: Final[Mapping[Status, str]] = {Status.CREATED: "future", Status.EXPIRING_SOON: "non_renewing"}
"""Tenor's states that the case files call otherwise."""

_TRIGGERS: Final[Mapping[Trigger, str]] = {
    Trigger.STARTED: "start_reached",
    Trigger.PAYMENT_FAILED: "payment_failed",
    Trigger.PAYMENT_SETTLED: "payment_succeeded",
    Trigger.PAUSED: "pause",
    Trigger.RESUMED: "resume",
    Trigger.TERM_ENDED: "term_ended",
    Trigger.REACTIVATED: "reactivate",
    Trigger.CANCELLED: "cancel",
}
"""Tenor's triggers that the case files know; the others hang on circumstances that a case gives."""

_OWN: Final[Table] = {
    (_STATES.get(state, state), _TRIGGERS[trigger]): _STATES.get(target, target)
    for (state, trigger), target in MOVES.items()
    if trigger in _TRIGGERS
}
_LEADS_TO: Final = frozenset((_STATES.get(state, state), _STATES.get(to, to)) for (state, _), to in MOVES.items())


def _started(situation: Situation) -> str:
    return "future" if situation.given.get("start") == "future" else "active"


def _trial_over(situation: Situation) -> str:
    if situation.given.get("has_payment_method", True):
        return "active"
    by_policy = {"cancel": "cancelled", "pause": "paused", "create_invoice": "past_due"}
    return by_policy[situation.states.missing_payment_method]


def _can_pause(situation: Situation) -> bool:
    given = situation.given
    is_collected_by_hand = given.get("collection") == "send_invoice"
    return given.get("pause_eligible", True) and not is_collected_by_hand and not given.get("schedule_attached")


def _renewal_failed(situation: Situation) -> str:
    is_first = situation.given.get("attempt", 1) == 1
    pauses = situation.states.on_first_failure == "pause" and is_first and _can_pause(situation)
    return "paused" if pauses else "past_due"


def _retries_over(situation: Situation) -> str:
    by_policy = {
        "cancel": "cancelled",
        "pause": "paused" if _can_pause(situation) else "cancelled",
        "mark_unpaid": "unpaid",
        "leave_past_due": "past_due",
    }
    return by_policy[situation.states.when_exhausted]


def _undone_while_running(situation: Situation) -> str:
    if not {"billing_runs_until", "term"} & situation.given.keys():
        situation.refuse("access and billing have both ended")
    return "active"


def _add_on_of_new_base(situation: Situation) -> str:
    return str(situation.state) if situation.given.get("add_on_offered", True) else "cancelled"


def _set_by_hand(situation: Situation) -> str:
    target = str(situation.given["state"])
    if (situation.state, target) not in _LEADS_TO:
        situation.refuse(f"no move leads to {target}")
    return target


_LIVE: Final = ("future", "trialing", "active", "past_due", "unpaid", "suspended", "paused", "non_renewing")
_EDITS: Final = ("add_item", "change_items", "change_plan")

_COMMON: Final[Table] = {
    **_OWN,
    (None, "subscribe"): _started,
    ("trialing", "trial_end"): _trial_over,
    ("active", "payment_failed"): _renewal_failed,
    ("past_due", "payment_failed"): "past_due",
    ("past_due", "retries_exhausted"): _retries_over,
    ("active", "payment_succeeded"): "active",
    ("unpaid", "payment_succeeded"): "active",
    ("active", "resume"): "active",
    ("active", "term_ended"): "expired",
    ("past_due", "term_ended"): "expired",
    ("unpaid", "cancel"): "cancelled",
    ("incomplete", "cancel"): "cancelled",
    **{(_STATES.get(state, state), "set_state"): _set_by_hand for state in Status},
    **{(state, "pause_collection"): state for state in _LIVE},
    **{(state, "base_plan_changed"): _add_on_of_new_base for state in _LIVE},
    **{(state, edit): state for state in _LIVE for edit in _EDITS},
    ("future", "add_item"): None,
    ("paused", "add_item"): None,
    **{(state, "undo_cancel"): state for state in _LIVE},
    ("non_renewing", "undo_cancel"): "active",
    ("non_renewing", "reactivate"): "active",
    ("cancelled", "undo_cancel"): _undone_while_running,
}


def _paused_if_possible(situation: Situation) -> str:
    if not _can_pause(situation):
        situation.refuse("collected by hand, bound to a schedule, or not eligible")
    return "paused"


def _paused_unless_overdue(situation: Situation) -> str:
    if situation.given.get("has_overdue_invoice"):
        situation.refuse("an invoice is overdue")
    return "paused"


def _resumed_by_invoice(situation: Situation) -> str:
    by_invoice = {
        "paid": "active",
        "uncollectible": "active",
        "payment_failed": "past_due",
        "void": "paused",
        "unpaid": "paused",
    }
    return by_invoice[situation.given.get("resume_invoice", "paid")]


def _first_invoice_unpaid(situation: Situation) -> str:
    is_over = situation.given.get("hours_without_payment", 0) >= HOURS_TO_PAY
    return "incomplete_expired" if is_over else "incomplete"


def _changed_without_bill(situation: Situation) -> str:
    if situation.given.get("proration_mode") != "do_not_bill":
        situation.refuse("while paused only changes that are not billed are taken")
    return "paused"


_ESCALATED: Final[Table] = {("past_due", "retries_exhausted"): MOVES[Status.PAST_DUE, Trigger.GRACE_ENDED]}
_EXPIRED_FOR_GOOD: Final[Table] = {("expired", "cancel"): None, ("expired", "reactivate"): None}
_ONLY_ACTIVE_PAUSES: Final[Table] = {(state, "pause"): None for state in _LIVE if state != "active"}

_VENDORS: Final[Mapping[str, Vendor]] = {
    "tenor": Vendor(_ESCALATED),
    "aforo": Vendor(_ESCALATED),
    "killbill": Vendor(
        {
            **_EXPIRED_FOR_GOOD,
            ("paused", "change_plan"): None,  # its pause blocks changes too
            ("paused", "change_items"): None,
        }
    ),
    "stripe": Vendor(
        {
            (None, "payment_failed"): "incomplete",
            ("incomplete", "payment_failed"): "incomplete",
            ("incomplete", "payment_succeeded"): "active",
            ("incomplete", "time_passes"): _first_invoice_unpaid,
            ("paused", "resume"): _resumed_by_invoice,
            ("paused", "resume_invoice_settled"): _resumed_by_invoice,
            ("paused", "time_passes"): "paused",  # an invoice unpaid for so long is voided
            ("paused", "payment_succeeded"): "active",
            ("paused", "payment_failed"): "past_due",
        }
    ),
    "stripe-classic": Vendor({("active", "pause"): None}),  # came with the flexible mode
    "stripe-flexible": Vendor({**_ONLY_ACTIVE_PAUSES, ("active", "pause"): _paused_if_possible}),
    "chargebee": Vendor(
        {
            **_ONLY_ACTIVE_PAUSES,
            **{("paused", edit): None for edit in _EDITS},
            ("non_renewing", "term_ended"): "cancelled",
        },
        cancelled_but_running="non_renewing",
    ),
    "recurly": Vendor(
        {
            **{(state, "cancel"): "expired" for state in _LIVE},
            **_EXPIRED_FOR_GOOD,
            **_ONLY_ACTIVE_PAUSES,
            ("active", "pause"): _paused_unless_overdue,
        },
        waits=frozenset({"pause"}),
        cancelled_but_running="non_renewing",
    ),
    "paddle": Vendor(
        {
            **{("paused", edit): _changed_without_bill for edit in _EDITS},
            ("past_due", "pause"): "paused",
            ("active", "resume"): None,
        }
    ),
    "maxio": Vendor(
        {
            ("cancelled", "reactivate"): "active",
            ("expired", "reactivate"): None,
            ("unpaid", "payment_succeeded"): None,
        }
    ),
}


def _vendor(profile: str) -> Vendor:
    """Return the rules of a profile: those of the profiles it extends, the nearest on top."""
    rows, waits, running = dict(_COMMON), frozenset[str](), None
    for name in reversed(lineage(profile)):
        vendor = _VENDORS.get(name, Vendor())
        rows |= vendor.rows
        waits |= vendor.waits
        running = vendor.cancelled_but_running or running
    return Vendor(rows, waits, running)
